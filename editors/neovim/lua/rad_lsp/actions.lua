---What a user can do, by command, code lens or Lua. Each function takes the params of the request
---that it makes; what is missing is asked for through `vim.ui`.
local M = {}

local server = require('rad_lsp.server')
local view = require('rad_lsp.view')

---@class rad_lsp.Asked
---@field workspaceUri? string
---@field allProjects? boolean sessions of all projects count, not only those of the workspace
---@field sessionId? string
---@field sessionA? string
---@field sessionB? string
---@field format? 'json'|'ndjson'|'csv'|'markdown'
---@field output? string
---@field overwrite? boolean

local EXTENSIONS = { json = 'json', ndjson = 'ndjson', csv = 'csv', md = 'markdown' }

---Find the session that is asked for, else that of the report or transcript in front, else the
---most recent one.
---@param asked rad_lsp.Asked
---@param client_id? integer
---@param on_found fun(found: rad_lsp.SessionStats, in_front: boolean)
local function with_session(asked, client_id, on_found)
  local function ask()
    server.request('stats/session', asked, client_id, function(found)
      on_found(found, false)
    end)
  end
  local file = vim.api.nvim_buf_get_name(0)
  if asked.sessionId or not server.root_for(file) then
    ask()
    return
  end
  server.request('stats/session', { uri = vim.uri_from_fname(file) }, client_id, function(found)
    on_found(found, true)
  end, function(err)
    -- The file in front is not what was asked for by name: commands work nevertheless.
    vim.notify('rad-lsp: ' .. err.message, vim.log.levels.WARN)
    ask()
    return true
  end)
end

---@param asked? rad_lsp.Asked without a `sessionId`: that in front, else the most recent session
---@param client_id? integer
function M.session(asked, client_id)
  with_session(asked or {}, client_id, function(found)
    local name = 'session/' .. found.sessionId
    view.show({ name = name, title = found.label, text = found.text })
  end)
end

---@param method string
---@param title string
---@return fun(asked?: rad_lsp.Asked, client_id?: integer) action that shows the answer's text
local function page(method, title)
  return function(asked, client_id)
    asked = asked or {}
    server.request(method, asked, client_id, function(found, client)
      if found.sessions == 0 or (method == 'stats/tools' and #found.rows == 0) then
        server.tell_empty(client)
        return
      end
      local of = asked.sessionId or (asked.allProjects and 'everywhere') or 'all'
      local name = ('%s/%s'):format(method:match('[^/]+$'), of)
      view.show({ name = name, title = title, text = found.text })
    end)
  end
end

M.today = page('stats/overview', 'Today')
M.tools = page('stats/tools', 'Tools')
M.limits = page('stats/limits', 'Plan limits')
M.model = page('stats/model', 'Models')
---What all sessions cost, or the one with the `sessionId`.
M.cost_of = page('stats/cost', 'Cost')

---@param asked? rad_lsp.Asked without a `sessionId`: that in front, else the most recent session
---@param client_id? integer
function M.cost(asked, client_id)
  with_session(asked or {}, client_id, function(found, in_front)
    -- A transcript that was opened may be one of any project.
    local params = { sessionId = found.sessionId, allProjects = in_front or nil }
    params.workspaceUri = asked and asked.workspaceUri
    server.request('stats/cost', params, client_id, function(cost)
      local name = 'cost/' .. found.sessionId
      view.show({ name = name, title = 'Cost · ' .. found.label, text = cost.text })
    end)
  end)
end

---@param asked? rad_lsp.Asked
---@param client_id? integer
function M.budget(asked, client_id)
  server.request('stats/budget', asked or {}, client_id, function(found)
    local none = 'No budget is set. :help rad_lsp-budget says how to set one.'
    local text = #found.rows > 0 and found.text or none
    view.show({ name = 'budget', title = 'Budgets', text = text })
  end)
end

---Write a page where only the user can read it; the next one of the workspace replaces it.
---@param html string
---@param of string what it is about
---@return string? file
---@return string? problem
local function kept(html, of)
  local folder = vim.fn.stdpath('cache') .. '/rad_lsp'
  local file = ('%s/report-%s.html'):format(folder, vim.fn.sha256(of):sub(1, 12))
  pcall(vim.fn.mkdir, folder, 'p', tonumber('700', 8))
  local handle, problem = vim.uv.fs_open(file, 'w', tonumber('600', 8))
  local written = handle and vim.uv.fs_write(handle, html)
  if handle then
    vim.uv.fs_close(handle)
  end
  if written == #html then
    return file
  end
  return nil, problem or 'it was not written completely'
end

---Open a file in the browser; tell where it is, and when no browser is there for it.
---@param file string
local function browse(file)
  vim.notify('rad-lsp: The report is ' .. vim.fn.fnamemodify(file, ':~'), vim.log.levels.INFO)
  local function failed(why)
    server.tell(('No browser could be opened (%s): open %s yourself'):format(why, file))
  end
  local opener, problem = vim.ui.open(file)
  if not opener then
    if problem then
      failed(problem:gsub('^vim%.ui%.open: ', ''))
    end
    return
  end
  -- One that finds no browser ends soon. That of Windows ends with 1 in any case.
  local function look(left)
    if not opener:is_closing() then
      if left > 0 then
        vim.defer_fn(function()
          look(left - 1)
        end, 100)
      end
      return
    end
    local code = opener:wait().code
    if code ~= 0 and not opener.cmd[1]:find('explorer.exe', 1, true) then
      failed(('%s ended with %d'):format(vim.fs.basename(opener.cmd[1]), code))
    end
  end
  look(50)
end

---A page of charts, in the browser.
---@param asked? rad_lsp.Asked
---@param client_id? integer
function M.report(asked, client_id)
  asked = asked or {}
  server.request('stats/report', asked, client_id, function(found, client)
    local of = asked.allProjects and 'everywhere' or client.root_dir or ''
    local file, problem = kept(found.html, of)
    if file then
      browse(file)
    else
      server.tell("The report can't be written: " .. problem)
    end
  end)
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
    local params = { limit = limit, offset = offset, titles = true }
    params.workspaceUri, params.allProjects = asked.workspaceUri, asked.allProjects
    server.request('stats/history', params, client_id, function(found, client)
      vim.list_extend(
        sessions,
        vim.tbl_filter(function(session)
          return session.sessionId ~= without
        end, found.sessions)
      )
      local read = offset + #found.sessions
      local items = vim.list_slice(sessions)
      if #found.sessions > 0 and read < found.total then
        table.insert(items, { older = found.total - read })
      end
      if found.total == 0 then
        server.tell_empty(client)
        return
      elseif #items == 0 then
        vim.notify('rad-lsp: There is no other session to compare with yet', vim.log.levels.INFO)
        return
      end
      local width = 0
      for _, session in ipairs(sessions) do
        width = math.max(width, vim.fn.strdisplaywidth(session.label))
      end
      vim.ui.select(items, {
        prompt = prompt,
        kind = 'rad_session',
        format_item = function(item)
          if item.older then
            return ('%d older…'):format(item.older)
          end
          local space = (' '):rep(width - vim.fn.strdisplaywidth(item.label))
          return ('%s%s  %s'):format(item.label, space, item.brief)
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
    M.session(vim.tbl_extend('force', asked, { sessionId = session.sessionId }), client_id)
  end)
end

local VERDICTS = { improved = 'RadImproved', regressed = 'RadRegressed' }

---Session B against session A, or against the session before it.
---@param asked rad_lsp.Asked
---@param client_id? integer
local function compared(asked, client_id)
  server.request('stats/compare', asked, client_id, function(found)
    local a, b = found.sessionA.sessionId, found.sessionB.sessionId
    local colours = {}
    for _, metric in ipairs(found.metrics) do
      colours[metric.label:lower()] = VERDICTS[metric.verdict]
    end
    -- The only figure that goes by another name there.
    colours['token usage'] = colours['total tokens']
    view.show({
      name = ('compare/%s..%s'):format(a, b),
      title = ('%s → %s'):format(found.sessionA.label, found.sessionB.label),
      text = found.text,
      colours = colours,
    })
  end)
end

---A session against the one before it.
---@param asked? rad_lsp.Asked without a `sessionB`: that in front, else the most recent session
---@param client_id? integer
function M.compare_previous(asked, client_id)
  asked = asked or {}
  if asked.sessionB then
    compared(asked, client_id)
    return
  end
  with_session({ workspaceUri = asked.workspaceUri }, client_id, function(found)
    compared(vim.tbl_extend('force', asked, { sessionB = found.sessionId }), client_id)
  end)
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
    choose('Compare with which session?', asked, client_id, function(session)
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
    vim.notify(('rad-lsp: Exported %s to %s'):format(number, file))
  end, function(err, kind)
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
