---Session analytics for coding agents, from the language server rad-lsp. See |rad_lsp|.
local M = {}

local words = {
  starting = '…',
  restarting = 'rad-lsp restarting',
  failed = 'rad-lsp stopped',
  missing = 'rad-lsp not found',
  broken = 'rad-lsp broken',
}

---Options are optional: |rad_lsp-options|.
---@param options? rad_lsp.UserOptions
function M.setup(options)
  require('rad_lsp.options').set(options)
end

---What the server said last of the workspace of a buffer; nil before it has said anything.
---@param bufnr? integer the current one without it
---@return rad_lsp.Status?
function M.get(bufnr)
  local server = require('rad_lsp.server').find(bufnr)
  return server and server.status
end

---How the status line should look now.
---@param bufnr? integer
---@return 'RadStatus'|'RadStatusWarning'|'RadStatusError' group
function M.highlight(bufnr)
  local server = require('rad_lsp.server').find(bufnr)
  if not server or server.state == 'starting' then
    return 'RadStatus'
  elseif server.state ~= 'ready' then
    return 'RadStatusError'
  end
  return server.status.severity == 'warning' and 'RadStatusWarning' or 'RadStatus'
end

---The text for a status line, as 'statusline' wants it; empty where there is no workspace, and
---where the setting `radLsp.statusBar.visibility` hides it.
---@param options? {highlight?: boolean, bufnr?: integer} `highlight` colours warnings
---@return string
function M.status(options)
  options = options or {}
  local servers = require('rad_lsp.server')
  local server = servers.find(options.bufnr)
  if not server or not servers.wanted(server) then
    return ''
  end
  local text = server.status and server.status.text or words[server.state] or ''
  text = text:gsub('[%c]', ' '):gsub('%%', '%%%%')
  if not options.highlight or text == '' then
    return text
  end
  local group = M.highlight(options.bufnr)
  return group == 'RadStatus' and text or ('%%#%s#%s%%*'):format(group, text)
end

---The same with its highlight, for 'statusline': `%{%v:lua.require'rad_lsp'.statusline()%}`.
---@return string
function M.statusline()
  return M.status({ highlight = true })
end

return M
