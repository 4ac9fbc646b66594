---`:Rad {subcommand}`, and its completion.
local M = {}

---How long completion may keep the user waiting for ids.
local PATIENCE_MS = 500

---@class rad_lsp.Subcommand
---@field run fun(args: string[], bang: boolean)
---@field most integer of arguments
---@field ids? integer how many of them, from the first, are sessions
---@field words? string[] what may stand for the first of them besides
---@field files? integer which of them is a file

local function actions()
  return require('rad_lsp.actions')
end

---@param name string
---@return fun() run
local function action(name)
  return function()
    actions()[name]()
  end
end

---@param word? string a session's id; `everywhere`: all sessions of all projects; or what may stand
---for all sessions of the workspace
---@return rad_lsp.Asked
local function of(word)
  if word == 'everywhere' then
    return { allProjects = true }
  end
  return { sessionId = word ~= 'all' and word or nil }
end

---@type table<string, rad_lsp.Subcommand>
local subcommands = {
  today = { most = 0, run = action('today') },
  session = {
    most = 1,
    ids = 1,
    run = function(args)
      actions().session({ sessionId = args[1] })
    end,
  },
  history = {
    most = 1,
    words = { 'everywhere' },
    run = function(args)
      actions().history(of(args[1]))
    end,
  },
  cost = {
    most = 1,
    ids = 1,
    words = { 'all', 'everywhere' },
    run = function(args)
      local all = args[1] == 'all' or args[1] == 'everywhere'
      actions()[all and 'cost_of' or 'cost'](of(args[1]))
    end,
  },
  tools = {
    most = 1,
    ids = 1,
    words = { 'everywhere' },
    run = function(args)
      actions().tools(of(args[1]))
    end,
  },
  limits = { most = 0, run = action('limits') },
  budget = { most = 0, run = action('budget') },
  report = {
    most = 1,
    words = { 'everywhere' },
    run = function(args)
      actions().report(of(args[1]))
    end,
  },
  notice = {
    most = 0,
    run = function()
      require('rad_lsp.notices').answer()
    end,
  },
  compare = {
    most = 2,
    ids = 2,
    words = { 'previous' },
    run = function(args)
      if args[1] == 'previous' then
        actions().compare_previous({ sessionB = args[2] })
        return
      end
      actions().compare({ sessionA = args[2] and args[1], sessionB = args[2] or args[1] })
    end,
  },
  export = {
    most = 2,
    ids = 1,
    words = { 'all' },
    files = 2,
    run = function(args, bang)
      actions().export({
        sessionId = args[1] ~= 'all' and args[1] or nil,
        output = args[2],
        overwrite = bang or nil,
      })
    end,
  },
  model = {
    most = 1,
    ids = 1,
    words = { 'everywhere' },
    run = function(args)
      actions().model(of(args[1]))
    end,
  },
  restart = {
    most = 0,
    run = function()
      local server = require('rad_lsp.server')
      local found = server.find()
      if found then
        server.restart(found)
        return
      end
      local _, problem = server.client()
      if problem then
        server.tell(problem)
      end
    end,
  },
  log = {
    most = 0,
    run = function()
      local log = vim.lsp.log or require('vim.lsp.log')
      vim.cmd.split({ args = { vim.fn.fnameescape(log.get_filename()) }, magic = { file = false } })
      vim.bo.readonly = true
      vim.cmd('silent! normal! G')
    end,
  },
}

---@param command vim.api.keyset.create_user_command.command_args
function M.run(command)
  local args = vim.list_slice(command.fargs)
  local name = table.remove(args, 1)
  local subcommand = subcommands[name]
  local tell = require('rad_lsp.server').tell
  if not subcommand then
    tell(('"%s" is no subcommand: see :help :Rad'):format(name))
  elseif #args > subcommand.most then
    local number = subcommand.most == 0 and 'no argument'
      or subcommand.most == 1 and 'one argument at most'
      or 'two arguments at most'
    tell((':Rad %s takes %s'):format(name, number))
  else
    subcommand.run(args, command.bang)
  end
end

---@return string[]
local function session_ids()
  local client = require('rad_lsp.server').client()
  local answer = client and client:request_sync('stats/history', { limit = 100 }, PATIENCE_MS)
  local ids = {}
  for _, session in ipairs(answer and answer.result and answer.result.sessions or {}) do
    table.insert(ids, session.sessionId)
  end
  return vim.list_extend(ids, { 'latest', 'latest~1' })
end

---@param lead string what is being typed
---@param line string
---@param position integer of the cursor in the line
---@return string[]
function M.complete(lead, line, position)
  local typed = vim.split(vim.trim(line:sub(1, position - #lead)), '%s+')
  -- A range, a modifier or a `!` may stand before or at the command: it ends where args begin.
  while #typed > 0 and not typed[1]:match('Rad!?$') do
    table.remove(typed, 1)
  end
  table.remove(typed, 1)
  local found
  local subcommand = subcommands[typed[1]]
  if #typed == 0 then
    found = vim.tbl_keys(subcommands)
    table.sort(found)
  elseif not subcommand or #typed > subcommand.most then
    found = {}
  elseif subcommand.files == #typed then
    return vim.fn.getcompletion(lead, 'file')
  else
    found = #typed <= (subcommand.ids or 0) and session_ids() or {}
    vim.list_extend(found, #typed == 1 and subcommand.words or {})
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, found)
end

return M
