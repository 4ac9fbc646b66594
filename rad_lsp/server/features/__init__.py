"""One module per LSP method or family: translate in, ask the service, translate out."""


def load() -> None:
    """Import every feature, so that it registers."""
    from rad_lsp.server.features import (  # noqa: F401  (importing is what registers)
        code_action,
        code_lens,
        commands,
        diagnostic,
        documents,
        hover,
        inlay_hint,
        lifecycle,
        stats,
        symbols,
    )
