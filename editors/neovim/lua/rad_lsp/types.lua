---@meta _
error('Types are for the language server of Lua alone')

-- The wire contract, as `rad-lsp --schema` prints it; only what this client reads.

---@class rad_lsp.SessionSummary
---@field sessionId string
---@field label string its name for people: agent, title or the beginning of its id, time
---@field brief string its line in a list

---@class rad_lsp.SessionStats: rad_lsp.SessionSummary
---@field text string

---@class rad_lsp.Status
---@field workspaceUri string
---@field session? rad_lsp.SessionSummary
---@field totals table
---@field today table
---@field skipped integer
---@field text string
---@field tooltip string Markdown
---@field severity 'ok'|'warning'

---@class rad_lsp.SkippedFile
---@field uri string
---@field reason string

---@class rad_lsp.History
---@field sessions rad_lsp.SessionSummary[]
---@field total integer
---@field skipped rad_lsp.SkippedFile[]

---@class rad_lsp.ComparedMetric
---@field label string
---@field verdict 'improved'|'regressed'|'unchanged'|'changed'

---@class rad_lsp.Comparison
---@field sessionA rad_lsp.SessionSummary
---@field sessionB rad_lsp.SessionSummary
---@field metrics rad_lsp.ComparedMetric[]
---@field text string

---@class rad_lsp.Report
---@field html string

---@class rad_lsp.Export
---@field format string
---@field sessions integer
---@field bytes integer
---@field uri? string
---@field content? string
