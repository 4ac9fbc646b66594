"""What the server answers. One module per LSP method, or per family of methods."""


def load() -> None:
    """Import every feature module, which registers its handlers."""
    from rad_lsp.server.features import (  # noqa: F401  (importing is what registers)
        code_action,
        code_lens,
        commands,
        diagnostic,
        documents,
        hover,
        inlay_hint,
        lifecycle,
        report,
        stats,
        symbols,
        trend,
    )
