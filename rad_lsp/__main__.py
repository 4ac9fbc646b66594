"""`rad-lsp`, or `python -P -m rad_lsp`: the language server."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from typing import Any

from rad_lsp import __version__
from rad_lsp.core.wording import printable


def main() -> None:
    """Serve one client on stdio, or print what was asked for."""
    options = _parser().parse_args()
    if options.schema:
        _print_schema()
        return
    _log(options.log_file, options.log_level)
    sys.exit(_serve())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rad-lsp",
        description="Session analytics for coding agents: the language server that editors start.",
        epilog="Example: rad-lsp --log-file /tmp/rad-lsp.log --log-level info",
    )
    parser.add_argument("--version", action="version", version=f"rad-lsp {__version__}")
    parser.add_argument("--stdio", action="store_true", help="serve on stdin and stdout (default)")
    parser.add_argument("--log-file", metavar="FILE", help="write the log there, not to stderr")
    parser.add_argument(
        "--log-level",
        default="warning",
        choices=["debug", "info", "warning", "error"],
        help="what is logged (default: warning)",
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the wire contract as JSON Schema and exit"
    )
    return parser


def _print_schema() -> None:
    import msgspec

    from rad_lsp import wire

    schema = msgspec.json.format(msgspec.json.encode(wire.schema()), indent=2)
    sys.stdout.buffer.write(schema + b"\n")


class _Printable(logging.Formatter):
    """Escapes what a message or a traceback quotes: editors and terminals show the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the name it has)
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  (the name it has)
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


def _log(file: str | None, level: str) -> None:
    try:
        handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    except OSError as error:
        sys.exit(f"rad-lsp: {file} can't be written: {error.strerror}")
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    # pygls logs whole messages, and tracebacks for every fault of a client.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


def _serve() -> int:
    import asyncio

    from rad_lsp.core import advice
    from rad_lsp.server import transport
    from rad_lsp.server.app import create_server

    advice.speak_to_editors()
    server = create_server()
    # What is loaded by now stays, and reports make no cycles: collecting often only costs time.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    writer = transport.own_stdout()
    return asyncio.run(transport.serve_stdio(server, sys.stdin.fileno(), writer))


if __name__ == "__main__":
    main()
