"""One module per LSP method or family: translate in, ask the service, translate out."""
