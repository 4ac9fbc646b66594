---Figures of the wire as text, where the server sends none: lists to choose from, usage tables.
local M = {}

local NOT_AVAILABLE = 'n/a'

---@param value number USD
function M.money(value)
  return ('$%.4f'):format(value)
end

---@param value number|vim.NIL
function M.percent(value)
  return type(value) == 'number' and ('%.1f%%'):format(value) or NOT_AVAILABLE
end

---@param value integer
function M.count(value)
  local digits = ('%d'):format(value)
  return (digits:reverse():gsub('(%d%d%d)', '%1,'):reverse():gsub('^,', ''))
end

---@param seconds number
function M.duration(seconds)
  local whole = math.floor(seconds)
  if whole < 60 then
    return ('%ds'):format(whole)
  elseif whole < 3600 then
    return ('%dm %ds'):format(math.floor(whole / 60), whole % 60)
  end
  return ('%dh %dm'):format(math.floor(whole / 3600), math.floor(whole % 3600 / 60))
end

---@param stamp string RFC 3339, UTC
---@return string in the local time zone
function M.time(stamp)
  local parts = { stamp:match('^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)') }
  if #parts < 6 then
    return stamp
  end
  local year, month, day, hour, min, sec = unpack(vim.tbl_map(tonumber, parts))
  local read = { year = year, month = month, day = day, hour = hour, min = min, sec = sec }
  -- os.time takes local time: the difference that it makes is taken back.
  read.isdst = false
  local as_local = os.time(read)
  local utc = os.date('!*t', as_local) --[[@as osdate]]
  utc.isdst = false
  return os.date('%Y-%m-%d %H:%M', as_local + os.difftime(as_local, os.time(utc))) --[[@as string]]
end

---@param id string
---@return string
function M.short_id(id)
  return #id > 12 and id:sub(1, 8) or id
end

---@param found rad_lsp.SessionSummary
function M.session(found)
  return ('%-12s  %s  %9s  %6s  %5s calls  %s%s'):format(
    M.short_id(found.sessionId),
    M.time(found.lastActivity),
    M.money(found.cost),
    M.percent(found.successRate),
    M.count(found.toolCalls),
    M.duration(found.wallTime),
    found.running and '  (running)' or ''
  )
end

---@param text string
local function escape(text)
  return (text:gsub('[%c]', ' '):gsub('[|\\`*_<>]', '\\%0'))
end

---@param usage rad_lsp.Usage
---@return string markdown
function M.usage(usage)
  local lines = {
    '| Model | Requests | Input tokens | Output tokens | Cached tokens | Cost |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
  }
  for _, row in ipairs(vim.list_extend(vim.list_slice(usage.rows), { usage.total })) do
    local cells = {
      row == usage.total and '**Total**' or escape(row.name),
      M.count(row.requests),
      M.count(row.inputTokens),
      M.count(row.outputTokens),
      M.count(row.cachedTokens),
      M.money(row.cost),
    }
    table.insert(lines, '| ' .. table.concat(cells, ' | ') .. ' |')
  end
  local title = usage.sessions == 1 and '1 session' or M.count(usage.sessions) .. ' sessions'
  return ('## Model usage of %s\n\n%s\n'):format(title, table.concat(lines, '\n'))
end

return M
