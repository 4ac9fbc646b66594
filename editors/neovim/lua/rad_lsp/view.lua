---Shows the server's text, read only, where the user wants it.
local M = {}

---@class rad_lsp.View
---@field name string what is shown, such as `session/ID`: the same name reuses its window
---@field title string
---@field text string
---@field colours? table<string, string> highlight groups of lines, by their label in lower case

local MARKS = vim.api.nvim_create_namespace('rad_lsp')

---@param line string
---@param before? string
---@param after? string
---@return boolean whether it stands for itself, or over a rule
local function is_heading(line, before, after)
  if (before or '') ~= '' or line == '' then
    return false
  end
  local ruled = vim.startswith(after or '', '──') or vim.startswith(after or '', '══')
  return ruled or not (line:find('  ', 1, true) or line:find('^[^(]*[.:]') or line:find('^⚠'))
end

---@param buf integer
---@param lines string[]
---@param colours table<string, string>
local function fill(buf, lines, colours)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  vim.api.nvim_buf_clear_namespace(buf, MARKS, 0, -1)
  local heading
  for number, line in ipairs(lines) do
    local group
    if is_heading(line, lines[number - 1], lines[number + 1]) then
      group, heading = 'RadHeading', line:lower()
    elseif line:match('^⚠') then
      group = 'RadWarning'
    else
      local label = (line:match('^%s+([^:]+):') or ''):lower()
      group = colours[label == 'delta' and heading or label]
    end
    if group then
      vim.api.nvim_buf_set_extmark(buf, MARKS, number - 1, 0, {
        end_col = #line,
        hl_group = group,
      })
    end
  end
end

---@param buf integer
---@param title string
---@param lines string[]
local function float(buf, title, lines)
  local width = vim.fn.strdisplaywidth(title) + 2
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.min(width, vim.o.columns - 4)
  local height = math.max(1, math.min(#lines, vim.o.lines - 6))
  local has_default = vim.fn.exists('&winborder') == 1 and vim.o.winborder ~= ''
  local border = require('rad_lsp.options').get().border or (not has_default and 'rounded' or nil)
  return vim.api.nvim_open_win(buf, true, {
    relative = 'editor',
    row = math.max(0, math.floor((vim.o.lines - height - 3) / 2)),
    col = math.max(0, math.floor((vim.o.columns - width - 2) / 2)),
    width = width,
    height = height,
    border = border,
    title = border ~= 'none' and (' %s '):format(title) or nil,
  })
end

---@param buf integer
---@param title string
---@param lines string[]
local function open(buf, title, lines)
  local view = require('rad_lsp.options').get().view
  if type(view) == 'function' then
    view(buf, title)
    return
  end
  if view == 'float' then
    float(buf, title, lines)
  else
    local commands = { split = 'botright split', vsplit = 'botright vsplit', tab = 'tab split' }
    vim.cmd(commands[view])
    vim.api.nvim_win_set_buf(0, buf)
  end
  vim.wo[0][0].wrap = false
  vim.wo[0][0].number = false
  vim.wo[0][0].relativenumber = false
  vim.wo[0][0].signcolumn = 'no'
  vim.wo[0][0].spell = false
end

---@param buf integer
local function dress(buf)
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].swapfile = false
  vim.bo[buf].filetype = 'rad'
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buf, desc = 'Close', nowait = true })
end

---@param view rad_lsp.View
function M.show(view)
  local text = view.text
  local lines = vim.split(text:gsub('%s+$', ''), '\r?\n')
  local name = 'rad://' .. view.name
  local buf = vim.fn.bufnr('^' .. vim.fn.escape(name, '*?[]{}\\,~') .. '$')
  local window = buf > 0 and vim.fn.bufwinid(buf) or -1
  if window > 0 then
    fill(buf, lines, view.colours or {})
    vim.api.nvim_set_current_win(window)
    return
  end
  buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, name)
  fill(buf, lines, view.colours or {})
  open(buf, view.title, lines)
  dress(buf)
end

---@param text string shown as a new file that is not saved yet
---@param filetype string
function M.scratch(text, filetype)
  vim.cmd.new()
  vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text:gsub('\n$', ''), '\r?\n'))
  vim.bo.filetype = filetype
end

return M
