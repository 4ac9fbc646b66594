---What a user can do, by command, code lens or Lua. Each function takes the params of the request
---that it makes; what is missing is asked for through `vim.ui`.
local M = {}

local server = require('rad_lsp.server')
local view = require('rad_lsp.view')

---@class rad_lsp.Asked
---@field workspaceUri? string
---@field sessionId? string
---@field sessionA? string
---@field sessionB? string
---@field format? 'json'|'ndjson'|'csv'|'markdown'
---@field output? string
---@field overwrite? boolean

local EXTENSIONS = { json = 'json', ndjson = 'ndjson', csv = 'csv', md = 'markdown' }

---@param asked? rad_lsp.Asked without a `sessionId`: the most recent session
---@param client_id? integer
function M.session(asked, client_id)
  server.request('stats/session', asked or {}, client_id, function(found)
    view.show({
      name = 'session/' .. found.sessionId,
      title = 'Session ' .. view.short_id(found.sessionId),
      markdown = found.markdown,
    })
  end)
end

---@param asked? rad_lsp.Asked without a `sessionId`: all sessions
---@param client_id? integer
function M.model(asked, client_id)
  server.request('stats/model', asked or {}, client_id, function(found)
    local of = asked and asked.sessionId or 'all'
    view.show({ name = 'model/' .. of, title = 'Models', markdown = found.markdown })
  end)
end

---@param found rad_lsp.SessionSummary
---@return string
local function line_of(found)
  return ('%-12s  %s  %s'):format(
    view.short_id(found.sessionId),
    found.lastActivityText,
    found.brief
  )
end

---Let the user choose a session, newest first, page by page.
---@param prompt string
---@param asked rad_lsp.Asked
---@param client_id? integer
---@param on_choice fun(session: rad_lsp.SessionSummary)
---@param without? string a session that can't be chosen
local function choose(prompt, asked, client_id, on_choice, without)
  local limit = require('rad_lsp.options').get().page
  ---@type rad_lsp.SessionSummary[]
  local sessions = {}
  local function more(offset)
    local params = { workspaceUri = asked.workspaceUri, limit = limit, offset = offset }
    server.request('stats/history', params, client_id, function(page)
      vim.list_extend(
        sessions,
        vim.tbl_filter(function(session)
          return session.sessionId ~= without
        end, page.sessions)
      )
      local read = offset + #page.sessions
      local items = vim.list_slice(sessions)
      if #page.sessions > 0 and read < page.total then
        table.insert(items, { older = page.total - read })
      end
      if #items == 0 then
        vim.notify('rad: No sessions to choose from', vim.log.levels.INFO)
        return
      end
      vim.ui.select(items, {
        prompt = prompt,
        kind = 'rad_session',
        format_item = function(item)
          return item.older and ('%d older…'):format(item.older) or line_of(item)
        end,
      }, function(item)
        if item and item.older then
          more(read)
        elseif item then
          on_choice(item)
        end
      end)
    end)
  end
  more(0)
end

---@param asked? rad_lsp.Asked
---@param client_id? integer
function M.history(asked, client_id)
  asked = asked or {}
  choose('Sessions', asked, client_id, function(session)
    M.session({ workspaceUri = asked.workspaceUri, sessionId = session.sessionId }, client_id)
  end)
end

---Session B against session A, or against the session before it.
---@param asked rad_lsp.Asked
---@param client_id? integer
local function compared(asked, client_id)
  server.request('stats/compare', asked, client_id, function(found)
    local a, b = found.sessionA.sessionId, found.sessionB.sessionId
    view.show({
      name = ('compare/%s..%s'):format(a, b),
      title = ('Compare %s..%s'):format(view.short_id(a), view.short_id(b)),
      markdown = found.markdown,
    })
  end)
end

---A session against the one before it.
---@param asked? rad_lsp.Asked without a `sessionB`: the most recent session
---@param client_id? integer
function M.compare_previous(asked, client_id)
  compared(vim.tbl_extend('keep', asked or {}, { sessionB = 'latest' }), client_id)
end

---Session B against session A; those not named are asked for.
---@param asked? rad_lsp.Asked
---@param client_id? integer
function M.compare(asked, client_id)
  asked = asked or {}
  if not asked.sessionB then
    choose('Compare which session?', asked, client_id, function(session)
      M.compare(vim.tbl_extend('force', asked, { sessionB = session.sessionId }), client_id)
    end)
    return
  end
  if not asked.sessionA then
    local prompt = ('Compare %s with'):format(view.short_id(asked.sessionB))
    choose(prompt, asked, client_id, function(session)
      M.compare(vim.tbl_extend('force', asked, { sessionA = session.sessionId }), client_id)
    end, asked.sessionB)
    return
  end
  compared(asked, client_id)
end

---@param asked rad_lsp.Asked
---@param client_id? integer
local function exported(asked, client_id)
  server.request('stats/export', asked, client_id, function(found)
    if found.content then
      view.scratch(found.content, found.format == 'ndjson' and 'json' or found.format)
      return
    end
    local file = vim.fn.fnamemodify(vim.uri_to_fname(found.uri), ':~:.')
    local number = found.sessions == 1 and '1 session' or found.sessions .. ' sessions'
    vim.notify(('rad: Exported %s to %s'):format(number, file))
  end, function(err)
    local kind = type(err.data) == 'table' and err.data.kind
    if kind ~= 'OutputExists' then
      return false
    end
    vim.ui.select({ 'Overwrite it', 'Cancel' }, { prompt = err.message }, function(_, index)
      if index == 1 then
        exported(vim.tbl_extend('force', asked, { overwrite = true }), client_id)
      end
    end)
    return true
  end)
end

---Without an `output` the user is asked for a format and a file; no file opens a buffer.
---@param asked? rad_lsp.Asked without a `sessionId`: all sessions
---@param client_id? integer
function M.export(asked, client_id)
  asked = asked or {}
  if asked.output then
    -- A path is the user's, from where the editor is, not from where the server is.
    asked.output = vim.fn.fnamemodify(vim.fn.expand(asked.output), ':p')
    asked.format = asked.format
      or EXTENSIONS[vim.fn.fnamemodify(asked.output, ':e'):lower()]
      or 'json'
    exported(asked, client_id)
    return
  end
  local formats = { 'json', 'ndjson', 'csv', 'markdown' }
  vim.ui.select(formats, { prompt = 'Export as', kind = 'rad_format' }, function(chosen)
    if not chosen then
      return
    end
    local ask = { prompt = 'File (none: a new buffer): ', completion = 'file' }
    vim.ui.input(ask, function(file)
      if file then
        local params = vim.tbl_extend('force', asked, { format = chosen })
        params.output = file ~= '' and vim.fn.fnamemodify(vim.fn.expand(file), ':p') or nil
        exported(params, client_id)
      end
    end)
  end)
end

return M
