"""`rad-lsp`, or `python -m rad_lsp`: the language server on stdio."""

from __future__ import annotations

import logging
import sys

from rad_lsp import __version__


def main() -> None:
    """Serve one client on stdin and stdout, or print the version."""
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"rad-lsp {__version__}\n")
        return
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # pygls logs whole messages, and tracebacks for every fault of a client.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    from rad_lsp.server import stdio
    from rad_lsp.server.app import create_server

    writer = stdio.own_stdout()
    sys.exit(stdio.serve(create_server(), sys.stdin.fileno(), writer))


if __name__ == "__main__":
    main()
