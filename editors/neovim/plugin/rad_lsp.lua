if vim.g.loaded_rad_lsp then
  return
end
vim.g.loaded_rad_lsp = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify_once('rad_lsp needs Neovim 0.11 or newer', vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command('Rad', function(command)
  require('rad_lsp.command').run(command)
end, {
  nargs = '+',
  bang = true,
  bar = true,
  desc = 'Sessions of coding agents',
  complete = function(...)
    return require('rad_lsp.command').complete(...)
  end,
})

for _, name in ipairs({
  'budget',
  'compare',
  'compare previous',
  'cost',
  'export',
  'history',
  'limits',
  'log',
  'model',
  'notice',
  'report',
  'restart',
  'session',
  'today',
  'tools',
}) do
  local map = ('<Plug>(rad-%s)'):format((name:gsub(' ', '-')))
  vim.keymap.set('n', map, ('<Cmd>Rad %s<CR>'):format(name), { desc = 'Rad ' .. name })
end

local group = vim.api.nvim_create_augroup('rad_lsp', {})

local function highlights()
  for name, standard in pairs({
    RadStatus = 'StatusLine',
    -- With a background of their own, for that of the status line may be light or dark.
    RadStatusWarning = 'IncSearch',
    RadStatusError = 'Error',
    RadHeading = 'Title',
    RadWarning = 'DiagnosticWarn',
    RadImproved = 'DiagnosticOk',
    RadRegressed = 'DiagnosticError',
  }) do
    vim.api.nvim_set_hl(0, name, { link = standard, default = true })
  end
end
highlights()

vim.api.nvim_create_autocmd('ColorScheme', { group = group, callback = highlights })

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if not client or client.name ~= 'rad_lsp' then
      return
    end
    local options = require('rad_lsp.options').get()
    if options.inlay_hints then
      vim.lsp.inlay_hint.enable(true, { bufnr = event.buf })
    end
    if options.code_lens and vim.lsp.codelens.enable then
      vim.lsp.codelens.enable(true, { bufnr = event.buf })
    elseif options.code_lens then
      vim.lsp.codelens.refresh({ bufnr = event.buf })
    end
  end,
})

-- A folder that an agent has just begun to work in becomes a workspace while Neovim runs.
vim.api.nvim_create_autocmd({ 'VimEnter', 'DirChanged', 'FocusGained' }, {
  group = group,
  callback = function()
    require('rad_lsp.server').enter_cwd()
  end,
})

-- A plugin manager that loads this late calls `vim.lsp.enable` right after.
if vim.v.vim_did_enter == 1 then
  vim.schedule(function()
    require('rad_lsp.server').enter_cwd()
  end)
end
