---@meta _
error('Types are for the language server of Lua alone')

-- The wire contract, as `rad-lsp --schema` prints it; only what this client reads.

---@class rad_lsp.SessionSummary
---@field sessionId string
---@field lastActivity string RFC 3339, UTC
---@field running boolean
---@field wallTime number seconds
---@field toolCalls integer
---@field successRate number|vim.NIL percent
---@field cost number USD

---@class rad_lsp.SessionStats: rad_lsp.SessionSummary
---@field text string
---@field markdown string

---@class rad_lsp.Status
---@field workspaceUri string
---@field session rad_lsp.SessionSummary|vim.NIL
---@field totals {sessions: integer, cost: number, toolCalls: integer, successRate: number|vim.NIL}
---@field today {sessions: integer, cost: number}
---@field skipped integer
---@field text string
---@field tooltip string Markdown
---@field severity 'ok'|'warning'

---@class rad_lsp.UsageRow
---@field name string
---@field requests integer
---@field inputTokens integer
---@field outputTokens integer
---@field cachedTokens integer
---@field cost number USD

---@class rad_lsp.Usage
---@field sessions integer
---@field rows rad_lsp.UsageRow[]
---@field total rad_lsp.UsageRow

---@class rad_lsp.History
---@field sessions rad_lsp.SessionSummary[]
---@field total integer

---@class rad_lsp.Comparison
---@field sessionA rad_lsp.SessionSummary
---@field sessionB rad_lsp.SessionSummary
---@field markdown string

---@class rad_lsp.Export
---@field format string
---@field sessions integer
---@field bytes integer
---@field uri? string
---@field content? string
