"""What an agent's transcript says of its sessions, and the session that this adds up to.

Facts only: counts, times, names of models and tools, outcomes; never a word of a conversation.
The mapping onto a report's figures is the one of the session format.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from rad_lsp.core import money, problems, spending, usage, wording
from rad_lsp.core.intervals import covered
from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.core.spending import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.session import Child, Usage
    from rad_lsp.core.spending import PriceList, Spending

HASHED: Final = "sha256:"
"""What a folder begins with of which only the hash of its path is known."""

Outcome: TypeAlias = Literal["ok", "failed", "denied", "unknown"]
"""How a tool call ended. The user refused a `denied` one; an `unknown` one is not recorded."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_MISSING: Final = Money(None, lower_bound=1)
"""What a session cost of which nothing is known: what is known of others is less than the sum."""

_LINES_OF_ALL: Final = "Changed lines are recorded without times: all count with the last run"


class RequestRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A request as one file has it; others may hold copies of it, which count once.

    `key` and `variant` together name the request within all files of its agent; an empty key is
    that of a request without copies. A `side` copy is one that a sub-agent replays: it gives way
    to a copy that has the same key, whatever its variant. `final` is False when more output may
    have followed than was recorded, `billed` when too little was recorded to tell what it cost.
    `is_sum` tells that the file has only the sum of several requests, or none of their times.
    """

    key: str
    session_id: str
    request: Request
    variant: str = ""
    side: bool = False
    final: bool = True
    billed: bool = True
    is_sum: bool = False


class ToolRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Tool calls that ended alike: one, but where a file has only their number (`is_sum`).

    `start` is in milliseconds since the epoch, 0 where it is not recorded; `duration` in
    milliseconds, None where it is not recorded. `name` is empty where the file names no tools.
    `request` is the key of the request that asked for the call, where the agent copies calls with
    it into other files. `waited` tells that the time was spent waiting for the user. The lines that
    a call changed are told here or by `Facts`, and so is the hash of the file; 0 for none.
    """

    session_id: str
    name: str
    start: int
    duration: int | None
    outcome: Outcome
    calls: int = 1
    is_sum: bool = False
    request: str = ""
    waited: bool = False
    lines_added: int = 0
    lines_removed: int = 0
    changed_file: int = 0


ToolRow: TypeAlias = tuple[Outcome, int, int, int | None, int, int, int, int]
"""Of tool calls: outcome, number, start, duration, whether they `waited`, lines added and removed,
hash of the changed file; see `ToolRecord`."""


class Facts(msgspec.Struct, gc=False, array_like=True):
    """What one file says of one session, but for its requests and tool calls.

    `start` and `end` are the first and the last moment that is recorded, in milliseconds since
    the epoch; 0 while there is none. `active` intervals (from, to) may overlap. `files` are
    hashes of changed files' paths, None where the agent does not record them. `api_time` is
    milliseconds where the agent measures it. `ended` tells that the agent wrote an end.
    """

    session_id: str
    start: int = 0
    end: int = 0
    cwd: str = ""
    branch: str = ""
    lines_added: int = 0
    lines_removed: int = 0
    files: set[int] | None = None
    active: list[tuple[int, int]] = msgspec.field(default_factory=list)
    api_time: int | None = None
    ended: bool = False
    notes: list[str] = msgspec.field(default_factory=list)

    def at(self, time: int) -> None:
        """Something happened at a moment."""
        if not self.start or time < self.start:
            self.start = time
        self.end = max(self.end, time)


def last_record(before: RequestRecord, now: RequestRecord) -> RequestRecord:
    """Of two records of a request in one file the one that counts, with the time of the first.

    It is the one with the most output tokens, of equal ones the later. Of searches the most count.
    """
    time = before.request.time
    searches = max(before.request.searches, now.request.searches)
    later = now.request.tokens.output >= before.request.tokens.output
    counts = now if later else before
    request = msgspec.structs.replace(counts.request, time=time, searches=searches)
    return msgspec.structs.replace(counts, request=request, final=before.final or now.final)


def tool_row(tool: ToolRecord) -> ToolRow:
    """What `session` needs of tool calls."""
    return (
        tool.outcome,
        tool.calls,
        tool.start,
        tool.duration,
        tool.waited,
        tool.lines_added,
        tool.lines_removed,
        tool.changed_file,
    )


def rows(records: Iterable[RequestRecord], price_list: PriceList) -> tuple[Spending, ...]:
    """Requests, each priced by itself, added up in order of time."""
    return spending.add_up(_priced(record, price_list) for record in records)


def session(
    source: str,
    path: str,
    facts: Sequence[Facts],
    rows: tuple[Spending, ...],
    tools: Iterable[ToolRow] = (),
    since: int = 0,
    *,
    deleted: bool = False,
) -> Session:
    """The session that all files together tell of; `path` is the file that stands for it.

    What it did before `since`, in milliseconds since the epoch, belongs to another session.
    `deleted` tells that all of the files are gone.
    """
    whole = facts[0] if len(facts) == 1 else _joined(facts)
    begin = min(max(whole.start, since), whole.end)
    last = moment(whole.end)
    calls: dict[Outcome, int] = {"ok": 0, "failed": 0, "denied": 0, "unknown": 0}
    intervals: list[tuple[int, int]] = []
    waits: list[tuple[int, int]] = []
    added, removed = whole.lines_added, whole.lines_removed
    files = set(whole.files or ())
    for outcome, number, start, duration, waited, more, fewer, changed in tools:
        calls[outcome] += number
        added += more
        removed += fewer
        if changed:
            files.add(changed)
        if duration is not None:
            (waits if waited else intervals).append((start, start + duration))
    tool_time = covered(intervals)
    turns = [(max(start, begin), end) for start, end in whole.active]
    # The agent does not work while it waits for the user, unless tools run meanwhile.
    active = covered(intervals + turns + waits) - covered(intervals + waits) + tool_time
    api_time = active - tool_time if whole.api_time is None else whole.api_time
    spent = usage.of_spending(rows)
    successful = calls["ok"] + calls["unknown"]
    return Session(
        id=whole.session_id,
        source=source,
        path=path,
        start_time=moment(begin),
        end_time=last if whole.ended else None,
        generated_at=last,
        wall_time=(whole.end - begin) * _NANOSECONDS,
        agent_active_time=active * _NANOSECONDS,
        api_time=api_time * _NANOSECONDS,
        tool_time=tool_time * _NANOSECONDS,
        tool_calls=successful + calls["failed"],
        successful_tool_calls=successful,
        unknown_tool_calls=calls["unknown"],
        failed_tool_calls=calls["failed"],
        approvals_allowed=0,
        approvals_denied=calls["denied"],
        approvals_asked=0,
        lines_added=added,
        lines_removed=removed,
        files_changed=None if whole.files is None and not files else len(files),
        api_time_measured=whole.api_time is not None,
        deleted=deleted,
        problems=_notes(whole, spent["models"], calls["unknown"], deleted=deleted),
        **spent,
    )


def session_within(
    whole: Session,
    facts: Sequence[Facts],
    spans: Sequence[tuple[float, float]],
    moments: Iterable[int],
    rows: tuple[Spending, ...],
    tools: Iterable[ToolRow],
    *,
    is_last: bool,
) -> Session:
    """What a session came to in some spans of time, which has these rows and tool calls then.

    `moments` are their times. What the agent only records of the session as a whole counts with
    the part that `is_last`, but for API time: it is computed as if it had not been measured.
    """
    joined = _joined(facts)
    told_whole = bool(joined.lines_added or joined.lines_removed or joined.files)
    part = Facts(
        whole.id,
        files=None if joined.files else joined.files,
        active=[
            (int(max(start, since)), int(min(end, until)))
            for start, end in joined.active
            for since, until in spans
            if start < until and since < end
        ],
        notes=joined.notes,
    )
    if is_last:
        part.lines_added, part.lines_removed = joined.lines_added, joined.lines_removed
        part.files = joined.files
        part.ended = any(since <= joined.end < until for since, until in spans) and joined.ended
        if told_whole:
            part.notes.append(_LINES_OF_ALL)
    for moment in (*moments, *(end for turn in part.active for end in turn)):
        part.at(moment)
    found = session(whole.source, whole.path, [part], rows, tools, deleted=whole.deleted)
    wall = sum(max(min(part.end, until) - max(part.start, since), 0) for since, until in spans)
    place = {"project": whole.project, "branch": whole.branch}
    return msgspec.structs.replace(found, wall_time=int(wall) * _NANOSECONDS, **place)


def own_start(facts: Sequence[Facts], copied: int) -> int:
    """When a session began that has copied what another one did until `copied`: its own first turn.

    Both are in milliseconds since the epoch.
    """
    turns = [start for part in facts for start, _ in part.active if start > copied]
    return min(turns, default=max([part.end for part in facts]))


def moment(time: int) -> datetime:
    """The time that is so many milliseconds after the epoch."""
    return EPOCH + timedelta(milliseconds=time)


def hashed(folder: str) -> str:
    """What `Facts.cwd` is where only the SHA-256 of the folder's path is known."""
    import hashlib

    return f"{HASHED}{hashlib.sha256(folder.encode(errors='surrogatepass')).hexdigest()}"


def repriced(found: Session, price_list: PriceList) -> Session:
    """A session with the prices of another list, for the models that it has and by its rates.

    A price that the user sets has one rate for requests of all sizes.
    """
    rows = tuple(_repriced(row, price_list) for row in found.spending)
    spent = usage.of_spending(rows)
    notes = tuple(problem for problem in found.problems if problem.code != problems.UNPRICED)
    if still := wording.unpriced(spent["models"]):
        notes = (Problem(problems.UNPRICED, still, "information"), *notes)
    return msgspec.structs.replace(found, problems=notes, **spent)


def merged(tracked: Session, children: Sequence[Session], missing: Sequence[Child] = ()) -> Session:
    """A tracked session with the sessions that ran as part of it.

    What its own events tell counts; what they left empty is filled from the children. Of those
    that are `missing` it is not known what they cost.
    """
    parts = [child for child in children if child.models or child.tool_calls]
    changes: dict[str, object] = {}
    notes = [problem for child in parts for problem in child.problems]
    if not tracked.models and (parts or missing):
        rows = [row for child in parts for row in child.spending]
        changes |= usage.of_spending(tuple(sorted(rows, key=attrgetter("slot"))))
        costs = [child.money for child in parts] + [_MISSING] * len(missing)
        changes["money"] = money.total(costs)
        changes |= _sums(parts, "cached_tokens", "cache_creation_tokens", "cache_read_tokens")
        notes += [_not_found(child) for child in missing]
    if not parts and not notes:
        return tracked
    if not tracked.tool_calls:
        changes |= _sums(parts, "tool_calls", "successful_tool_calls", "failed_tool_calls")
        changes |= _sums(parts, "unknown_tool_calls")
    if not (tracked.approvals_allowed or tracked.approvals_denied or tracked.approvals_asked):
        changes |= _sums(parts, "approvals_allowed", "approvals_denied", "approvals_asked")
    if not tracked.agent_active_time:
        changes |= _sums(parts, "agent_active_time", "api_time", "tool_time")
        changes["api_time_measured"] = all(part.api_time_measured for part in parts)
    if tracked.files_changed is None and not (tracked.lines_added or tracked.lines_removed):
        changes |= _sums(parts, "lines_added", "lines_removed")
    if notes:
        changes["problems"] = (*tracked.problems, *notes)
    return msgspec.structs.replace(tracked, **changes)


def _not_found(child: Child) -> Problem:
    name = wording.printable(child.session_id)
    message = f"The transcript of {child.source} session {name} can't be found: its cost is unknown"
    return Problem(problems.INCOMPLETE, message, "information")


def _sums(parts: Sequence[Session], *fields: str) -> dict[str, object]:
    return {field: sum(getattr(part, field) for part in parts) for field in fields}


def _priced(record: RequestRecord, price_list: PriceList) -> Spending:
    row = spending.priced(record.request, price_list)
    usd, unpriced = (row.cost, row.money.unpriced) if record.billed else (None, row.requests)
    lower_bound = 0 if record.final else row.requests
    return msgspec.structs.replace(
        row,
        threshold=row.threshold if record.billed else 0,
        reported=row.reported or not record.billed,
        money=Money(usd, lower_bound, unpriced),
    )


def _repriced(row: Spending, price_list: PriceList) -> Spending:
    if row.reported:
        return row
    price = price_list.price(row.model, row.engine, row.slot, row.tier)
    return row if price is None else spending.repriced(row, price)


def _joined(facts: Sequence[Facts]) -> Facts:
    """What several files say of one session, taken together, but for where it was."""
    files = [part.files for part in facts if part.files is not None]
    measured = [part.api_time for part in facts if part.api_time is not None]
    return Facts(
        facts[0].session_id,
        start=min([part.start for part in facts if part.start], default=0),
        end=max([part.end for part in facts]),
        lines_added=sum([part.lines_added for part in facts]),
        lines_removed=sum([part.lines_removed for part in facts]),
        files=set().union(*files) if files else None,
        active=[interval for part in facts for interval in part.active],
        api_time=sum(measured) if measured else None,
        ended=any(part.ended for part in facts),
        notes=[note for part in facts for note in part.notes],
    )


def _notes(
    facts: Facts, models: Sequence[Usage], unknown: int, *, deleted: bool
) -> tuple[Problem, ...]:
    found = [(problems.UNPRICED, wording.unpriced(models))]
    unfinished = sum([used.money.lower_bound for used in models])
    if unfinished:
        requests = "1 request has" if unfinished == 1 else f"{unfinished:,} requests have"
        said = f"{requests} no final usage recorded: output tokens and cost are lower bounds"
        found.append((problems.LOWER_BOUND, said))
    if unknown:
        calls = wording.counted(unknown, "tool call")
        said = f"The outcome of {calls} is not recorded: left out of the success rate"
        found.append((problems.UNKNOWN_OUTCOME, said))
    if deleted:
        said = "The transcript has been deleted; these are its last figures"
        found.append((problems.DELETED, said))
    found += [(problems.INCOMPLETE, note) for note in facts.notes]
    return tuple(Problem(code, note, "information") for code, note in dict.fromkeys(found) if note)
