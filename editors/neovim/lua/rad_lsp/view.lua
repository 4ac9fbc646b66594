---Shows Markdown, read only, where the user wants it.
local M = {}

---@class rad_lsp.View
---@field name string what is shown, such as `session/ID`: the same name reuses its window
---@field title string
---@field markdown string

---@param id string
---@return string as it fits into a title
function M.short_id(id)
  return #id > 12 and id:sub(1, 8) or id
end

---@param line string a row of a Markdown table
---@return string[]
local function cells_of(line)
  local cells, cell = {}, ''
  local inner = line:gsub('^|', ''):gsub('|%s*$', '')
  local at = 1
  while at <= #inner do
    local char = inner:sub(at, at)
    if char == '\\' then
      cell, at = cell .. inner:sub(at, at + 1), at + 1
    elseif char == '|' then
      table.insert(cells, vim.trim(cell))
      cell = ''
    else
      cell = cell .. char
    end
    at = at + 1
  end
  table.insert(cells, vim.trim(cell))
  return cells
end

---@param text string
---@return string as it reads where Markdown's escapes are not hidden
local function unescaped(text)
  return (text:gsub('\\(%p)', '%1'))
end

---@param rows string[][] the second one is the rule
---@return string[]
local function aligned(rows)
  local widths = {}
  for number, row in ipairs(rows) do
    for column, cell in ipairs(row) do
      local width = number == 2 and 3 or vim.fn.strdisplaywidth(cell)
      widths[column] = math.max(widths[column] or 3, width)
    end
  end
  return vim
    .iter(ipairs(rows))
    :map(function(number, row)
      local padded = {}
      for column, width in ipairs(widths) do
        local cell = row[column] or ''
        local right = (rows[2][column] or ''):match(':$') ~= nil
        if number == 2 then
          padded[column] = ('-'):rep(width - (right and 1 or 0)) .. (right and ':' or '')
        else
          local space = (' '):rep(width - vim.fn.strdisplaywidth(cell))
          padded[column] = right and space .. cell or cell .. space
        end
      end
      return '| ' .. table.concat(padded, ' | ') .. ' |'
    end)
    :totable()
end

---Lines of Markdown that read well as plain text: columns of tables stand below each other.
---@param markdown string
---@return string[]
function M.lines(markdown)
  local lines, rows = {}, {}
  local function flush()
    vim.list_extend(lines, #rows >= 2 and aligned(rows) or {})
    rows = {}
  end
  for _, line in ipairs(vim.split(vim.trim(markdown), '\r?\n')) do
    if line:sub(1, 1) == '|' then
      table.insert(rows, vim.tbl_map(unescaped, cells_of(line)))
    else
      flush()
      table.insert(lines, unescaped(line))
    end
  end
  flush()
  return lines
end

---@param buf integer
---@param lines string[]
local function fill(buf, lines)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
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
  vim.bo[buf].filetype = 'markdown'
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buf, desc = 'Close', nowait = true })
  vim.api.nvim_buf_call(buf, function()
    -- `containedin` lets them shine through what Markdown makes of the text around them.
    vim.cmd([[
      syntax match RadWarning /⚠.*/ containedin=ALL
      syntax match RadImproved /✓ improved/ containedin=ALL
      syntax match RadRegressed /✗ regressed/ containedin=ALL
    ]])
  end)
end

---@param view rad_lsp.View
function M.show(view)
  local lines = M.lines(view.markdown)
  local name = 'rad://' .. view.name
  local buf = vim.fn.bufnr('^' .. vim.fn.escape(name, '*?[]{}\\,~') .. '$')
  local window = buf > 0 and vim.fn.bufwinid(buf) or -1
  if window > 0 then
    fill(buf, lines)
    vim.api.nvim_set_current_win(window)
    return
  end
  buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, name)
  fill(buf, lines)
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
