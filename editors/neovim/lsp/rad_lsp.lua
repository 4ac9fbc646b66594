---@brief
---
--- Session analytics for coding agents: cost, tool results, time and cache of Radium sessions.
--- `vim.lsp.enable('rad_lsp')` is all that is needed; see |rad_lsp|.

---@type vim.lsp.Config
local config = {
  cmd = { 'rad-lsp' },
  -- No module of the current folder passes for one of the server's.
  cmd_env = { PYTHONSAFEPATH = '1' },
  workspace_required = true,
  -- A workspace has no open report most of the time, so any buffer of it starts the server, and
  -- none but reports are attached.
  root_dir = function(bufnr)
    require('rad_lsp.server').enter(bufnr)
  end,
  handlers = {
    ['stats/status'] = function(_, status, ctx)
      require('rad_lsp.server').on_status(status, ctx.client_id)
    end,
    ['stats/show'] = function(_, notice, ctx)
      require('rad_lsp.notices').show(notice, ctx.client_id)
    end,
    ['window/showMessageRequest'] = function(_, params, ctx)
      return require('rad_lsp.notices').on_request(params, ctx.client_id)
    end,
  },
  capabilities = {
    -- Links to commands do nothing in a window of Markdown.
    experimental = { radStats = { version = 1, commands = {}, links = false } },
    -- Tables of Markdown would be shown as they are written.
    textDocument = { hover = { contentFormat = { 'plaintext' } } },
  },
  commands = {
    ['radLsp.openSession'] = function(command, ctx)
      require('rad_lsp.actions').session(command.arguments[1], ctx.client_id)
    end,
    ['radLsp.openComparison'] = function(command, ctx)
      require('rad_lsp.actions').compare(command.arguments[1], ctx.client_id)
    end,
    ['radLsp.exportSession'] = function(command, ctx)
      require('rad_lsp.actions').export(command.arguments[1], ctx.client_id)
    end,
  },
}

config.capabilities.experimental.radStats.commands =
  vim.list_extend(vim.tbl_keys(config.commands), { 'radLsp.showNotice' })

-- Neovim 0.12 refreshes code lenses by itself.
if not vim.lsp.codelens.enable then
  config.capabilities.workspace = { codeLens = { refreshSupport = true } }
  config.handlers['workspace/codeLens/refresh'] = function(_, _, ctx)
    require('rad_lsp.server').refresh_lenses(ctx.client_id)
    return vim.NIL
  end
end

return config
