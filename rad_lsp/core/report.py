"""A session report as Radium stores it: read, checked and written.

Three generations of the format exist; all are read. A report is handed on as its stored bytes,
so unknown keys survive; these structs hold what the figures need, and what we write ourselves.
"""

from __future__ import annotations

import contextlib
import math
import re
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from rad_lsp.core import money, problems, session, spending, tool_calls
from rad_lsp.core.document import Path, dotted, locate
from rad_lsp.core.figures import FIGURES
from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import RADIUM, Child, Session
from rad_lsp.core.tokens import of_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES: Final = 64 * 1024 * 1024
"""A larger file is not read."""

U64_MAX: Final = 2**64 - 1
NANOS_PER_SECOND: Final = 1_000_000_000

# The upper bound of 2^64-1 does not fit msgspec's constraints; `read` checks it.
U64: TypeAlias = Annotated[int, Meta(ge=0)]
U32: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]
I64: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Duration(Struct, frozen=True, gc=False):
    """A length of time as Rust's serde writes it."""

    secs: U64
    nanos: U32


StoredDuration: TypeAlias = Duration | tuple[U64, U32]


class Usage(Struct, frozen=True, gc=False):
    """Requests, tokens and USD of one model or engine."""

    requests: U64
    input_tokens: U64
    output_tokens: U64
    cached_tokens: U64
    estimated_cost: float


class Spending(Struct, frozen=True, gc=False, kw_only=True):
    """Requests of one slot of fifteen minutes to one model, billed by one rule.

    Our own reports have these; `rad_lsp.core.spending.Spending` tells what the fields mean.
    """

    start: Time
    model: str
    engine: str = ""
    tier: str = ""
    threshold: U64 = 0
    requests: U64
    input_tokens: U64
    cache_read_tokens: U64 = 0
    cache_write_5m_tokens: U64 = 0
    cache_write_1h_tokens: U64 = 0
    output_tokens: U64
    cost: float | None = None
    reported: bool = False
    lower_bound: U64 | UnsetType = UNSET
    web_searches: U64 | UnsetType = UNSET


class ToolCalls(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Calls of one tool that began in one slot of fifteen minutes.

    Our own reports have these; `rad_lsp.core.tool_calls.ToolCalls` tells what the fields mean.
    """

    start: Time
    name: str = ""
    ok: U64 = 0
    failed: U64 = 0
    denied: U64 = 0
    duration: StoredDuration = (0, 0)


class ChildSession(Struct, frozen=True, gc=False):
    """A session of another agent that ran as part of this one."""

    source: str
    session_id: str


class Metrics(Struct, frozen=True, gc=False, kw_only=True):
    """The figures of a session, in the order in which Radium writes them.

    What follows behind `total_cost` are keys of our own reports; `warnings` are sentences on
    what could not be counted.
    """

    session_id: str
    start_time: Time
    end_time: Time | None = None
    wall_time: StoredDuration
    agent_active_time: StoredDuration
    api_time: StoredDuration
    tool_time: StoredDuration
    tool_calls: U64
    successful_tool_calls: U64
    failed_tool_calls: U64
    tool_approvals_allowed: U64 = 0
    tool_approvals_denied: U64 = 0
    tool_approvals_asked: U64 = 0
    lines_added: I64
    lines_removed: I64
    model_usage: dict[str, Usage]
    engine_usage: dict[str, Usage] = {}
    total_cached_tokens: U64
    total_cache_creation_tokens: U64
    total_cache_read_tokens: U64
    total_cost: float
    unknown_tool_calls: U64 | UnsetType = UNSET
    files_changed: U64 | UnsetType | None = UNSET
    spending: tuple[Spending, ...] | UnsetType = UNSET
    calls_by_tool: tuple[ToolCalls, ...] | UnsetType = UNSET
    warnings: tuple[str, ...] | UnsetType = UNSET
    child_sessions: tuple[ChildSession, ...] | UnsetType = UNSET
    source: str | UnsetType = UNSET


class Report(Struct, frozen=True, gc=False):
    """One file of `.radium/_internals/sessions/`."""

    metrics: Metrics
    generated_at: Time


_DURATIONS: Final = tuple(
    figure.name for figure in FIGURES if figure.key and figure.unit == "nanoseconds"
)
"""What a report's metrics and a session hold under the same name, each in a form of its own."""

_COUNTS: Final = {
    figure.name: figure.key
    for figure in FIGURES
    if figure.key and figure.unit not in {"nanoseconds", "USD"}
}
"""The keys of a report's metrics by the names under which a session holds the same numbers."""

_counts_of = attrgetter(*_COUNTS.values())


def read(data: bytes) -> Report | Problem:
    """The report in `data`, or what keeps it from being read; raises nothing, ever."""
    if len(data) > MAX_BYTES:
        return too_large(len(data))
    try:
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _encoding(data) or _read_closely(data)
    if not data.isascii() and (problem := _encoding(data)):
        return problem
    return _beyond(data, report) or report


def encode(report: Report, *, compact: bool = False) -> bytes:
    """The report as Radium writes it: two spaces of indent, or none when `compact`."""
    data = _encoder.encode(report)
    return data if compact else msgspec.json.format(data, indent=2)


def of(found: Session) -> Report:
    """A session of any source as a report. The cost of requests without a price is 0 there."""
    figures: dict[str, Any] = {key: getattr(found, name) for name, key in _COUNTS.items()}
    figures |= {name: _duration(getattr(found, name)) for name in _DURATIONS}
    metrics = Metrics(
        session_id=found.id,
        start_time=found.start_time,
        end_time=found.end_time,
        model_usage=_stored_usages(found.models),
        engine_usage=_stored_usages(found.engines),
        total_cost=found.cost or 0.0,
        unknown_tool_calls=found.unknown_tool_calls or UNSET,
        spending=tuple(map(_stored_row, found.spending)),
        calls_by_tool=tuple(map(_stored_calls, found.calls_by_tool)) or UNSET,
        warnings=tuple(problem.message for problem in found.problems),
        child_sessions=tuple(
            ChildSession(child.source, child.session_id) for child in found.children
        )
        or UNSET,
        source=UNSET if found.source == RADIUM else found.source,
        **figures,
    )
    return Report(metrics, found.generated_at)


def shown(found: Session) -> bytes:
    """A session of any source as JSON of a report in which costs that are not known are null.

    `cost_is_lower_bound` is there, and true, where the total may be higher. A stored report has
    neither, so that Radium can read it.
    """
    told = msgspec.to_builtins(of(found))
    metrics = told["metrics"]
    for key, usages in (("model_usage", found.models), ("engine_usage", found.engines)):
        for usage in usages:
            metrics[key][usage.name]["estimated_cost"] = usage.cost
    metrics["total_cost"] = found.cost
    if found.money.is_lower_bound:
        metrics["cost_is_lower_bound"] = True
    return msgspec.json.format(_encoder.encode(told), indent=2)


def session_of(found: Report, source: str, path: str) -> Session:
    """The session in a report that was read from `path`; the reverse of `of`.

    A report's own cost is 0 where no price is known; the rows of `spending` tell that apart.
    """
    metrics = found.metrics
    rows = tuple(map(_row_of, metrics.spending or ()))
    figures: dict[str, Any] = dict(zip(_COUNTS, _counts_of(metrics), strict=True))
    figures |= {name: nanoseconds(getattr(metrics, name)) for name in _DURATIONS}
    if metrics.files_changed is UNSET:
        figures["files_changed"] = None
    return Session(
        id=metrics.session_id,
        source=source,
        path=path,
        start_time=metrics.start_time.astimezone(UTC),
        end_time=metrics.end_time and metrics.end_time.astimezone(UTC),
        generated_at=found.generated_at.astimezone(UTC),
        models=_usages_of(metrics.model_usage, rows, "model"),
        engines=_usages_of(metrics.engine_usage, rows, "engine"),
        money=_money_of(metrics.total_cost, rows),
        unknown_tool_calls=metrics.unknown_tool_calls or 0,
        spending=rows,
        calls_by_tool=tool_calls.Counter(map(_calls_of, metrics.calls_by_tool or ())).rows(),
        children=tuple(
            Child(child.source, child.session_id) for child in metrics.child_sessions or ()
        ),
        **figures,
    )


def _stored_usages(usages: Sequence[session.Usage]) -> dict[str, Usage]:
    return {
        u.name: Usage(u.requests, u.input_tokens, u.output_tokens, u.cached_tokens, u.cost or 0.0)
        for u in usages
    }


def _usages_of(
    stored: dict[str, Usage], rows: tuple[spending.Spending, ...], field: str
) -> tuple[session.Usage, ...]:
    """Usage by model or engine, in the order of names: the stored order is random."""
    return tuple(
        session.Usage(
            name,
            u.requests,
            u.input_tokens,
            u.output_tokens,
            u.cached_tokens,
            _money_of(u.estimated_cost, [row for row in rows if getattr(row, field) == name]),
        )
        for name, u in sorted(stored.items())
    )


def _money_of(cost: float, rows: Sequence[spending.Spending]) -> Money:
    """A stored cost, and how sure it is by the rows behind it; without rows it is exact."""
    if not rows:
        return Money(cost)
    known = money.total([row.money for row in rows])
    return Money(None if known.usd is None else cost, known.lower_bound, known.unpriced)


def _row_of(row: Spending) -> spending.Spending:
    tokens = of_input(
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.output_tokens,
    )
    return spending.Spending(
        _slot(row.start),
        row.model,
        row.engine,
        row.tier,
        row.threshold,
        row.reported,
        row.requests,
        tokens,
        Money(row.cost, row.lower_bound or 0, row.requests if row.cost is None else 0),
        row.web_searches or 0,
    )


def _calls_of(row: ToolCalls) -> tool_calls.ToolCalls:
    return tool_calls.ToolCalls(
        _slot(row.start), row.name, row.ok, row.failed, row.denied, nanoseconds(row.duration)
    )


def _slot(start: datetime) -> int:
    return int(start.timestamp()) // spending.SLOT_SECONDS


def _start(slot: int) -> datetime:
    return datetime.fromtimestamp(slot * spending.SLOT_SECONDS, UTC)


def _duration(nanoseconds: int) -> Duration:
    return Duration(*divmod(nanoseconds, NANOS_PER_SECOND))


def _stored_row(row: spending.Spending) -> Spending:
    tokens = row.tokens
    return Spending(
        start=_start(row.slot),
        model=row.model,
        engine=row.engine,
        tier=row.tier,
        threshold=row.threshold,
        requests=row.requests,
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cache_read,
        cache_write_5m_tokens=tokens.cache_write_5m,
        cache_write_1h_tokens=tokens.cache_write_1h,
        output_tokens=tokens.output,
        cost=row.cost,
        reported=row.reported,
        lower_bound=row.money.lower_bound or UNSET,
        web_searches=row.searches or UNSET,
    )


def _stored_calls(row: tool_calls.ToolCalls) -> ToolCalls:
    duration = _duration(row.duration) if row.duration else (0, 0)
    return ToolCalls(
        start=_start(row.slot),
        name=row.name,
        ok=row.ok,
        failed=row.failed,
        denied=row.denied,
        duration=duration,
    )


def reformat(data: bytes, *, indent: int = 2) -> bytes:
    """Stored JSON laid out anew, value for value; on one line when `indent` is -1.

    `data` must be the bytes of a report that `read` accepts.
    """
    return msgspec.json.format(data, indent=indent)


def nanoseconds(duration: StoredDuration) -> int:
    """A stored duration in nanoseconds; nanos of a second and more are carried over."""
    if isinstance(duration, Duration):
        return duration.secs * NANOS_PER_SECOND + duration.nanos
    return duration[0] * NANOS_PER_SECOND + duration[1]


def too_large(size: int) -> Problem:
    """The problem of a file of `size` bytes, which is more than is read."""
    return Problem(
        problems.TOO_LARGE,
        f"The file has {size:,} bytes, more than the {MAX_BYTES // 2**20} MiB that are read",
    )


_encoder = msgspec.json.Encoder()

# Patterns are compiled when a problem needs them: compiling is slow, and problems are rare.
_BYTE = r"^JSON is malformed: (.*) \(byte (\d+)\)$"
_STEP = r"\.([^.\[]+)|\[(\d+|\.\.\.)\]"
_SURROGATES = (
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
"""Escapes in strings; the group takes a surrogate that is not half of a pair."""
_EXPECTED = r"Expected `([^`]+)`(?:, got `([^`]+)`)?"
_MISSING = r"missing required field `([^`]+)`"
_GOT = {"float": "a decimal number"}
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "object": "an object",
    "array": "an array",
    "bool": "true or false",
    "null": "null",
    "datetime": "an RFC 3339 time such as 2025-12-07T09:00:00Z",
}


def _encoding(data: bytes) -> Problem | None:
    """What is wrong with the text encoding, which the JSON decoder does not check."""
    end = len(data)
    if not data.strip():
        return Problem(problems.EMPTY, "The file is empty", span=(0, end))
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return Problem(problems.NOT_UTF8, "The file is UTF-32, not UTF-8", span=(0, 4))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(problems.NOT_UTF8, "The file is UTF-16, not UTF-8", span=(0, 2))
    if data.startswith(b"\xef\xbb\xbf"):
        return Problem(problems.NOT_UTF8, "The file begins with a byte order mark", span=(0, 3))
    if (nul := data.find(0)) >= 0:
        return Problem(problems.NOT_UTF8, "The file holds NUL bytes", span=(nul, nul + 1))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason == "unexpected end of data":
            return None  # cut off within a character, which the syntax check finds
        span = (error.start, error.end)
        return Problem(problems.NOT_UTF8, "The file is not valid UTF-8", span=span)
    return None


def _read_closely(data: bytes) -> Report | Problem:
    """What the decoder turned down: a problem, or only an earlier duplicate at fault."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
        # Of duplicate keys this keeps the last, where the decoder checks each.
        value = _loads(data)
        report = msgspec.convert(value, Report)
    except RecursionError:
        span = (0, len(data))
        return Problem(problems.TOO_DEEP, "Values are nested too deeply to be read", span=span)
    except msgspec.ValidationError as error:
        return _fault(data, value, error)
    except msgspec.DecodeError as error:
        return _malformed(data, error)
    return _beyond(data, report) or report


def _malformed(data: bytes, error: msgspec.DecodeError) -> Problem:
    """The problem behind a decoder's syntax error."""
    end = len(data.rstrip())
    if match := re.match(_BYTE, str(error)):
        # Where something follows the report, the decoder has gone one byte further.
        byte = int(match[2]) - ("trailing characters" in match[1])
        if byte < end:
            return Problem(problems.NOT_JSON, f"Not valid JSON: {match[1]}", span=(byte, byte + 1))
    # The decoder calls half of a surrogate pair a truncation, too; the json module takes it.
    with contextlib.suppress(ValueError, RecursionError):
        _loads(data)
        for found in re.finditer(_SURROGATES, data):
            if found.lastindex:
                message = "Not valid JSON: half of a surrogate pair in a string"
                return Problem(problems.NOT_JSON, message, span=found.span())
    message = "The file ends in the middle of the report"
    return Problem(problems.TRUNCATED, message, span=(end - 1, end))


def _fault(data: bytes, value: Any, error: msgspec.ValidationError) -> Problem:
    """The problem behind a value of the wrong shape, with its path and bytes."""
    reason, _, where = str(error).partition(" - at `$")
    path = _resolve(value, where.rstrip("`"))
    if match := re.search(_MISSING, reason):
        missing = (*path, match[1])
        message = f"`{dotted(missing)}` is missing"
        return Problem(problems.MISSING_KEY, message, path=missing, span=locate(data, path))
    name = f"`{dotted(path)}`" if path else "The report"
    code = problems.WRONG_TYPE
    if "out of range" in reason or ">=" in reason or "<=" in reason:
        code, message = problems.OUT_OF_RANGE, f"{name} is out of range"
    elif "RFC3339" in reason or "timezone" in reason:
        message = f"{name} must be {_WORDS['datetime']}"
    elif (match := re.search(_EXPECTED, reason)) and match[2]:
        expected = " or ".join(_WORDS.get(word, word) for word in match[1].split(" | "))
        message = (
            f"{name} must be {expected}, not {_GOT.get(match[2]) or _WORDS.get(match[2], match[2])}"
        )
    else:
        message = f"{name} has the wrong shape: {reason[:1].lower()}{reason[1:]}"
    return Problem(code, message, path=path, span=locate(data, path))


def _resolve(value: Any, where: str) -> Path:
    """The path that msgspec names, with `[...]` replaced by the key of the entry at fault."""
    path: list[str | int] = []
    for key, index in re.findall(_STEP, where):
        step = key or (int(index) if index != "..." else _bad_entry(value))
        value = value[step] if index or step in value else None
        path.append(step)
    return tuple(path)


def _bad_entry(usages: dict[str, Any]) -> str:
    """The first model or engine whose usage can't be read."""
    return next(name for name, usage in usages.items() if not _is_usage(usage))


def _is_usage(value: Any) -> bool:
    try:
        msgspec.convert(value, Usage)
    except msgspec.ValidationError:
        return False
    return True


def _loads(data: bytes) -> Any:
    """Plain values, of duplicate keys the last. Raises ValueError, RecursionError."""
    import json

    return json.loads(data, parse_int=_parse_int, parse_float=_parse_float)


def _parse_int(digits: str) -> int:
    """An integer of any length, cut to what is still beyond every float.

    Python itself refuses those of over 4,300 digits.
    """
    return int(digits[:400])


def _parse_float(digits: str) -> float | int:
    """A float, or an integer beyond every float where it would become infinite."""
    number = float(digits)
    return number if math.isfinite(number) else 10**400


def _beyond(data: bytes, report: Report) -> Problem | None:
    """The count or duration above 2^64-1, or the time that UTC does not reach, if there is one."""
    m = report.metrics
    numbers = [number or 0 for number in (*_counts_of(m), m.unknown_tool_calls)]
    numbers += [nanoseconds(getattr(m, name)) // NANOS_PER_SECOND for name in _DURATIONS]
    for u in (*m.model_usage.values(), *m.engine_usage.values()):
        numbers += u.requests, u.input_tokens, u.output_tokens, u.cached_tokens
    for row in m.spending or ():
        numbers += row.threshold, row.lower_bound or 0, row.requests
        numbers += row.input_tokens, row.output_tokens, row.cache_read_tokens
        numbers += row.cache_write_5m_tokens, row.cache_write_1h_tokens
    for calls in m.calls_by_tool or ():
        numbers += calls.ok, calls.failed, calls.denied
        numbers.append(nanoseconds(calls.duration) // NANOS_PER_SECOND)
    if max(numbers) <= U64_MAX and all(time.tzinfo is UTC for _, time in _times(report)):
        return None
    path = next((path for path, number in _numbers(report) if number > U64_MAX), None)
    path = path or next((path for path, time in _times(report) if not _has_utc(time)), None)
    if path is None:
        return None
    message = f"`{dotted(path)}` is out of range"
    return Problem(problems.OUT_OF_RANGE, message, path=path, span=locate(data, path))


def _times(report: Report) -> Iterator[tuple[Path, datetime]]:
    yield ("metrics", "start_time"), report.metrics.start_time
    if report.metrics.end_time is not None:
        yield ("metrics", "end_time"), report.metrics.end_time
    for number, row in enumerate(report.metrics.spending or ()):
        yield ("metrics", "spending", number, "start"), row.start
    for number, calls in enumerate(report.metrics.calls_by_tool or ()):
        yield ("metrics", "calls_by_tool", number, "start"), calls.start
    yield ("generated_at",), report.generated_at


def _has_utc(time: datetime) -> bool:
    """Whether a time stays within the years 1 to 9999 when its offset is taken off."""
    try:
        time.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """Every whole number below `value` with its path; a duration counts as its seconds."""
    if isinstance(value, Duration):
        yield (*path, "secs"), nanoseconds(value) // NANOS_PER_SECOND
    elif isinstance(value, tuple) and [*map(type, value)] == [int, int]:
        yield (*path, 0), nanoseconds((value[0], value[1])) // NANOS_PER_SECOND
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _numbers(inner, (*path, index))
    elif isinstance(value, int):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, key))
    elif isinstance(value, Struct):
        for key in value.__struct_fields__:
            yield from _numbers(getattr(value, key), (*path, key))
