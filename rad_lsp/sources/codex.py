"""Sessions of Codex: its command line, editor extension and desktop application.

A session is one file, `rollout-<local time>-<id>.jsonl`, of lines `{timestamp, type, payload}`.
When it has rested for a week it is compressed, and becomes `rollout-….jsonl.zst`.

Usage is a running total that is often written twice, so that a request is a change of the total.
From version 0.154 on each answer also has a record of its usage, and some have only that: those
that compact a session are not in the total. The record counts, and of a total what it grew by
beyond the records.

Forked sessions and sub-agents are files that may begin with a copy of another session's history,
whose usage, tool calls and changes belong to that session.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeVar

import msgspec

from rad_lsp.core import limits
from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import of_input
from rad_lsp.core.transcript import Facts, Outcome, RequestRecord, ToolRecord, last_record, moment
from rad_lsp.sources import Parser, Place, Progress, Source, State, _lines, _titles, _zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

ENGINE: Final = "codex"
NO_PARENT: Final = (
    "The session that this one continues is gone: what was copied from it is told apart by time"
)

_ROLLOUT: Final = re.compile(r"rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-(.+)\.jsonl(?:\.zst)?")
_LOCAL_PROVIDERS: Final = {"oss": "local"}
"""Providers by which Codex means a model on the user's own machine, but that no one else names."""

_BURST: Final = 1000
"""Milliseconds within which the next line of a copied history is written; no model answers sooner.
"""

_LIMIT: Final = "codex"
"""The limit that Codex means where it names none."""

_RECENT: Final = 16
"""How many counts without a record, and records without a count, are remembered."""

_STANDARD: Final = frozenset({"", "auto", "default", "standard"})
_TIERS: Final = {"fast": "priority"}
"""Service tiers by names that Codex has for them beside the provider's."""

_ASKS: Final = frozenset({"request_permissions", "request_plugin_install", "request_user_input"})
"""Tools that wait for the user's answer."""

_PARENTS: Final = 4
"""How many other sessions' totals are kept: those who continue one session are read in a row."""

_PIECE: Final = 1 << 16
"""Bytes. No record of usage is that long."""

_LONGEST: Final = 32 << 20
"""Bytes of a line that is read."""

_MOST_LINES: Final = 2_000_000
_MOST_RECORDS: Final = 250_000
"""Of a compressed transcript, which is read in one go: lines, and those that are kept in memory.
Real ones have far fewer; few compressed bytes could stand for any number."""

Totals = tuple[int, int, int, int]
"""Tokens so far: input, read from the cache, written to the cache, output."""

_NOTHING: Final[Totals] = (0, 0, 0, 0)


class History(NamedTuple):
    """What tells a copy of a session's history: its totals in their order, ids of its answers."""

    totals: list[Totals]
    responses: set[str]


class Codex(Source):
    """The transcripts below `$CODEX_HOME`, otherwise `.codex` in the user's home folder."""

    name: ClassVar[str] = "codex"
    label: ClassVar[str] = "Codex"
    places: ClassVar[tuple[Place, ...]] = (
        Place("sessions", home=".codex", variable="CODEX_HOME"),
        Place("archived_sessions", home=".codex", variable="CODEX_HOME"),
    )
    resume: ClassVar[tuple[str, ...]] = ("codex", "resume")

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        self.folders: tuple[Path, ...] = tuple(
            path for place in self.places for path in place.paths(environ, home)
        )
        self._found: dict[str, str] = {}
        self._paths: set[str] = set()
        self._histories: dict[tuple[str, int], History] = {}

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none.

        Of a session that lies in the archive as well, the copy there is left out. While a file is
        being compressed the plain one counts: the other may not be whole.
        """
        plain: dict[str, str] = {}
        compressed: dict[str, str] = {}
        for folder in self.folders:
            for path in _lines.files([folder], _SUFFIXES):
                name = path.rpartition(os.sep)[2]
                if name.startswith("rollout-"):
                    found = compressed if _is_compressed(path) else plain
                    found.setdefault(name.removesuffix(_zstd.SUFFIX), path)
        by_name = compressed | plain
        self._found = {_id(path): path for path in by_name.values()}
        self._paths = set(by_name.values())
        return iter(by_name.values())

    def by_line(self, path: str) -> bool:
        """Whether a transcript grows by lines; a compressed one is read as a whole."""
        return not _is_compressed(path)

    def titled_in(self, path: str) -> tuple[str, ...]:
        """The list of all threads, which is rewritten when one is renamed, and the transcript."""
        roots = dict.fromkeys(folder.parent for folder in self.folders)
        return (*(str(root / "session_index.jsonl") for root in roots), path)

    def title(self, path: str, session_id: str, pieces: Iterable[bytes]) -> str:
        """The title of a session; empty where there is none."""
        if _is_compressed(path):
            pieces = _text_of(pieces)
        return _titles.of_codex(session_id, pieces)

    def parser(self, path: str, state: bytes | None = None) -> _Parser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""
        return _Parser(self, path, state)

    def ancestor(self, thread: str, path: str) -> str:
        """The session that a sub-agent works for, whose file is at `path`: no sub-agent itself.

        `thread` is the one that started it, and may be a sub-agent.
        """
        passed = {thread}
        while meta := self._meta(thread, path):
            above = meta.root()
            if not above or above in passed:
                break
            passed.add(above)
            thread = above
        return thread

    def history(self, thread: str, path: str) -> History | None:
        """What tells a session's history; None when its file is gone.

        `path` is the file of a session that continues it.
        """
        file = self._file(thread, path)
        try:
            key = (file, Path(file).stat().st_size)
            if key not in self._histories:
                self._histories[key] = _read_history(file)
                while len(self._histories) > _PARENTS:
                    del self._histories[next(iter(self._histories))]
            return self._histories[key]
        except OSError:
            return None

    def _meta(self, thread: str, path: str) -> _Meta | None:
        try:
            lines = _lines_of(self._file(thread, path), _PIECE * 16)
            return _payload(next(lines, b""), _Meta)
        except (OSError, ValueError, RecursionError):
            return None

    def _file(self, thread: str, path: str) -> str:
        """The file of a session, "" when there is none; it is older than the one at `path`."""
        known = self._found.get(thread)
        # It may have been compressed since it was found.
        if path not in self._paths or (known and not Path(known).exists()):
            self.paths()
        return self._found.get(thread, "")


def _text_of(compressed: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a compressed transcript, as far as they can be read."""
    rest = b""
    with contextlib.suppress(_zstd.UnreadableError):
        for data in compressed:
            for text in _zstd.text(_zstd.blocks(data)):
                lines, _, rest = (rest + text).rpartition(b"\n")
                yield lines


_TOO_MANY: Final = "There are too many lines"
_SUFFIXES: Final = (".jsonl", f".jsonl{_zstd.SUFFIX}")


def _is_compressed(path: str) -> bool:
    return path.endswith(_zstd.SUFFIX)


def _id(path: str) -> str:
    name = Path(path).name
    match = _ROLLOUT.fullmatch(name)
    return _lines.storable(match[1] if match else name.removesuffix(_zstd.SUFFIX))


def _payload(line: bytes, form: type[T]) -> T:
    return msgspec.json.decode(msgspec.json.decode(line, type=_Record).payload, type=form)


def _lines_of(path: str, most: int) -> Iterator[bytes]:
    """The lines of a transcript as far as it can be read. Raises OSError.

    Of a line that is longer than `most` bytes only pieces are given, which are no records.
    """
    with Path(path).open("rb") as file:
        if not _is_compressed(path):
            while line := file.readline(most):
                yield line
            return
        blocks = iter(lambda: file.read(_PIECE), b"")
        rest = b""
        number = 0
        with contextlib.suppress(_zstd.UnreadableError):
            for text in _zstd.text(blocks):
                *lines, rest = (rest + text).split(b"\n")
                yield from lines
                number += len(lines)
                if number > _MOST_LINES:
                    return
                if len(rest) > most:
                    rest = rest[:1]
        yield rest


def _read_history(path: str) -> History:
    found = History([], set())
    for line in _lines_of(path, _PIECE):
        try:
            if b'"token_count"' in line:
                item = _payload(line, _Item)
                if item.type == "token_count" and item.info and item.info.total is not None:
                    totals = item.info.total.tokens()
                    if not found.totals or found.totals[-1] != totals:
                        found.totals.append(totals)
            elif b'"token_usage_record"' in line:
                found.responses.add(_payload(line, _UsageRecord).response_id or "")
        except (ValueError, RecursionError):
            continue
    found.responses.discard("")
    return found


class _Record(msgspec.Struct, gc=False):
    type: str
    timestamp: _lines.Moment
    payload: msgspec.Raw


class _Git(msgspec.Struct, gc=False):
    branch: str | None = None


class _Spawn(msgspec.Struct, gc=False):
    parent_thread_id: str


class _SubAgent(msgspec.Struct, gc=False):
    thread_spawn: _Spawn


class _Source(msgspec.Struct, gc=False):
    subagent: _SubAgent


class _Meta(msgspec.Struct, gc=False):
    id: str
    session_id: str | None = None
    timestamp: _lines.Moment | None = None
    cwd: str | None = None
    model_provider: str | None = None
    git: _Git | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    source: msgspec.Raw = msgspec.Raw(b"null")

    def spawner(self) -> str:
        """The thread that started this one as a sub-agent, "" for none."""
        with contextlib.suppress(ValueError):  # most have the name of a program there
            spawn = msgspec.json.decode(self.source, type=_Source).subagent.thread_spawn
            if spawn.parent_thread_id:
                return spawn.parent_thread_id
        return self.parent_thread_id or ""

    def root(self) -> str:
        """The session that a sub-agent counts with as far as it says itself, "" for others."""
        spawner = self.spawner()
        if spawner and self.session_id and self.session_id != self.id:
            return self.session_id
        return spawner


class _Turn(msgspec.Struct, gc=False):
    model: str | None = None
    service_tier: Any = msgspec.UNSET


class _Usage(msgspec.Struct, gc=False):
    input_tokens: _lines.Count = 0
    cached_input_tokens: _lines.Count = 0
    cache_write_input_tokens: _lines.Count = 0
    output_tokens: _lines.Count = 0

    def tokens(self) -> Totals:
        return (
            self.input_tokens,
            self.cached_input_tokens,
            self.cache_write_input_tokens,
            self.output_tokens,
        )


class _Info(msgspec.Struct, gc=False):
    total: _Usage | None = msgspec.field(name="total_token_usage", default=None)
    last: _Usage | None = msgspec.field(name="last_token_usage", default=None)


class _UsageRecord(msgspec.Struct, gc=False):
    """What one answer used."""

    usage: _Usage | None = None
    response_id: str | None = None
    thread_id: str | None = None
    thread: _Usage | None = msgspec.field(name="thread_token_usage", default=None)


class _Compacted(msgspec.Struct, gc=False):
    compaction_response_id: str | None = None
    latest: _UsageRecord | None = msgspec.field(name="latest_token_usage_record", default=None)


class _Window(msgspec.Struct, gc=False):
    used_percent: limits.Percent
    window_minutes: limits.Minutes | None = None
    resets_at: float | str | None = None
    resets_in_seconds: float | None = None


class _Credits(msgspec.Struct, gc=False):
    has_credits: bool = False
    unlimited: bool = False
    balance: limits.Name | float | None = None

    def text(self) -> str:
        if self.unlimited:
            return "unlimited"
        return str(self.balance or "") if self.has_credits else ""


class _RateLimits(msgspec.Struct, gc=False):
    """What is used of the plan; each of the windows may be of any length."""

    limit_id: limits.Name | None = None
    plan_type: limits.Name | None = None
    credits: _Credits | None = None
    primary: msgspec.Raw = msgspec.Raw(b"null")
    secondary: msgspec.Raw = msgspec.Raw(b"null")


class _Change(msgspec.Struct, gc=False):
    type: str = ""
    content: str | None = None
    unified_diff: str | None = None
    move_path: str | None = None


class _McpOk(msgspec.Struct, gc=False):
    is_error: bool | None = msgspec.field(name="isError", default=None)


class _McpResult(msgspec.Struct, gc=False):
    ok: _McpOk | None = msgspec.field(name="Ok", default=None)
    err: Any = msgspec.field(name="Err", default=None)


class _Item(msgspec.Struct, gc=False):
    """An event or an item of a response: what is needed of any kind."""

    type: str
    call_id: str = ""
    name: str | None = None
    status: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"null")
    input: msgspec.Raw = msgspec.Raw(b"null")
    output: msgspec.Raw = msgspec.Raw(b"null")
    info: _Info | None = None
    success: bool | None = None
    changes: dict[str, _Change] | None = None
    result: _McpResult | None = None
    duration_ms: _lines.Duration | None = None
    service_tier: Any = None
    rate_limits: msgspec.Raw = msgspec.Raw(b"null")
    thread_settings: _Turn | None = None


class _Part(msgspec.Struct, gc=False):
    text: str | None = None


class _Ending(msgspec.Struct, gc=False):
    exit_code: int
    duration_seconds: _lines.Duration = 0


class _Output(msgspec.Struct, gc=False):
    metadata: _Ending


class _Arguments(msgspec.Struct, gc=False):
    command: str | list[str] = ""
    cmd: str | list[str] = ""
    input: str = ""


_TEXT: Final = msgspec.json.Decoder(str | list[_Part])


class _Call(msgspec.Struct, gc=False, array_like=True):
    """A tool call, and the lines and files that it changes if it succeeds.

    `duration` is milliseconds, None while it has not ended or where it is not recorded.
    """

    time: int
    name: str = ""
    added: int = 0
    removed: int = 0
    files: tuple[int, ...] = ()
    outcome: Outcome = "ok"
    duration: int | None = None
    number: int = 0
    """Among the tool calls of the file that have ended."""


class _Recorded(msgspec.Struct, gc=False, array_like=True):
    """A request that has a record of its usage, but no count yet; a compaction gets none."""

    record: RequestRecord
    usage: Totals
    is_compaction: bool = False


class _State(State, gc=False, array_like=True):
    """Where a parser stopped."""

    facts: Facts
    thread: str
    """The id of the file's own session, as a sub-agent too."""
    begun: bool = False
    """Whether the session's own `session_meta` has been read; later ones are copies."""
    parent: str = ""
    """The thread whose history may open the file."""
    born: int = 0
    """When the file was made; what is dated before in a file with a parent is a copy."""
    copying: bool = False
    """Whether what is read may still be the parent's history."""
    matched: int = 0
    """How many of the parent's totals lie before what is read next."""
    burst: int = 0
    """When the last copied usage was written, if only time can tell."""
    totals: Totals = _NOTHING
    requests: int = 0
    model: str = _lines.UNKNOWN
    engine: str = ENGINE
    calls: dict[int, _Call] = msgspec.field(default_factory=dict)
    """Those without a result, by hashes of their ids."""
    settled: dict[int, _Call] = msgspec.field(default_factory=dict)
    """Those with one since the last request, likewise."""
    opened: int = 0
    """When the agent began to work on what it still works on; 0 while it rests."""
    tasks: bool = False
    """Whether the agent writes when it begins to work."""
    ended: int = 0
    """Tool calls that have ended."""
    copied: list[int] = msgspec.field(default_factory=list)
    """Numbers of the tool calls that may turn out to be the parent's."""
    tier: str = ""
    turns: int = 0
    records: bool = False
    """Whether answers of the session itself have records."""
    latest: str = ""
    """The key of the last record."""
    recorded: dict[str, _Recorded] = msgspec.field(default_factory=dict)
    """By key, the requests that a count may tell of next."""
    counted: list[tuple[int, Totals]] = msgspec.field(default_factory=list)
    """The turn and the usage of requests without a record, which may come later."""
    late: list[str] = msgspec.field(default_factory=list)
    """The keys of records that came later than their count."""
    foreign: bool = False
    """Whether the last record is another session's; the count behind it is, too."""
    compacted: bool = False
    """Whether the session was compacted, and no usage was written since."""


class _Parser(Parser):
    """Reads one transcript.

    A request's key is the id of its answer, else its session's id and its number within the file.
    """

    _state: _State

    def __init__(self, source: Codex, path: str, state: bytes | None = None) -> None:
        self._source = source
        self._path = path
        self._looked = False
        self._parent: History | None = None
        if state is None:
            thread = _id(path)
            super().__init__(_State(Progress(), Facts(thread, files=set()), thread))
        else:
            super().__init__(msgspec.msgpack.decode(state, type=_State))
        self._show(self._state.facts)
        self._calls = _lines.ById(self._state.calls)
        self._settled = _lines.ById(self._state.settled)

    def state(self) -> bytes:
        """Where the parser stopped."""
        self._state.calls = self._calls.by_hash()
        self._state.settled = self._settled.by_hash()
        return super().state()

    def feed(self, data: bytes) -> None:
        if _is_compressed(self._path):
            self._decompress(data)
        else:
            self._read(data)

    def _decompress(self, data: bytes) -> None:
        progress = self._state.progress
        rest = b""
        try:
            for text in _zstd.text(_zstd.blocks(data)):
                end = text.rfind(b"\n") + 1
                if end:
                    self._read(rest + text[:end])
                    rest = text[end:]
                    kept = progress.skipped + len(self.requests) + len(self.tools)
                    kept += len(self.windows)
                    if progress.lines > _MOST_LINES or kept > _MOST_RECORDS:
                        raise _zstd.UnreadableError(_TOO_MANY)  # noqa: TRY301
                elif len(rest) <= _LONGEST:  # of a longer line the beginning is enough to count it
                    rest += text
        except _zstd.UnreadableError as error:
            progress.skip(progress.lines + 1, str(error))
            return
        if rest:
            self._read(rest + b"\n")

    def _read(self, data: bytes) -> None:
        state = self._state
        before = state.progress.lines
        place = 0
        if state.opened:
            state.facts.active.pop()
        for record in _lines.decode(data, _Record, state.progress, _READERS):
            reader = _READERS.get(record.type)
            if reader is None:
                continue
            try:
                reader(self, _lines.milliseconds(record.timestamp), record.payload)
            except (ValueError, RecursionError) as error:
                place = max(place, data.find(record.payload, place))
                line = before + data.count(b"\n", 0, place) + 1
                state.progress.skip(line, str(error))
        if state.opened:
            state.facts.active.append((state.opened, state.facts.end))
        self._show(state.facts)

    def _at(self, time: int) -> None:
        state = self._state
        if not state.parent or time >= state.born:
            state.facts.at(time)

    def _note(self, sentence: str) -> None:
        if sentence not in self._state.facts.notes:
            self._state.facts.notes.append(sentence)

    def read_meta(self, time: int, payload: msgspec.Raw) -> None:
        """The session's own description, or a copy of another's."""
        state = self._state
        if state.begun:
            return
        # If it can't be read, the next one is no better: it is a copy.
        state.begun = True
        meta = msgspec.json.decode(payload, type=_Meta)
        spawner = meta.spawner()
        parent = spawner or meta.forked_from_id or ""
        state.thread = meta.id
        state.parent = parent if parent != meta.id else ""
        state.born = time
        state.copying = bool(state.parent)
        if meta.model_provider and meta.model_provider != "openai":
            provider = meta.model_provider
            state.engine = _LOCAL_PROVIDERS.get(provider, provider)
        facts = state.facts
        facts.session_id = meta.id
        if spawner:
            facts.session_id = self._source.ancestor(meta.root(), self._path)
        facts.cwd = meta.cwd or ""
        facts.branch = (meta.git and meta.git.branch) or ""
        if meta.timestamp is not None:
            facts.at(_lines.milliseconds(meta.timestamp))
        facts.at(time)

    def read_turn(self, time: int, payload: msgspec.Raw) -> None:
        """The circumstances of the requests that follow."""
        self._at(time)
        turn = msgspec.json.decode(payload, type=_Turn)
        self._state.model = turn.model or self._state.model
        self._state.turns += 1
        self._set(turn)

    def _set(self, told: _Turn) -> None:
        """Settings of the turn, or of those that follow: each names its own model."""
        state = self._state
        if state.model == _lines.UNKNOWN and told.model:
            state.model = told.model
        if told.service_tier is not msgspec.UNSET:
            state.tier = _tier(told.service_tier)

    def read_record(self, time: int, payload: msgspec.Raw) -> None:
        """What an answer used."""
        record = msgspec.json.decode(payload, type=_UsageRecord)
        self._at(time)
        self._recorded(time, record)

    def read_compacted(self, time: int, payload: msgspec.Raw) -> None:
        """The session goes on from a summary, which an answer may have cost."""
        compacted = msgspec.json.decode(payload, type=_Compacted)
        self._at(time)
        if compacted.latest is not None:
            self._recorded(time, compacted.latest, is_copy=True)
        self._state.compacted = True
        for key, recorded in self._state.recorded.items():
            if compacted.compaction_response_id in {None, key}:
                recorded.is_compaction = True

    def read_item(self, time: int, payload: msgspec.Raw) -> None:
        """An event or an item of a response."""
        # Most are of kinds that only the time is taken of.
        kind = _KIND.match(payload)
        if kind and kind[1] not in _KINDS:
            self._at(time)
            return
        item = msgspec.json.decode(payload, type=_Item)
        before = self._state.facts.end
        self._at(time)
        if item.type == "token_count":
            self._usage(time, item.info or _Info(), item.service_tier)
            self._limits(time, item.rate_limits)
        elif item.type == _SETTINGS:
            self._set(item.thread_settings or _Turn())
        elif item.type in _CALLS:
            self._call(time, item)
        elif item.type in _RESULTS:
            self._result(time, item)
        elif item.type in _ENDS:
            self._close(time, item.duration_ms)
        elif item.type in _BEGINS:
            self._state.tasks = True
            self._open(time, before)
        elif item.type == _PROMPT and not self._state.tasks:
            self._open(time, before)

    def _open(self, time: int, before: int) -> None:
        """The agent begins to work. What it left open ended with the last record `before`."""
        state = self._state
        if time < state.born:
            return
        if state.opened:
            self._work(state.opened, before)
        state.opened = time

    def _close(self, time: int, duration: float | None) -> None:
        state = self._state
        if state.opened:
            self._work(state.opened, time)
        elif duration is not None and time - duration >= state.born:
            self._work(time - int(duration), time)
        state.opened = 0

    def _work(self, start: int, end: int) -> None:
        if end > start:
            self._state.facts.active.append((start, end))

    def _recorded(self, time: int, record: _UsageRecord, *, is_copy: bool = False) -> None:
        """A record of usage; `is_copy` of one that should stand in an earlier line, too."""
        state = self._state
        if record.usage is None:
            return
        if self._is_foreign(time, record):
            state.foreign = True
            if state.copying:
                state.born = max(state.born, time)
                self._forget()
            return
        self._own()
        state.foreign = False
        state.records = True
        usage = record.usage.tokens()
        key = record.response_id or ""
        if not key and record.thread is not None:
            key = f"{state.thread}/{_joined(record.thread.tokens())}"
        elif not key:
            state.requests += 1
            key = f"{state.thread}/{state.requests}"
        if key == state.latest or key in state.late or not any(usage):
            return
        state.latest = key
        if self._has_counted(usage, any_turn=is_copy):
            state.late.append(key)
            del state.late[:-_RECENT]
            return
        self._settled.clear()
        # Some providers give all answers one id.
        made = self._request(time, usage, key, variant=_joined(usage[:3]))
        state.recorded[key] = _Recorded(made, usage, is_compaction=is_copy)
        if len(state.recorded) > _RECENT:
            del state.recorded[next(iter(state.recorded))]

    def _has_counted(self, usage: Totals, *, any_turn: bool) -> bool:
        """Whether a request was counted that only now gets its record.

        Its usage is the same, and its turn but where that may have ended: before an update of
        the agent, requests with the same usage may have had no records.
        """
        counted = self._state.counted
        for place, (turn, spent) in enumerate(counted):
            if spent == usage and (any_turn or turn == self._state.turns):
                del counted[place]
                return True
        return False

    def _is_foreign(self, time: int, record: _UsageRecord) -> bool:
        """Whether a record is that of another session's answer."""
        state = self._state
        if record.thread_id and state.begun and record.thread_id != state.thread:
            return True
        if not state.copying:
            return False
        history = self._history()
        if history is not None:
            return record.response_id in history.responses
        return not record.thread_id and self._is_of_burst(time)

    def _usage(self, time: int, info: _Info, told_tier: object) -> None:
        """A total. What it grew by beyond the records is a request."""
        state = self._state
        before = state.totals
        total = before if info.total is None else info.total.tokens()
        if total == before:
            return
        is_foreign, state.foreign = state.foreign, False
        if is_foreign or (state.copying and self._is_copy(time, total)):
            state.totals = total
            if state.copying:
                state.born = max(state.born, time)
                self._forget()
            return
        self._own()
        spent = _difference(total, before)
        # Less than before: the counter began anew. In the first request of a session that
        # continues another it may hold what no line of this file tells of.
        anew = min(spent) < 0 or (bool(state.parent) and before == _NOTHING)
        if anew:
            spent = info.last.tokens() if info.last is not None else total
        state.totals = total
        self._settled.clear()
        compacted, state.compacted = state.compacted, False
        tier = None if told_tier is None else _tier(told_tier)
        # When a compacted session's total shrinks, its last usage is an estimate of what is left.
        if state.recorded:
            spent = self._beyond_records(spent, tier, anew=anew)
        elif anew and compacted and (state.records or not spent[-1]):
            return
        if not any(spent):
            return
        state.requests += 1
        self._request(time, spent, f"{state.thread}/{state.requests}", tier=tier)
        state.counted.append((state.turns, spent))
        del state.counted[:-_RECENT]

    def _limits(self, time: int, told: msgspec.Raw) -> None:
        """What is used of the plan. Raises ValueError, once all that can be read is read."""
        # A copied history may have new times, but its limits are those of long ago.
        if self._state.copying or bytes(told) == b"null":
            return
        mistakes = []
        try:
            record = msgspec.json.decode(told, type=_RateLimits)
            for name, raw in (("primary", record.primary), ("secondary", record.secondary)):
                try:
                    window = msgspec.json.decode(raw, type=_Window | None)
                    if window is not None:
                        self._put_window(_window(time, name, window, record))
                except (ValueError, RecursionError) as error:
                    mistakes.append(f"{name}: {error}")
        except (ValueError, RecursionError) as error:
            mistakes.append(str(error))
        if mistakes:
            raise ValueError(f"rate_limits: {'; '.join(mistakes)}")

    def _beyond_records(self, spent: Totals, tier: str | None, *, anew: bool) -> Totals:
        """What a total grew by beyond the requests that have records."""
        state = self._state
        waiting = list(state.recorded.values())
        exact = _matching([one.usage for one in waiting], spent)
        told = waiting[exact] if exact else [one for one in waiting if not one.is_compaction]
        if not told:
            # Only compactions, which no total need tell of.
            return _NOTHING if anew else spent
        # Those before them get no count any more.
        rest = list(state.recorded)[exact.stop :] if exact else []
        state.recorded = {key: state.recorded[key] for key in rest}
        for one in told:
            if tier is not None and tier != one.record.request.tier:
                request = msgspec.structs.replace(one.record.request, tier=tier)
                self._put(msgspec.structs.replace(one.record, request=request))
        left = _NOTHING if exact or anew else spent
        fits = False
        for one in told:
            less = _difference(left, one.usage)
            if min(less) >= 0:
                left, fits = less, True
        # A record knows better than a count that is less than it.
        return left if fits else _NOTHING

    def _request(
        self, time: int, usage: Totals, key: str, *, variant: str = "", tier: str | None = None
    ) -> RequestRecord:
        state = self._state
        if state.model == _lines.UNKNOWN:
            self._note(_lines.NO_MODEL)
        whole, read, written, output = usage
        read = min(read, whole)
        request = Request(
            time=time,
            model=state.model,
            engine=state.engine,
            tier=state.tier if tier is None else tier,
            tokens=of_input(whole, read, min(written, whole - read), 0, output),
        )
        return self._put(RequestRecord(key, state.facts.session_id, request, variant))

    def _put(self, record: RequestRecord) -> RequestRecord:
        place = record.key, record.variant
        before = self.requests.get(place)
        self.requests[place] = record if before is None else last_record(before, record)
        return record

    def _own(self) -> None:
        """What follows is the session's own."""
        self._state.copying = False
        self._state.copied.clear()

    def _history(self) -> History | None:
        """What tells the history that the file may begin with; None when that is not known."""
        if not self._looked:
            self._looked = True
            self._parent = self._source.history(self._state.parent, self._path)
        return self._parent

    def _is_copy(self, time: int, total: Totals) -> bool:
        """Whether a total, which no request of this file has preceded, is the parent's."""
        state = self._state
        history = self._history()
        if history is None:
            return self._is_of_burst(time)
        try:
            state.matched = history.totals.index(total, state.matched) + 1
        except ValueError:
            return False
        return True

    def _is_of_burst(self, time: int) -> bool:
        """Whether usage was written too soon for an answer of this session."""
        state = self._state
        is_copied = time < (state.burst or state.born) + _BURST
        if is_copied:
            state.burst = max(time, state.burst, state.born)
            self._note(NO_PARENT)
        return is_copied

    def _forget(self) -> None:
        """All that has been read is the parent's."""
        state = self._state
        facts = state.facts
        facts.lines_added = facts.lines_removed = 0
        facts.files = set()
        facts.active.clear()
        self.tools.update(dict.fromkeys(state.copied))
        state.copied.clear()
        self._calls.clear()
        self._settled.clear()

    def _call(self, time: int, item: _Item) -> None:
        if self._may_be_copied(time):
            return
        if item.type == "web_search_call":
            # The provider runs it; its item is written when it is over.
            outcome: Outcome = _outcome(None if item.status is None else item.status == "failed")
            self._count(_Call(time, "web_search", outcome=outcome))
        elif item.call_id:
            added, removed, paths = _patch(item)
            changed = tuple(self._hash(path) for path in paths)
            name = item.name or item.type.removesuffix("_call")
            self._calls.new[item.call_id] = _Call(time, name, added, removed, changed)

    def _result(self, time: int, item: _Item) -> None:
        if self._may_be_copied(time):
            return
        failed: bool | None
        seconds = 0.0
        changes = None
        match item.type:
            case "patch_apply_end":
                failed = None if item.success is None else not item.success
                changes = item.changes if item.success else None
            case "mcp_tool_call_end":
                failed = _mcp_failed(item.result)
            case _:
                failed, seconds = _ending(item.output)
        call = self._calls.pop(item.call_id)
        if call is None:
            self._correct(item.call_id, changes, _outcome(failed))
            return
        call.time = min(call.time, time - int(seconds * 1000))
        call.duration = max(time - call.time, 0)
        call.outcome = _outcome(failed)
        if changes is not None:
            call.added, call.removed, call.files = self._changed(changes)
        self._count(call)
        self._settled.new[item.call_id] = call

    def _correct(self, call_id: str, changes: dict[str, _Change] | None, outcome: Outcome) -> None:
        """A second record of one result, or a change that a tool made by another tool."""
        call = self._settled.get(call_id)
        if call is None:
            if changes is not None:
                added, removed, changed = self._changed(changes)
                self._edit(added, removed, changed)
        elif call.outcome == "unknown" and outcome != "unknown":
            call.outcome = outcome
            self._record(call)
            if outcome == "failed":
                self._edit(-call.added, -call.removed, ())

    def _count(self, call: _Call) -> None:
        state = self._state
        state.ended += 1
        call.number = state.ended
        if state.copying:
            state.copied.append(call.number)
        self._record(call)
        if call.outcome != "failed":
            self._edit(call.added, call.removed, call.files)

    def _record(self, call: _Call) -> None:
        self.tools[call.number] = ToolRecord(
            self._state.facts.session_id,
            call.name,
            call.time,
            call.duration,
            call.outcome,
            waited=call.name in _ASKS,
        )

    def _edit(self, added: int, removed: int, changed: Iterable[int]) -> None:
        facts = self._state.facts
        facts.lines_added += added
        facts.lines_removed += removed
        if facts.files is not None:
            facts.files.update(changed)

    def _may_be_copied(self, time: int) -> bool:
        state = self._state
        return bool(state.parent) and time < state.born + _BURST

    def _changed(self, changes: dict[str, _Change]) -> tuple[int, int, tuple[int, ...]]:
        added = removed = 0
        paths = []
        for path, change in changes.items():
            paths += [path, change.move_path] if change.move_path else [path]
            if change.unified_diff is not None:
                more, fewer = _lines.added_and_removed(_lines.hunks(change.unified_diff))
                added += more
                removed += fewer
            elif change.type == "add":
                added += _count_lines(change.content or "")
            elif change.type == "delete":
                removed += _count_lines(change.content or "")
        return added, removed, tuple(self._hash(path) for path in paths)

    def _hash(self, path: str) -> int:
        return _lines.file_hash(self._state.facts.cwd, path)


def _window(time: int, name: str, told: _Window, record: _RateLimits) -> limits.Window:
    recorded = moment(time)
    resets = limits.reset_time(told.resets_at)
    if told.resets_in_seconds is not None and told.resets_at is None:
        resets = limits.reset_time(recorded.timestamp() + told.resets_in_seconds)
    return limits.Window(
        source=Codex.name,
        name=limits.span(told.window_minutes, name),
        used_percent=told.used_percent,
        recorded_at=recorded,
        minutes=told.window_minutes,
        resets_at=resets,
        limit=_lines.storable(record.limit_id or _LIMIT),
        plan=_lines.storable(record.plan_type or ""),
        credits=_lines.storable(record.credits.text() if record.credits else ""),
    )


def _tier(told: object) -> str:
    """A service tier as the price list has it, "" for the standard one."""
    name = told.lower() if isinstance(told, str) else ""
    return "" if name in _STANDARD else _TIERS.get(name, name)


def _difference(more: Totals, less: Totals) -> Totals:
    return (more[0] - less[0], more[1] - less[1], more[2] - less[2], more[3] - less[3])


def _joined(numbers: Iterable[int]) -> str:
    return "-".join(map(str, numbers))


def _matching(usages: list[Totals], spent: Totals) -> slice | None:
    """The fewest usages in a row that add up to what was spent, the first of those."""
    for length in range(1, len(usages) + 1):
        for start in range(len(usages) - length + 1):
            place = slice(start, start + length)
            if tuple(map(sum, zip(*usages[place], strict=True))) == spent:
                return place
    return None


def _outcome(failed: bool | None) -> Outcome:  # noqa: FBT001
    return "unknown" if failed is None else "failed" if failed else "ok"


def _mcp_failed(result: _McpResult | None) -> bool | None:
    if result is None or (result.ok is None and result.err is None):
        return None
    return result.ok is None or bool(result.ok.is_error)


_EXIT_CODE: Final = re.compile(
    r"^(?:Exit code:|Process exited with code) (-?\d{1,10})", re.MULTILINE
)
_HEAD: Final = 1000
"""Characters within which a result's text tells the exit code, before the command's own output."""


def _ending(output: msgspec.Raw) -> tuple[bool | None, float]:
    """Whether a tool failed, None when its output does not tell; and how many seconds it took."""
    try:
        content = _TEXT.decode(output)
    except ValueError:
        return None, 0
    text = content if isinstance(content, str) else "\n".join(part.text or "" for part in content)
    if text.startswith("{"):
        try:
            ending = msgspec.json.decode(text, type=_Output).metadata
        except (ValueError, RecursionError):
            return None, 0
        return ending.exit_code != 0, ending.duration_seconds
    match = _EXIT_CODE.search(text[:_HEAD].partition("\nOutput:")[0])
    return (None, 0) if match is None else (int(match[1]) != 0, 0)


def _patch(item: _Item) -> tuple[int, int, list[str]]:
    """Lines added and removed, and the files changed, by a call that applies a patch."""
    lines = _patch_text(item).split("\n")
    paths = [match[1].strip() for line in lines if (match := _PATCHED.match(line))]
    return *_lines.added_and_removed(lines), paths


_BEGIN: Final = "*** Begin Patch"
_END: Final = "*** End Patch"
_PATCHED: Final = re.compile(r"\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)")
_APPLIES: Final = re.compile(r"\bapply_?patch\b")


def _patch_text(item: _Item) -> str:
    """The patch that a call applies, "" for other calls."""
    raw = item.input if item.type == "custom_tool_call" else item.arguments
    if _BEGIN.encode() not in bytes(raw):
        return ""
    try:
        text = msgspec.json.decode(raw, type=str)
        if item.type == "function_call":
            given = msgspec.json.decode(text, type=_Arguments)
            parts = (given.command, given.cmd, given.input)
            text = "\n".join(part if isinstance(part, str) else " ".join(part) for part in parts)
    except (ValueError, RecursionError):
        return ""
    command, _, rest = text.partition(_BEGIN)
    if item.name != "apply_patch" and not _APPLIES.search(command):
        return ""
    return rest.partition(_END)[0]


def _count_lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n")) if text else 0


_CALLS: Final = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "tool_search_call",
        "web_search_call",
    }
)
_RESULTS: Final = frozenset(
    {
        "function_call_output",
        "custom_tool_call_output",
        "tool_search_output",
        "patch_apply_end",
        "mcp_tool_call_end",
    }
)
_BEGINS: Final = frozenset({"task_started", "turn_started"})
_ENDS: Final = frozenset({"task_complete", "turn_complete", "turn_aborted"})
_PROMPT: Final = "user_message"
_SETTINGS: Final = "thread_settings_applied"
_KIND: Final = re.compile(rb'\s*\{\s*"type"\s*:\s*"(\w+)"\s*[,}]')
"""The kind of a record as Codex writes it: before all else."""
_KINDS: Final = frozenset(
    kind.encode()
    for kind in _CALLS | _RESULTS | _BEGINS | _ENDS | {_PROMPT, _SETTINGS, "token_count"}
)

_READERS: Final[dict[str, Callable[[_Parser, int, msgspec.Raw], None]]] = {
    "session_meta": _Parser.read_meta,
    "turn_context": _Parser.read_turn,
    "token_usage_record": _Parser.read_record,
    "compacted": _Parser.read_compacted,
    "event_msg": _Parser.read_item,
    "response_item": _Parser.read_item,
}


AGENT: Final = Codex
