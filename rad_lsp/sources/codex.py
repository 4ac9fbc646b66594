"""Sessions of Codex: its command line, editor extension and desktop application.

A session is one file, `rollout-<local time>-<id>.jsonl`, of lines `{timestamp, type, payload}`.
Usage is a running total that is often written twice, so that a request is a change of the total.
Forked sessions and sub-agents are files that may begin with a copy of another session's history,
whose usage, tool calls and changes belong to that session.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import msgspec

from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import of_input
from rad_lsp.core.transcript import Facts, Outcome, RequestRecord, ToolRecord
from rad_lsp.sources import Parser, Progress, Source, State, _lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

ENGINE: Final = "codex"
NO_PARENT: Final = (
    "The session that this one continues is gone: what was copied from it is told apart by time"
)

_ROLLOUT: Final = re.compile(r"rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-(.+)\.jsonl")
_LOCAL_PROVIDERS: Final = {"oss": "local"}
"""Providers by which Codex means a model on the user's own machine, but that no one else names."""

_BURST: Final = 1000
"""Milliseconds within which a copied history is written; no model answers sooner."""

_PARENTS: Final = 4
"""How many other sessions' totals are kept: those who continue one session are read in a row."""

_PIECE: Final = 1 << 16
"""Bytes. No record of usage is that long."""

Totals = tuple[int, int, int, int]
"""Tokens so far: input, read from the cache, written to the cache, output."""

_NOTHING: Final[Totals] = (0, 0, 0, 0)


class Codex(Source):
    """The transcripts below `$CODEX_HOME`, otherwise `.codex` in the user's home folder."""

    name: ClassVar[str] = "codex"

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        root = Path(environ.get("CODEX_HOME") or home / ".codex")
        self.folders: tuple[Path, ...] = (root / "sessions", root / "archived_sessions")
        self._found: dict[str, str] = {}
        self._paths: set[str] = set()
        self._totals: dict[tuple[str, int], list[Totals]] = {}

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none.

        Of a session that lies in the archive as well, the copy there is left out.
        """
        by_name: dict[str, str] = {}
        for folder in self.folders:
            for path in _lines.files([folder], ".jsonl"):
                name = path.rpartition(os.sep)[2]
                if name.startswith("rollout-"):
                    by_name.setdefault(name, path)
        self._found = {_id(path): path for path in by_name.values()}
        self._paths = set(by_name.values())
        return iter(by_name.values())

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

    def totals(self, thread: str, path: str) -> list[Totals] | None:
        """The totals of a session in their order; None when its file is gone.

        `path` is the file of a session that continues it.
        """
        file = self._file(thread, path)
        try:
            key = (file, Path(file).stat().st_size)
            if key not in self._totals:
                self._totals[key] = _read_totals(file)
                while len(self._totals) > _PARENTS:
                    del self._totals[next(iter(self._totals))]
            return self._totals[key]
        except OSError:
            return None

    def _meta(self, thread: str, path: str) -> _Meta | None:
        try:
            with Path(self._file(thread, path)).open("rb") as file:
                line = file.readline(_PIECE * 16)
            return _payload(line, _Meta)
        except (OSError, ValueError, RecursionError):
            return None

    def _file(self, thread: str, path: str) -> str:
        """The file of a session, "" when there is none; it is older than the one at `path`."""
        if path not in self._paths:
            self.paths()
        return self._found.get(thread, "")


def _id(path: str) -> str:
    name = Path(path).name
    match = _ROLLOUT.fullmatch(name)
    return _lines.storable(match[1] if match else name)


def _payload(line: bytes, form: type[T]) -> T:
    return msgspec.json.decode(msgspec.json.decode(line, type=_Record).payload, type=form)


def _read_totals(path: str) -> list[Totals]:
    found: list[Totals] = []
    with Path(path).open("rb") as file:
        # Of a line that is longer than a piece only pieces are read, which are no records.
        while line := file.readline(_PIECE):
            if b'"token_count"' not in line:
                continue
            try:
                item = _payload(line, _Item)
            except (ValueError, RecursionError):
                continue
            if item.type != "token_count" or item.info is None or item.info.total is None:
                continue
            totals = item.info.total.tokens()
            if not found or found[-1] != totals:
                found.append(totals)
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
    """When the first copied usage was written, if only time can tell."""
    totals: Totals = _NOTHING
    requests: int = 0
    model: str = _lines.UNKNOWN
    engine: str = ENGINE
    calls: dict[str, _Call] = msgspec.field(default_factory=dict)
    """Those without a result."""
    settled: dict[str, _Call] = msgspec.field(default_factory=dict)
    """Those with one since the last request."""
    opened: int = 0
    """When the agent began to work on what it still works on; 0 while it rests."""
    tasks: bool = False
    """Whether the agent writes when it begins to work."""
    ended: int = 0
    """Tool calls that have ended."""
    copied: list[int] = msgspec.field(default_factory=list)
    """Numbers of the tool calls that may turn out to be the parent's."""


class _Parser(Parser):
    """Reads one transcript.

    A request's key is its session's id and its number within the file.
    """

    _state: _State

    def __init__(self, source: Codex, path: str, state: bytes | None = None) -> None:
        self._source = source
        self._path = path
        self._looked = False
        self._parent: list[Totals] | None = None
        if state is None:
            thread = _id(path)
            super().__init__(_State(Progress(), Facts(thread, files=set()), thread))
        else:
            super().__init__(msgspec.msgpack.decode(state, type=_State))
        self._show(self._state.facts)

    def feed(self, data: bytes) -> None:
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
        self._state.model = msgspec.json.decode(payload, type=_Turn).model or self._state.model

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
            if item.info is not None and item.info.total is not None:
                self._usage(time, item.info.total.tokens(), item.info.last)
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

    def _usage(self, time: int, total: Totals, last: _Usage | None) -> None:
        state = self._state
        if total == state.totals:
            return
        if state.copying:
            if self._is_copy(time, total):
                state.totals = total
                state.born = max(state.born, time)
                self._forget()
                return
            state.copying = False
            state.copied.clear()
        spent = [now - before for now, before in zip(total, state.totals, strict=True)]
        # Less than before: the counter began anew. In the first request of a session that
        # continues another it may hold what no line of this file tells of.
        anew = min(spent) < 0 or (state.parent and state.totals == _NOTHING)
        if anew:
            spent = list(last.tokens() if last is not None else total)
        state.totals = total
        state.settled.clear()
        if not any(spent):
            return
        state.requests += 1
        if state.model == _lines.UNKNOWN:
            self._note(_lines.NO_MODEL)
        key = f"{state.thread}/{state.requests}"
        spent_input, read, written, output = spent
        read = min(read, spent_input)
        request = Request(
            time=time,
            model=state.model,
            engine=state.engine,
            tokens=of_input(spent_input, read, min(written, spent_input - read), 0, output),
        )
        self.requests[key, ""] = RequestRecord(key, state.facts.session_id, request)

    def _is_copy(self, time: int, total: Totals) -> bool:
        """Whether a total, which no request of this file has preceded, is the parent's."""
        state = self._state
        if not self._looked:
            self._looked = True
            self._parent = self._source.totals(state.parent, self._path)
        if self._parent is not None:
            try:
                state.matched = self._parent.index(total, state.matched) + 1
            except ValueError:
                return False
            return True
        if time < state.born:
            self._note(NO_PARENT)
            return True
        if not state.burst:
            if time >= state.born + _BURST:
                return False
            state.burst = time
            self._note(NO_PARENT)
        return time < state.burst + _BURST

    def _forget(self) -> None:
        """All that has been read is the parent's."""
        state = self._state
        facts = state.facts
        facts.lines_added = facts.lines_removed = 0
        facts.files = set()
        facts.active.clear()
        self.tools.update(dict.fromkeys(state.copied))
        state.copied.clear()
        state.calls.clear()
        state.settled.clear()

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
            self._state.calls[item.call_id] = _Call(time, name, added, removed, changed)

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
        call = self._state.calls.pop(item.call_id, None)
        if call is None:
            self._correct(item.call_id, changes, _outcome(failed))
            return
        call.time = min(call.time, time - int(seconds * 1000))
        call.duration = max(time - call.time, 0)
        call.outcome = _outcome(failed)
        if changes is not None:
            call.added, call.removed, call.files = self._changed(changes)
        self._count(call)
        self._state.settled[item.call_id] = call

    def _correct(self, call_id: str, changes: dict[str, _Change] | None, outcome: Outcome) -> None:
        """A second record of one result, or a change that a tool made by another tool."""
        call = self._state.settled.get(call_id)
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
            self._state.facts.session_id, call.name, call.time, call.duration, call.outcome
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
_KIND: Final = re.compile(rb'\s*\{\s*"type"\s*:\s*"(\w+)"\s*[,}]')
"""The kind of a record as Codex writes it: before all else."""
_KINDS: Final = frozenset(
    kind.encode() for kind in _CALLS | _RESULTS | _BEGINS | _ENDS | {_PROMPT, "token_count"}
)

_READERS: Final[dict[str, Callable[[_Parser, int, msgspec.Raw], None]]] = {
    "session_meta": _Parser.read_meta,
    "turn_context": _Parser.read_turn,
    "event_msg": _Parser.read_item,
    "response_item": _Parser.read_item,
}


AGENT: Final = Codex
