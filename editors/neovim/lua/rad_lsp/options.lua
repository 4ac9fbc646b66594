local M = {}

---@alias rad_lsp.Place 'float'|'split'|'vsplit'|'tab'|fun(buf: integer, title: string)

---What a user may set, in `vim.g.rad_lsp` or by `setup`.
---@class rad_lsp.UserOptions
---@field view? rad_lsp.Place where results are shown
---@field border? string|string[] of the floating window; Neovim's 'winborder' without it
---@field code_lens? boolean show the lenses of reports
---@field inlay_hints? boolean show the hints of reports
---@field page? integer sessions that are listed at a time, 1 to 100

---@class rad_lsp.Options: rad_lsp.UserOptions
---@field view rad_lsp.Place
---@field code_lens boolean
---@field inlay_hints boolean
---@field page integer
local defaults = {
  view = 'float',
  border = nil,
  code_lens = true,
  inlay_hints = true,
  page = 50,
}

---@type rad_lsp.UserOptions
local chosen = {}

local places = { float = true, split = true, vsplit = true, tab = true }

---@param options rad_lsp.UserOptions
---@return string? mistake
local function mistake_in(options)
  local known = vim.tbl_extend('error', { border = true }, defaults)
  for key in pairs(options) do
    if known[key] == nil then
      return ('%s: is no option; known are border, code_lens, inlay_hints, page, view'):format(key)
    end
  end
  local ok, mistake = pcall(function()
    vim.validate('view', options.view, function(value)
      return type(value) == 'function' or places[value] == true
    end, 'float, split, vsplit, tab or a function')
    vim.validate('border', options.border, { 'string', 'table' }, true)
    vim.validate('code_lens', options.code_lens, 'boolean')
    vim.validate('inlay_hints', options.inlay_hints, 'boolean')
    vim.validate('page', options.page, function(value)
      return type(value) == 'number' and value >= 1 and value <= 100 and value % 1 == 0
    end, 'a whole number from 1 to 100')
  end)
  -- Where in this file it was noticed is of no use to a user.
  return not ok and tostring(mistake):gsub('^.-:%d+: ', '') or nil
end

---@return rad_lsp.Options options
---@return string? mistake why they are the defaults
local function resolved()
  local global = vim.g.rad_lsp
  if type(global) == 'function' then
    global = global()
  end
  local wanted = vim.tbl_extend('force', defaults, type(global) == 'table' and global or {}, chosen)
  local mistake = mistake_in(wanted)
  return mistake and vim.deepcopy(defaults) or wanted, mistake
end

---@param options? rad_lsp.UserOptions
function M.set(options)
  chosen = options or {}
  local mistake = M.mistake()
  if mistake then
    vim.notify('rad_lsp: ' .. mistake, vim.log.levels.ERROR)
  end
end

---The options in force; the defaults while there is a mistake in them.
---@return rad_lsp.Options
function M.get()
  return (resolved())
end

---@return string?
function M.mistake()
  return (select(2, resolved()))
end

return M
