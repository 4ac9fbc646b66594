---Servers: one for each workspace, started by any buffer of it, and again when it dies.
local M = {}

M.NAME = 'rad_lsp'
M.VERSION = 1
M.NO_WORKSPACE = 'no .radium folder here or above, and no agent has sessions on this machine'

local MARKER = '.radium'
local REPOSITORY = '.git'
local REPORT = '^(.*)/%.radium/_internals/sessions/[^/]+%.json$'

---A server that ran for so long was sound: what killed it was not its start.
local SOUND_MS = 60 * 1000
local FIRST_DELAY_MS = 250
local MAX_RESTARTS = 5
---A server that has not ended by then when asked to is ended.
local STOP_MS = 3000

---@alias rad_lsp.State
---| 'starting' it has not told its status yet
---| 'ready'
---| 'restarting' it died and will be started again
---| 'failed' it died too often
---| 'missing' its program is not there
---| 'broken' its program is there and can't run
---| 'stopped' it was stopped on purpose

---@class rad_lsp.Server
---@field root string the workspace
---@field state rad_lsp.State
---@field client_id? integer
---@field status? rad_lsp.Status what it said last
---@field restarts integer in a row
---@field started integer in milliseconds, of a clock that only runs forward
---@field again? boolean it is being stopped to be started again
---@field problem? string why its program is not started
---@field told? boolean the user has read why it ends, and not seen it ready since

---@type table<string, rad_lsp.Server>
local servers = {}

---@param file string
---@return string? root of the workspace whose report this is
function M.root_of_report(file)
  return vim.fs.normalize(file):match(REPORT)
end

---@param place rad_lsp.Place
---@return string[] folders that the environment names
local function named(place)
  local value = place.variable and vim.env[place.variable] or ''
  local found = {}
  for _, name in ipairs(place.several and vim.split(value, ',') or { value }) do
    name = vim.trim(name)
    if name ~= '' then
      table.insert(found, vim.fs.joinpath(vim.fs.normalize(name), place.folder))
    end
  end
  return found
end

---@return string[] folders in which other agents have kept sessions on this machine
function M.agents()
  local found = {}
  for _, place in ipairs(require('rad_lsp.agents')) do
    local folders = named(place)
    if place.home then
      local home = vim.fs.normalize(vim.uv.os_homedir() or '')
      table.insert(folders, vim.fs.joinpath(home, place.home, place.folder))
    end
    for _, folder in ipairs(folders) do
      if vim.uv.fs_stat(folder) and not vim.list_contains(found, folder) then
        table.insert(found, folder)
      end
    end
  end
  return found
end

---@param path string
---@return boolean
local function is_transcript(path)
  if not vim.endswith(path, '.jsonl') then
    return false
  end
  return vim.iter(require('rad_lsp.agents')):any(function(place)
    local folders = named(place)
    -- In the home of any user: it may be that of another machine.
    if place.home then
      table.insert(folders, vim.fs.joinpath('/' .. place.home, place.folder))
    end
    local files = vim.glob.to_lpeg(place.files)
    return vim.iter(folders):any(function(folder)
      local _, last = path:find(folder:gsub('^/+', '/') .. '/', 1, true)
      return last ~= nil and files:match(path:sub(last + 1)) ~= nil
    end)
  end)
end

---@param file string
---@return string? root of the current folder's workspace, if this is a transcript
function M.root_for_transcript(file)
  if is_transcript(vim.fs.normalize(file)) then
    return M.root_of()
  end
end

---@param path string
---@param folder string
---@return boolean whether a path lies in a folder, by its name or really
local function lies_in(path, folder)
  for _, look in ipairs({ vim.fs.normalize, vim.uv.fs_realpath }) do
    local place, outer = look(path), look(folder)
    local within = outer and (vim.fs.normalize(outer) .. '/'):gsub('//$', '/')
    if place and within and vim.startswith(vim.fs.normalize(place) .. '/', within) then
      return true
    end
  end
  return false
end

---@param folder string
---@return boolean whether the user's home is it or lies in it
local function holds_home(folder)
  return lies_in(vim.uv.os_homedir() or '/', folder)
end

---The editor's working folder, where it holds a place. The folders of single windows are no
---workspaces: many let them follow their files, and each subfolder would have a server.
---@param place string
---@return string?
local function working_folder(place)
  local folder = vim.fs.normalize(vim.fn.getcwd(-1, -1))
  if vim.o.autochdir or holds_home(folder) or not lies_in(place, folder) then
    return nil
  end
  for root in pairs(servers) do
    if lies_in(folder, root) and not holds_home(root) then
      return root
    end
  end
  return folder
end

---The nearest folder with a `.radium`; where other agents are in use, else the repository, else the
---working folder.
---@param path? string a file or a folder; the current folder without it
---@return string?
function M.root_of(path)
  local place = path and path ~= '' and path or vim.fn.getcwd()
  local root = vim.fs.root(place, MARKER)
  if not root and #M.agents() > 0 then
    root = vim.fs.root(place, REPOSITORY) or working_folder(place)
  end
  return root
end

---@return boolean
function M.enabled()
  if vim.lsp.is_enabled then
    return vim.lsp.is_enabled(M.NAME)
  end
  -- Neovim 0.11.0 has no public way to ask.
  return vim.lsp._enabled_configs[M.NAME] ~= nil
end

---@param program string the place of a file
---@return string? interpreter that a script names, and that is not there
local function lost_interpreter(program)
  local file = io.open(program, 'rb')
  local first = file and file:read(1024) or ''
  if file then
    file:close()
  end
  local interpreter = first:match('^#![ \t]*([^%s]+)')
  return interpreter and not vim.uv.fs_stat(interpreter) and interpreter or nil
end

---A command with the place of its program, which is searched by the PATH. Whoever wrote the files
---of a workspace must not choose what is run: a program there counts only if the user names its
---place.
---@param cmd string[]
---@param root string the workspace
---@return string[]? located nil where no program is found, or none that can run
---@return string? problem why
---@return rad_lsp.State? state what that makes of the server
function M.located(cmd, root)
  local found = vim.fn.exepath(cmd[1])
  if found == '' then
    local where = cmd[1]:find('[/\\]') and 'not a program' or 'not on the PATH'
    return nil, ('`%s` is %s'):format(cmd[1], where), 'missing'
  end
  local chosen = cmd[1]:find('[/\\]') ~= nil
  -- Who keeps the whole home folder in a repository has written the programs there, too.
  if not chosen and lies_in(found, root) and not holds_home(root) then
    return nil, ('`%s` is not on the PATH but in this workspace'):format(cmd[1]), 'missing'
  end
  local lost = lost_interpreter(found)
  if lost then
    return nil, ("`%s` can't run: its interpreter `%s` is gone"):format(found, lost), 'broken'
  end
  return vim.list_extend({ found }, cmd, 2)
end

---@return rad_lsp.Server[]
function M.all()
  return vim.tbl_values(servers)
end

---The server whose workspace holds a buffer, else the current folder, else the only one. Looks at
---no file: status lines ask often.
---@param bufnr? integer
---@return rad_lsp.Server?
function M.find(bufnr)
  local only = next(servers)
  if not only then
    return nil
  end
  for _, path in ipairs({ vim.api.nvim_buf_get_name(bufnr or 0), vim.fn.getcwd() }) do
    local found
    local place = vim.fs.normalize(path) .. '/'
    for root, server in pairs(servers) do
      if vim.startswith(place, root .. '/') and (not found or #root > #found.root) then
        found = server
      end
    end
    if found then
      return found
    end
  end
  return next(servers, only) == nil and servers[only] or nil
end

---Whether `radLsp.statusBar.visibility` lets a server's status be seen; `relevant` hides that of a
---workspace without sessions, unless something is wrong there.
---@param server rad_lsp.Server
---@return boolean
function M.wanted(server)
  local client = server.client_id and vim.lsp.get_client_by_id(server.client_id)
  local settings = client and client.settings or vim.lsp.config[M.NAME].settings
  local visibility = vim.tbl_get(settings or {}, 'radLsp', 'statusBar', 'visibility')
  local status = server.status
  if visibility == 'relevant' and status then
    return type(status.session) == 'table' or status.severity ~= 'ok'
  end
  return visibility ~= 'never'
end

---@param client_id integer
---@return rad_lsp.Server?
local function by_client(client_id)
  for _, server in pairs(servers) do
    if server.client_id == client_id then
      return server
    end
  end
end

---@param server rad_lsp.Server
local function changed(server)
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'RadStatus',
    modeline = false,
    data = { root = server.root, state = server.state, status = server.status },
  })
  vim.cmd.redrawstatus({ bang = true })
end

---@param server rad_lsp.Server
---@param state rad_lsp.State
local function enter_state(server, state)
  server.state = state
  if state ~= 'ready' then
    server.status = nil
  end
  changed(server)
end

---@param status rad_lsp.Status
---@param client_id integer
function M.on_status(status, client_id)
  local server = by_client(client_id)
  if server then
    server.state, server.status, server.told, server.problem = 'ready', status, nil, nil
    changed(server)
  end
end

---@param client_id integer
function M.refresh_lenses(client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  for bufnr in pairs(client and client.attached_buffers or {}) do
    vim.lsp.codelens.refresh({ bufnr = bufnr })
  end
end

---Tell once why a server ends before it says anything. What it wrote went into a log that Neovim
---shares among all servers, so it is run once more, without a client.
---@param server rad_lsp.Server
---@param config vim.lsp.Config
---@param code integer
local function tell_why(server, config, code)
  server.told = true
  local function tell(said)
    local lines = vim.split(vim.trim(said or ''), '\r?\n')
    local reason = lines[#lines] ~= '' and lines[#lines] or ('its exit code is %d'):format(code)
    server.problem = 'The server does not start: ' .. reason
    M.notify(server.problem, vim.log.levels.ERROR)
  end
  local cmd = config.cmd
  local options = { stdin = '', stdout = false, text = true, timeout = STOP_MS }
  options.cwd, options.env = config.cmd_cwd, config.cmd_env
  local ok = type(cmd) == 'table'
    and pcall(vim.system, cmd, options, function(done)
      vim.schedule(function()
        tell(done.code ~= 0 and done.stderr)
      end)
    end)
  if not ok then
    tell()
  end
end

---@param server rad_lsp.Server
---@param config vim.lsp.Config
---@param code integer
---@param signal integer
local function on_exit(server, config, code, signal)
  local again = server.again
  server.client_id, server.again = nil, nil
  if vim.v.exiting ~= vim.NIL then
    return
  end
  if again then
    server.restarts = 0
    M.start(server.root)
    return
  end
  -- Neovim ends a server that does not end by itself with a signal of its own.
  if (code == 0 and signal == 0) or signal == vim.uv.constants.SIGTERM then
    enter_state(server, 'stopped')
    return
  end
  if vim.uv.now() - server.started > SOUND_MS then
    server.restarts = 0
  end
  if server.state == 'starting' and not server.told then
    tell_why(server, config, code)
  end
  if server.restarts >= MAX_RESTARTS then
    if not server.told then
      server.told = true
      M.notify('The server keeps ending', vim.log.levels.ERROR, ' (:Rad log, :Rad restart)')
    end
    enter_state(server, 'failed')
    return
  end
  vim.defer_fn(function()
    if server.state == 'restarting' then
      M.start(server.root)
    end
  end, FIRST_DELAY_MS * 2 ^ server.restarts)
  server.restarts = server.restarts + 1
  enter_state(server, 'restarting')
end

---Let a config start its program, and let the server's end be handled here and by the user's own
---functions. To Neovim each end is a good one, as it would tell of every other one in a message.
---@param config vim.lsp.Config
---@param ended fun(code: integer, signal: integer, client_id: integer)
local function hear_end(config, ended)
  local cmd, users = config.cmd, config.on_exit
  local how
  if type(cmd) == 'table' then
    config.cmd = function(dispatchers)
      local on_exit_of_client = dispatchers.on_exit
      dispatchers.on_exit = function(code, signal)
        how = { code, signal }
        on_exit_of_client(0, 0)
      end
      return vim.lsp.rpc.start(cmd, dispatchers, {
        cwd = config.cmd_cwd,
        env = config.cmd_env,
        detached = config.detached,
      })
    end
  end
  config.on_exit = function(code, signal, id)
    code, signal = unpack(how or { code, signal })
    for _, users_own in ipairs(type(users) == 'table' and users or { users }) do
      users_own(code, signal, id)
    end
    vim.schedule(function()
      ended(code, signal, id)
    end)
  end
end

---@param name string
---@return string? root of the workspace whose server is to see the file
function M.root_for(name)
  return M.root_of_report(name) or M.root_for_transcript(name)
end

---@param server rad_lsp.Server
local function attach_reports(server)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if
      vim.api.nvim_buf_is_loaded(bufnr)
      and vim.bo[bufnr].buftype == ''
      and M.root_for(vim.api.nvim_buf_get_name(bufnr)) == server.root
    then
      vim.lsp.buf_attach_client(bufnr, server.client_id)
    end
  end
end

---Start the server of a workspace, unless it runs, and attach the reports that are open.
---@param root string
---@return rad_lsp.Server
function M.start(root)
  local server = servers[root]
  if not server then
    server = { root = root, state = 'stopped', restarts = 0, started = 0 }
    servers[root] = server
  end
  if not server.client_id then
    -- What callbacks change in a config is not to reach the next start.
    local config = vim.deepcopy(vim.lsp.config[M.NAME])
    if type(config.cmd) == 'table' then
      local cmd, problem, state = M.located(config.cmd, root)
      if not cmd then
        server.problem = problem
        if server.state ~= state then
          enter_state(server, state)
        end
        return server
      end
      config.cmd = cmd
    end
    config.name = M.NAME
    config.root_dir = root
    local plain = vim.tbl_extend('force', config, {})
    hear_end(config, function(code, signal, id)
      if server.client_id == id then
        on_exit(server, plain, code, signal)
      end
    end)
    server.started = vim.uv.now()
    server.client_id = vim.lsp.start(config, {
      attach = false,
      -- Which server is whose is kept here, by root; a dying one must not be taken for it.
      reuse_client = function()
        return false
      end,
    })
    enter_state(server, server.client_id and 'starting' or 'failed')
  end
  if server.client_id then
    attach_reports(server)
  end
  return server
end

---Start the server of the workspace that a buffer lies in, if there is one and it is wanted.
---@param bufnr integer
function M.enter(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local root = M.root_for(name) or M.root_of(name)
  local server = root and servers[root]
  -- One that has failed waits for `:Rad restart`.
  if root and M.enabled() and not (server and (server.state == 'failed' or server.again)) then
    vim.schedule(function()
      if not server or server.state ~= 'restarting' then
        M.start(root)
      end
    end)
  end
end

---Start the server of the current folder's workspace, if there is one and it is wanted.
function M.enter_cwd()
  local root = M.enabled() and M.root_of()
  local server = root and servers[root]
  if root and (not server or server.state == 'missing' or server.state == 'broken') then
    M.start(root)
  end
end

---End a server and start it again.
---@param server rad_lsp.Server
function M.restart(server)
  local client = server.client_id and vim.lsp.get_client_by_id(server.client_id)
  if not client then
    server.client_id, server.restarts = nil, 0
    M.start(server.root)
    return
  end
  server.again = true
  enter_state(server, 'starting')
  client:stop()
  vim.defer_fn(function()
    if server.client_id == client.id then
      client:stop(true)
    end
  end, STOP_MS)
end

---The server to ask: the client's, else the one of the current buffer, started if need be.
---@param client_id? integer
---@return vim.lsp.Client? client
---@return string? problem
function M.client(client_id)
  local server = client_id and by_client(client_id) or M.find()
  if not server then
    local root = M.root_of(vim.api.nvim_buf_get_name(0)) or M.root_of()
    if not root then
      return nil, 'No workspace: ' .. M.NO_WORKSPACE
    end
    server = M.start(root)
  elseif not server.client_id and server.state ~= 'restarting' then
    server.restarts = 0
    M.start(server.root)
  end
  local client = server.client_id and vim.lsp.get_client_by_id(server.client_id)
  if client then
    return client
  end
  if server.state == 'restarting' then
    return nil, 'The server has died and is being started again'
  end
  return nil, (server.problem or 'The server does not run') .. ' (:checkhealth rad_lsp)'
end

---Tell that there are no sessions yet.
---@param client vim.lsp.Client
function M.tell_empty(client)
  local folder = vim.fn.fnamemodify(client.root_dir or vim.fn.getcwd(), ':~')
  local next_ = ': use an agent there, or see :Rad history everywhere'
  M.notify('No sessions yet in ' .. folder, vim.log.levels.INFO, next_)
end

---Ask the server; a failure is told to the user.
---@param method string
---@param params table
---@param client_id? integer
---@param on_result fun(result: table, client: vim.lsp.Client)
---@param on_error? fun(err: lsp.ResponseError, kind?: string): boolean? true: it needs no telling
function M.request(method, params, client_id, on_result, on_error)
  local client, problem = M.client(client_id)
  if not client then
    M.tell(problem or '')
    return
  end
  -- An empty table would go out as a list.
  params = next(params) and params or vim.empty_dict()
  client:request(method, params, function(err, result)
    local kind = err and type(err.data) == 'table' and err.data.kind
    if not err then
      on_result(result, client)
    elseif on_error and on_error(err, kind) then
      return
    elseif kind == 'NoSessions' then
      M.tell_empty(client)
    else
      local old = err.code == vim.lsp.protocol.ErrorCodes.MethodNotFound
      M.tell(old and 'The server is too old for this: update rad-lsp' or err.message)
    end
  end)
end

---Tell what nobody has asked for, in one line: after more than that, Neovim would wait for a key.
---@param message string
---@param level integer
---@param after? string
function M.notify(message, level, after)
  local before = 'rad-lsp: '
  after = after or ''
  local text = message:gsub('[%s%c]+', ' ')
  local room = vim.v.echospace - #before - #after
  if vim.fn.strdisplaywidth(text) > room then
    text = vim.fn.strcharpart(text, 0, math.max(room - 1, 0)) .. '…'
  end
  vim.notify(before .. text .. after, level)
end

---@param message string
function M.tell(message)
  vim.notify('rad-lsp: ' .. message, vim.log.levels.ERROR)
end

return M
