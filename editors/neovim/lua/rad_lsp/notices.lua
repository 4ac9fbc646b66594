---Notices of the server that offer something to do. Neovim would ask at once, whatever is being
---typed; here a message tells of them, and `:Rad notice` asks.
local M = {}

---@class rad_lsp.Notice
---@field client_id integer
---@field message string
---@field actions lsp.MessageActionItem[]
---@field answer fun(action?: lsp.MessageActionItem)

---@type rad_lsp.Notice[]
local waiting = {}

---Handles `window/showMessageRequest`: the answer is given when the user gives one.
---@param params lsp.ShowMessageRequestParams
---@param client_id integer
function M.on_request(params, client_id)
  local thread, is_main = coroutine.running()
  if not thread or is_main then
    vim.notify('rad-lsp: ' .. params.message, vim.log.levels.WARN)
    return vim.NIL
  end
  table.insert(waiting, {
    client_id = client_id,
    message = params.message,
    actions = params.actions or {},
    answer = function(action)
      coroutine.resume(thread, action or vim.NIL)
    end,
  })
  local is_grave = params.type <= vim.lsp.protocol.MessageType.Warning
  local level = vim.log.levels[is_grave and 'WARN' or 'INFO']
  require('rad_lsp.server').notify(params.message, level, ' (:Rad notice)')
  return coroutine.yield()
end

---Let the user answer the notices that wait, the oldest first.
function M.answer()
  local notice = table.remove(waiting, 1)
  -- Those of a server that has ended need no answer.
  while notice and not vim.lsp.get_client_by_id(notice.client_id) do
    notice = table.remove(waiting, 1)
  end
  if not notice then
    vim.notify('rad-lsp: There is no notice', vim.log.levels.INFO)
    return
  end
  vim.ui.select(notice.actions, {
    prompt = notice.message,
    kind = 'rad_notice',
    format_item = function(action)
      return action.title
    end,
  }, function(action)
    -- Not within the built-in choice, which has the screen until it returns.
    vim.schedule(function()
      notice.answer(action)
      if #waiting > 0 then
        M.answer()
      end
    end)
  end)
end

---Handles `stats/show`: what the user has asked for in answer to a notice.
---@param notice {what: 'budget'|'limits', workspaceUri: string}
---@param client_id integer
function M.show(notice, client_id)
  local action = require('rad_lsp.actions')[notice.what]
  if action then
    action({ workspaceUri = notice.workspaceUri }, client_id)
  end
end

return M
