std = 'luajit'
max_line_length = 100
-- Neovim's own; its options and variables are set by assignment.
globals = { 'vim' }
