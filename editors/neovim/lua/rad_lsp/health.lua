local M = {}

local health = vim.health
local server = require('rad_lsp.server')

---What the server must answer for all of `:Rad`.
local METHODS = {
  'stats/budget',
  'stats/compare',
  'stats/cost',
  'stats/export',
  'stats/history',
  'stats/limits',
  'stats/model',
  'stats/overview',
  'stats/report',
  'stats/session',
  'stats/tools',
}

local PATIENCE_MS = 2000

---@param program string
---@return string? version
local function version_of(program)
  local ok, done = pcall(function()
    return vim.system({ program, '--version' }, { text = true }):wait(10000)
  end)
  return ok and done.code == 0 and vim.trim(done.stdout) or nil
end

local function check_editor()
  health.start('rad_lsp: Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    health.error('Neovim 0.11 or newer is needed')
    return
  end
  health.ok('Neovim ' .. tostring(vim.version()))
  if server.enabled() then
    health.ok("vim.lsp.enable('rad_lsp') was called")
  else
    health.warn('The server does not start by itself', "Call vim.lsp.enable('rad_lsp')")
  end
  local mistake = require('rad_lsp.options').mistake()
  if mistake then
    health.error('A mistake in the options: ' .. mistake, 'See :help rad_lsp-options')
  else
    health.ok('The options are sound')
  end
end

local function check_program()
  health.start('rad_lsp: server')
  local cmd = (vim.lsp.config[server.NAME] or {}).cmd
  if type(cmd) ~= 'table' then
    health.info('The server is reached by a function')
    return
  end
  local located, problem, state = server.located(cmd, server.root_of() or vim.fn.getcwd())
  if not located then
    local advice = state == 'broken' and { 'Install the server anew' }
      or { 'Install the server, in a clone of its repository: pipx install . or uv tool install .' }
    local place = "Or say where it is: vim.lsp.config('rad_lsp', { cmd = { '/path/to/rad-lsp' } })"
    health.error(problem, vim.list_extend(advice, { place }))
    return
  end
  health.ok(('`%s` is %s'):format(cmd[1], vim.fn.exepath(located[1])))
  -- With other arguments it may be any program, of which `--version` could ask anything.
  if #cmd == 1 then
    local version = version_of(located[1])
    if version then
      health.ok(version)
    else
      health.error(('`%s --version` fails'):format(cmd[1]), 'Install the server anew')
    end
  end
end

---@param found rad_lsp.Server
local function check_server(found)
  health.start('rad_lsp: workspace ' .. found.root)
  local client = found.client_id and vim.lsp.get_client_by_id(found.client_id)
  if found.state ~= 'ready' or not client then
    local advice = { 'See :Rad log', 'Then :Rad restart' }
    local report = found.state == 'starting' and health.info or health.error
    report(found.problem or 'The server is in the state: ' .. found.state, advice)
    return
  end
  local info = client.server_info or {}
  health.ok(('%s %s runs'):format(info.name or 'The server', info.version or ''))
  local ours = vim.tbl_get(client.server_capabilities, 'experimental', 'radStats', 'version')
  if type(ours) == 'number' and ours >= server.VERSION then
    health.ok(('Its protocol is version %d, and %d is needed'):format(ours, server.VERSION))
  else
    local has = ('Its protocol is version %s'):format(ours or 'unknown')
    health.warn(('%s, and %d is needed'):format(has, server.VERSION), 'Update rad-lsp')
  end
  local methods = vim.tbl_get(client.server_capabilities, 'experimental', 'radStats', 'methods')
  for _, method in ipairs(METHODS) do
    if not vim.list_contains(methods or {}, method) then
      health.warn(('The server does not know %s'):format(method), 'Update rad-lsp')
    end
  end
  health.info('Status: ' .. found.status.text)
  -- Of the tooltip, what is wrong; the rest is figures.
  for warning in found.status.tooltip:gmatch('⚠%s*([^\n]+)') do
    health.warn((warning:gsub('\\(%p)', '%1')))
  end
  local answer = client:request_sync('stats/history', { limit = 1 }, PATIENCE_MS)
  for _, skipped in ipairs(answer and answer.result and answer.result.skipped or {}) do
    health.warn(('%s: %s'):format(vim.uri_to_fname(skipped.uri), skipped.reason))
  end
end

local function check_others()
  health.start('rad_lsp: agents')
  local agents = server.agents()
  if #agents == 0 then
    health.info('No agent but Radium has kept sessions on this machine')
  end
  for _, folder in ipairs(agents) do
    health.ok(folder)
  end
  health.start('rad_lsp: browser, for :Rad report')
  local openers = { 'xdg-open', 'wslview', 'explorer.exe', 'lemonade' }
  if vim.fn.has('mac') == 1 or vim.fn.has('win32') == 1 then
    openers = { 'open', 'rundll32' }
  end
  for _, opener in ipairs(openers) do
    if vim.fn.executable(opener) == 1 then
      health.ok(('`%s` opens files'):format(opener))
      return
    end
  end
  local tried = table.concat(openers, ', ')
  health.warn('No program opens files: none of ' .. tried, 'The report is written nevertheless')
end

function M.check()
  check_editor()
  check_program()
  local all = server.all()
  if #all == 0 then
    health.start('rad_lsp: workspace')
    local root = server.root_of()
    if root then
      health.warn('No server runs for ' .. root, 'It starts by itself, or by :Rad restart')
    else
      health.info('No workspace: ' .. server.NO_WORKSPACE)
    end
  end
  for _, found in ipairs(all) do
    check_server(found)
  end
  check_others()
  health.start('rad_lsp: log')
  health.info((vim.lsp.log or require('vim.lsp.log')).get_filename())
end

return M
