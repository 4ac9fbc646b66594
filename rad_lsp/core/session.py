"""A session as every source yields it and every figure is computed from."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import Spending

Nanoseconds: TypeAlias = int


class Usage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Requests, tokens and cost (USD) of one model or engine; input includes cached tokens.

    `unpriced` requests have no known price and are left out of the cost, which is None when that
    goes for all of them.
    """

    name: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens


class Gist(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What is asked of every session at once. A packed session begins with it, to unpack alone.

    `cost` is None when no request has a known price. `problems` are the session's warnings.
    """

    cost: float | None
    tool_calls: int
    successful_tool_calls: int
    problems: tuple[Problem, ...] = ()


class Bill(Gist, frozen=True, gc=False, array_like=True, kw_only=True):
    """What is asked of the sessions of a day: `spending` tells when the money went.

    It is empty where the source knows no times of requests.
    """

    spending: tuple[Spending, ...] = ()


class Child(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A session of another agent that ran as part of a tracked one."""

    source: str
    session_id: str


class Session(Bill, frozen=True, gc=False, array_like=True, kw_only=True):
    """One agent session: what its source says of it, unchanged.

    Times are in UTC, durations in nanoseconds, cost in USD. `path` is the file it was read
    from. `children` are shown as part of it.
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
    children: tuple[Child, ...] = ()
