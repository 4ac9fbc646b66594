"""Tool calls by the name of the tool."""

from __future__ import annotations

import pytest

from rad_lsp.core import tools
from rad_lsp.core.tools import Called
from rad_lsp.core.trend import Calls


def called(name, *sessions, time=0, **calls):
    return Called(name, frozenset(sessions), Calls(**calls), time)


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("mcp__github__search", ("github", "search")),
        ("mcp__claude_ai_Gmail__create_draft", ("claude_ai_Gmail", "create_draft")),
        ("github__list__all", ("github", "list__all")),
        ("Bash", None),
        ("", None),
        ("__init__", None),
        ("mcp__", None),
    ],
)
def test_an_mcp_servers_tool_is_told_by_its_name(name, server):
    assert tools.server_of(name) == server


def test_tools_of_a_server_are_its_parts():
    one = called("mcp__a__x", 1, 2, ok=2, time=40)
    other = called("mcp__a__y", 2, ok=1, failed=2, time=60)
    durations = [("mcp__a__x", 10), ("mcp__a__x", 30), ("mcp__a__y", 60)]
    table = tools.table([one, other, called("Bash", 1, ok=5)], durations)
    bash, server = table.rows
    assert (bash.name, bash.parts, bash.time, bash.median) == ("Bash", (), None, None)
    assert (server.name, server.calls, server.sessions) == ("a", Calls(3, 2), 2)
    assert (server.time, server.median, server.share) == (100, 30, 50)
    assert [(part.name, part.median) for part in server.parts] == [("y", 60), ("x", 20)]
    assert (table.total.sessions, table.total.calls.total, table.total.share) == (2, 10, 100)


def test_without_calls_nothing_is_known():
    table = tools.table([], [])
    assert (table.rows, table.total.time, table.total.share) == ((), None, None)
