"""Adds a figure to the table and prints, as JSON, what each kind of answer makes of two sessions.

It runs in a process of its own, because the other modules read the table when they are imported.
Standard input holds the sessions A and B, as msgspec writes them.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.session import Session


def idle_time(session):
    return session.wall_time - session.agent_active_time


def main():
    a, b = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Session, Session])
    figures.FIGURES += (
        figures.Figure("idle_time", "Idle time", "nanoseconds", idle_time, "lower", "idle_time"),
    )
    from rad_lsp import wire
    from rad_lsp.core import comparison
    from rad_lsp.render import answers, export, figure, markdown, rows, text

    now = datetime(2025, 12, 10, tzinfo=UTC)
    compared = comparison.between(a, b)
    summary = answers.summary(a, now, UTC)
    none = wire.Totals(1, None, 0, None), wire.Today(0, None)
    json.dump(
        {
            "text": text.session(a, now),
            "Markdown": markdown.session(a, now),
            "comparison as text": text.comparison(compared),
            "comparison as Markdown": markdown.comparison(compared),
            "hover": figure.hover(a, ("metrics", "idle_time"), now, UTC),
            "hint": figure.hint(a, ("metrics", "idle_time"), None),
            "CSV": b"".join(export.csv_sessions([a], now)).decode(),
            "JSON": rows.answer(wire.Status("", summary, *none, 0, "", "", "ok", ""))["session"],
            "comparison as JSON": rows.comparison(compared),
            "wire": {
                "summary": msgspec.to_builtins(summary),
                "session": msgspec.to_builtins(answers.session(a, now, UTC)),
                "metrics": msgspec.to_builtins(answers.comparison(compared, now, UTC).metrics),
                "schema": wire.schema()["$defs"]["SessionSummary"],
            },
        },
        sys.stdout,
        default=str,
    )


if __name__ == "__main__":
    main()
