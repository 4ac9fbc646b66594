"""What became of tool calls, by the name of the tool; those of an MCP server together."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.trend import Calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OF_SERVER: Final = re.compile(r"(?:mcp__)?(.+?)__(.+)", re.DOTALL)
"""How agents name an MCP server's tool: `mcp__github__search`, `github__search`."""


class Tool(msgspec.Struct, frozen=True):
    """The calls of one tool, or of all tools of an MCP server, which then are its `parts`.

    `sessions` made some. `time` is what they took together and `median` what half of those took at
    most whose duration is known, in milliseconds; None where none is. `share` are the calls in
    percent of all calls. The name is empty where none is recorded, and within a server the
    server's own.
    """

    name: str
    sessions: int
    calls: Calls
    time: int | None
    median: float | None
    share: float | None
    parts: tuple[Tool, ...] = ()


class Tools(msgspec.Struct, frozen=True):
    """The tools that were called, most calls first, and all of them together."""

    rows: tuple[Tool, ...]
    total: Tool


class Called(msgspec.Struct, frozen=True):
    """The calls of a tool: by which sessions, how they ended, and the sum of their milliseconds."""

    name: str
    sessions: frozenset[int]
    calls: Calls
    time: int


def server_of(name: str) -> tuple[str, str] | None:
    """The MCP server that a tool is of, and its name there; None of an agent's own tool."""
    match = _OF_SERVER.fullmatch(name)
    return (match[1], match[2]) if match else None


def table(called: Sequence[Called], durations: Iterable[tuple[str, int]]) -> Tools:
    """The tools with these calls. `durations` are the tool and the milliseconds of each call."""
    times: dict[str, list[int]] = defaultdict(list)
    for name, duration in durations:
        times[name].append(duration)
    every = sum(one.calls.total for one in called)
    servers: dict[str, list[Called]] = defaultdict(list)
    rows = []
    for one in called:
        if server := server_of(one.name):
            servers[server[0]].append(one)
        else:
            rows.append(_tool(one.name, [one], times, every))
    for server_name, tools in servers.items():
        parts = [_tool((server_of(one.name) or ("", ""))[1], [one], times, every) for one in tools]
        row = _tool(server_name, tools, times, every)
        rows.append(msgspec.structs.replace(row, parts=_sorted(parts)))
    return Tools(_sorted(rows), _tool("Total", called, times, every))


def _tool(name: str, called: Sequence[Called], times: Mapping[str, list[int]], every: int) -> Tool:
    calls = sum([one.calls for one in called], Calls())
    known = [duration for one in called for duration in times.get(one.name, ())]
    time = sum(one.time for one in called)
    return Tool(
        name,
        len(frozenset().union(*[one.sessions for one in called])),
        calls,
        time if known or time else None,
        statistics.median(known) if known else None,
        figures.percent(calls.total, every),
    )


def _sorted(tools: Iterable[Tool]) -> tuple[Tool, ...]:
    return tuple(sorted(tools, key=lambda tool: (-tool.calls.total, -tool.calls.denied, tool.name)))
