"""The status line: a template filled in."""

from __future__ import annotations

from datetime import UTC

from rad_lsp import service
from rad_lsp.render.status_line import status_line
from rad_lsp.store.snapshot import Snapshot


def test_a_status_line_fills_its_template_in(snapshot, now):
    found = service.status(snapshot("history"), now, UTC)
    assert status_line(found, "{cost} · {success_rate}") == "$0.1250 · 92.6%"
    assert (
        status_line(
            found,
            "{tool_calls} {wall_time} {tokens} {session_id} {today_cost} {today_sessions} "
            "{total_cost} {total_sessions} {source} {{}}",
        )
        == "231 4h 9m 31,101,222 3c6ddcd3-85b6-48f1-88e1... $0.0000 0 $0.2100 2 Radium {}"
    )


def test_a_status_line_without_sessions_says_so(now):
    assert status_line(service.status(Snapshot(), now, UTC), "{cost}") == "no sessions"


def test_a_status_line_is_one_short_line_whatever_its_template(snapshot, now):
    found = service.status(snapshot("history"), now, UTC)
    assert status_line(found, "\x1b]0;t\x07{cost}\n\u202e") == "\\x1b]0;t\\x07$0.1250\\n\\u202e"
    assert len(status_line(found, "{cost}" + "\u202e" * 100_000)) < 10_000
