"""A session as every source yields it and every figure is computed from."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from rad_lsp.core.money import NOTHING, Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Spending
from rad_lsp.core.tool_calls import ToolCalls

Nanoseconds: TypeAlias = int

RADIUM: Final = "radium"
"""The source of reports."""


class Usage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Requests, tokens and money of one model or engine; input includes cached tokens."""

    name: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    money: Money = NOTHING

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens

    @property
    def cost(self) -> float | None:
        """USD, None when no price is known."""
        return self.money.usd


class SessionTotals(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What sums over many sessions need. A packed session begins with it, to unpack it alone.

    `problems` are the session's warnings and notes. Of `unknown_tool_calls` it is not recorded how
    they ended; they are among the successful ones, as in reports.
    """

    money: Money
    tool_calls: int
    successful_tool_calls: int
    problems: tuple[Problem, ...] = ()
    unknown_tool_calls: int = 0

    @property
    def cost(self) -> float | None:
        """USD, None when no price of any request is known."""
        return self.money.usd


class Child(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A session of another agent that ran as part of a tracked one."""

    source: str
    session_id: str


class Session(SessionTotals, frozen=True, gc=False, array_like=True, kw_only=True):
    """One agent session: what its source says of it, unchanged.

    Times are in UTC, durations in nanoseconds. `path` is the file it was read from. `spending`
    tells when the money went; it is empty where the source records no times of requests.
    `children` are shown as part of it. `api_time` is what the agent measured, or else its active
    time without that of tools. `deleted` tells that its transcripts are gone. `project` is the
    folder of its repository, `branch` the one that it worked on; they are empty where not known.
    `calls_by_tool` are those tool calls of a report of which it tells more than their number.
    `written` is when the file of a report was, in nanoseconds since the epoch; 0 of other sessions.
    """

    id: str
    source: str
    path: str
    start_time: datetime
    end_time: datetime | None
    generated_at: datetime
    wall_time: Nanoseconds
    agent_active_time: Nanoseconds
    api_time: Nanoseconds
    tool_time: Nanoseconds
    failed_tool_calls: int
    approvals_allowed: int
    approvals_denied: int
    approvals_asked: int
    lines_added: int
    lines_removed: int
    files_changed: int | None
    models: tuple[Usage, ...]
    engines: tuple[Usage, ...]
    cached_tokens: int
    cache_creation_tokens: int
    cache_read_tokens: int
    spending: tuple[Spending, ...] = ()
    children: tuple[Child, ...] = ()
    api_time_measured: bool = True
    deleted: bool = False
    project: str = ""
    branch: str = ""
    calls_by_tool: tuple[ToolCalls, ...] = ()
    written: Nanoseconds = 0
