"""What an agent's transcript says of its sessions, and the session that this adds up to.

Facts only: counts, times, names of models and tools' outcomes; never a word of a conversation.
The mapping onto a report's figures is the one of the session format.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core import figures, problems, wording
from rad_lsp.core.intervals import covered
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, Usage
from rad_lsp.core.spending import Request, billed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.core.spending import PriceList, Spending

HASHED: Final = "sha256:"
"""What a folder begins with of which only the hash of its path is known."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""


class Seen(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A request as one file has it; others may hold copies of it, which count once.

    `key` and `variant` together name the request within all files of its agent. A `side` copy is
    one that a sub-agent replays: it gives way to a copy that has the same key, whatever its
    variant. `final` is False when more output may have followed than was recorded, `billed`
    when too little was recorded to tell what it cost.
    """

    key: str
    session_id: str
    request: Request
    variant: str = ""
    side: bool = False
    final: bool = True
    billed: bool = True


class Facts(msgspec.Struct, gc=False, array_like=True):
    """What one file says of one session. Times are in milliseconds since the epoch.

    `start` and `end` are the first and the last moment that is recorded; 0 while there is none.
    Intervals (from, to) may overlap. `denied` tool calls were refused by the user and are no
    failures; calls without a result are not counted. `unknown` tool calls ended in a way that
    was not recorded, and are among the successful ones. `files` are hashes of changed files'
    paths, None where the agent does not tell them. `api_time` is milliseconds where the agent
    measures it. `ended` tells that the agent wrote an end.
    """

    session_id: str
    start: int = 0
    end: int = 0
    cwd: str = ""
    branch: str = ""
    version: str = ""
    successful: int = 0
    failed: int = 0
    unknown: int = 0
    allowed: int = 0
    denied: int = 0
    asked: int = 0
    lines_added: int = 0
    lines_removed: int = 0
    files: set[int] | None = None
    tools: list[tuple[int, int]] = msgspec.field(default_factory=list)
    active: list[tuple[int, int]] = msgspec.field(default_factory=list)
    api_time: int | None = None
    ended: bool = False
    notes: list[str] = msgspec.field(default_factory=list)

    def at(self, time: int) -> None:
        """Something happened at a moment."""
        if not self.start or time < self.start:
            self.start = time
        self.end = max(self.end, time)


def session(
    source: str,
    path: str,
    facts: Sequence[Facts],
    spending: tuple[Spending, ...],
    *,
    unfinished: int = 0,
) -> Session:
    """The session that all files together tell of; `path` is the file that stands for it.

    `unfinished` requests have less output recorded than there was.
    """
    whole = facts[0] if len(facts) == 1 else _joined(facts)
    last = _EPOCH + timedelta(milliseconds=whole.end)
    tool_time = covered(whole.tools)
    active = covered(whole.tools + whole.active)
    read = written = 0
    for row in spending:
        read += row.cache_read_tokens
        written += row.cache_write_5m_tokens + row.cache_write_1h_tokens
    models = _usages(spending, "model")
    return Session(
        id=whole.session_id,
        source=source,
        path=path,
        start_time=_EPOCH + timedelta(milliseconds=whole.start),
        end_time=last if whole.ended else None,
        generated_at=last,
        wall_time=(whole.end - whole.start) * _NANOSECONDS,
        agent_active_time=active * _NANOSECONDS,
        api_time=(active - tool_time if whole.api_time is None else whole.api_time) * _NANOSECONDS,
        tool_time=tool_time * _NANOSECONDS,
        tool_calls=whole.successful + whole.failed,
        successful_tool_calls=whole.successful,
        failed_tool_calls=whole.failed,
        approvals_allowed=whole.allowed,
        approvals_denied=whole.denied,
        approvals_asked=whole.asked,
        lines_added=whole.lines_added,
        lines_removed=whole.lines_removed,
        files_changed=None if whole.files is None else len(whole.files),
        models=models,
        engines=_usages(spending, "engine"),
        cached_tokens=read,
        cache_creation_tokens=written,
        cache_read_tokens=read,
        cost=figures.total_cost([row.cost for row in spending]),
        spending=spending,
        problems=_notes(whole, models, unfinished),
    )


def hashed(folder: str) -> str:
    """What `Facts.cwd` is where only the SHA-256 of the folder's path is known."""
    import hashlib

    return f"{HASHED}{hashlib.sha256(folder.encode(errors='surrogatepass')).hexdigest()}"


def repriced(found: Session, price_list: PriceList) -> Session:
    """A session with the prices of another list, for the models that it has and by its rates.

    A price that the user sets has one rate for requests of all sizes.
    """
    spending = tuple(_repriced(row, price_list) for row in found.spending)
    models = _usages(spending, "model")
    before = wording.unpriced(found.models)
    notes = tuple(problem for problem in found.problems if problem.message != before)
    if still := wording.unpriced(models):
        notes = (Problem(problems.INCOMPLETE, still, "information"), *notes)
    return msgspec.structs.replace(
        found,
        spending=spending,
        problems=notes,
        models=models,
        engines=_usages(spending, "engine"),
        cost=figures.total_cost([row.cost for row in spending]),
    )


def merged(tracked: Session, children: Sequence[Session]) -> Session:
    """A tracked session with the sessions that ran as part of it.

    What its own events tell counts; what they left empty is filled from the children.
    """
    parts = [child for child in children if child.models or child.tool_calls]
    if not parts:
        return tracked
    changes: dict[str, object] = {}
    if not tracked.models:
        spending = tuple(
            sorted((row for child in parts for row in child.spending), key=attrgetter("quarter"))
        )
        changes |= {
            "spending": spending,
            "models": _usages(spending, "model"),
            "engines": _usages(spending, "engine"),
            "cost": figures.total_cost([child.cost for child in parts]),
        }
        changes |= _sums(parts, "cached_tokens", "cache_creation_tokens", "cache_read_tokens")
    if not tracked.tool_calls:
        changes |= _sums(parts, "tool_calls", "successful_tool_calls", "failed_tool_calls")
    if not (tracked.approvals_allowed or tracked.approvals_denied or tracked.approvals_asked):
        changes |= _sums(parts, "approvals_allowed", "approvals_denied", "approvals_asked")
    if not tracked.agent_active_time:
        changes |= _sums(parts, "agent_active_time", "api_time", "tool_time")
    if tracked.files_changed is None and not (tracked.lines_added or tracked.lines_removed):
        changes |= _sums(parts, "lines_added", "lines_removed")
    notes = tuple(problem for child in parts for problem in child.problems)
    if notes:
        changes["problems"] = (*tracked.problems, *notes)
    return msgspec.structs.replace(tracked, **changes)


def _sums(parts: Sequence[Session], *fields: str) -> dict[str, object]:
    return {field: sum(getattr(part, field) for part in parts) for field in fields}


def _repriced(row: Spending, price_list: PriceList) -> Spending:
    if row.reported:
        return row
    price = price_list.price(row.model, row.engine, row.quarter, row.tier)
    return row if price is None else billed(row, price)


def _usages(spending: tuple[Spending, ...], field: str) -> tuple[Usage, ...]:
    groups: dict[str, list[Spending]] = {}
    for row in spending:
        groups.setdefault(getattr(row, field), []).append(row)
    return tuple(_usage(name, rows) for name, rows in sorted(groups.items()))


def _usage(name: str, rows: list[Spending]) -> Usage:
    requests = fresh = output = read = unpriced = 0
    for row in rows:
        requests += row.requests
        fresh += row.input_tokens
        output += row.output_tokens
        read += row.cache_read_tokens
        if row.cost is None:
            unpriced += row.requests
    cost = figures.total_cost([row.cost for row in rows])
    return Usage(name, requests, fresh, output, read, cost, unpriced)


def _joined(facts: Sequence[Facts]) -> Facts:
    """What several files say of one session, taken together, but for where it was."""
    files = [part.files for part in facts if part.files is not None]
    measured = [part.api_time for part in facts if part.api_time is not None]
    return Facts(
        facts[0].session_id,
        start=min([part.start for part in facts if part.start], default=0),
        end=max([part.end for part in facts]),
        successful=sum([part.successful for part in facts]),
        failed=sum([part.failed for part in facts]),
        unknown=sum([part.unknown for part in facts]),
        allowed=sum([part.allowed for part in facts]),
        denied=sum([part.denied for part in facts]),
        asked=sum([part.asked for part in facts]),
        lines_added=sum([part.lines_added for part in facts]),
        lines_removed=sum([part.lines_removed for part in facts]),
        files=set().union(*files) if files else None,
        tools=[interval for part in facts for interval in part.tools],
        active=[interval for part in facts for interval in part.active],
        api_time=sum(measured) if measured else None,
        ended=any(part.ended for part in facts),
        notes=[note for part in facts for note in part.notes],
    )


def _notes(facts: Facts, models: tuple[Usage, ...], unfinished: int) -> tuple[Problem, ...]:
    found = [wording.unpriced(models)]
    if unfinished:
        requests = "1 request has" if unfinished == 1 else f"{unfinished:,} requests have"
        found.append(f"{requests} no final usage recorded: output tokens and cost are lower bounds")
    if facts.unknown:
        calls = wording.counted(facts.unknown, "tool call")
        found.append(f"The outcome of {calls} is not recorded; counted as successful")
    found += facts.notes
    return tuple(
        Problem(problems.INCOMPLETE, note, "information") for note in dict.fromkeys(found) if note
    )
