"""Sessions of Claude Code: transcripts in `projects/` below its configuration folder.

Each line is a record with a `type`. An answer is written as several records, one for each block
of its content; those of a sub-agent are in a file of their own, with its parent's session id.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from msgspec.structs import replace

from rad_lsp.core.spending import Request
from rad_lsp.core.transcript import Facts, Seen
from rad_lsp.sources._lines import (
    Count,
    Duration,
    Moment,
    Progress,
    added_and_removed,
    decode,
    files,
    milliseconds,
    moment,
    path_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_KINDS: Final = frozenset({"assistant", "user", "system"})
_SYNTHETIC: Final = "<synthetic>"
"""The model of answers that Claude Code has written itself."""
_REFUSED: Final = b"The user doesn't want to proceed with this tool use"
"""What the model is told when the user has refused a tool call."""
_STANDARD: Final = frozenset({"standard", "default", "auto", "standard_only"})
"""Service tiers and speeds that are billed as usual."""


class ClaudeCode:
    """The transcripts of all projects of this user.

    Their folder is `CLAUDE_CONFIG_DIR`, which may be several, separated by commas; without it
    both `~/.claude` and `claude` in `XDG_CONFIG_HOME` or `~/.config`.
    """

    name: ClassVar[str] = "claude-code"

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        named = [part.strip() for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
        config = environ.get("XDG_CONFIG_HOME") or home / ".config"
        roots = [_expanded(part, home) for part in named if part] or [
            home / ".claude",
            Path(config, "claude"),
        ]
        self.folders = tuple(root / "projects" for root in roots)

    def paths(self) -> Iterator[str]:
        """Every `*.jsonl` below the folders, those of sub-agents among them, each file once."""
        return files(self.folders, ".jsonl")

    def by_line(self, path: str) -> bool:  # noqa: ARG002
        """Always: Claude Code appends."""
        return True

    def parser(self, path: str, state: bytes | None = None) -> ClaudeCodeParser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""
        return ClaudeCodeParser(path, state)


def _expanded(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith(("~/", "~\\")) else Path(path)


class _Hunk(msgspec.Struct, gc=False):
    lines: list[str] = []


class _Result(msgspec.Struct, gc=False, rename="camel"):
    duration_ms: Duration | None = None
    file_path: str | None = None
    structured_patch: list[_Hunk] | None = None
    content: msgspec.Raw = msgspec.Raw()


class _CacheWrites(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: _CacheWrites | None = None
    output_tokens: Count | None = None
    service_tier: str | None = None
    speed: str | None = None


class _Block(msgspec.Struct, gc=False):
    tool_use_id: str | None = None
    type: str = ""
    id: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    is_error: bool | None = None


class _Message(msgspec.Struct, gc=False):
    model: str | None = None
    id: str | None = None
    content: list[_Block] | str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Record(msgspec.Struct, gc=False, rename="camel"):
    """What is needed of a record of any type.

    Here and in what it holds the keys are in the order in which Claude Code writes them, which
    spares the decoder most of the search for them.
    """

    is_sidechain: bool | None = None
    cwd: str | None = None
    session_id: str | None = None
    version: str | None = None
    git_branch: str | None = None
    type: str = ""
    message: _Message | None = None
    request_id: str | None = None
    timestamp: Moment | None = None
    tool_use_result: _Result | list[msgspec.Raw] | str | float | bool | None = None
    is_meta: bool | None = None
    is_api_error_message: bool | None = None
    subtype: str | None = None
    duration_ms: Duration | None = None


_RECORD: Final = msgspec.json.Decoder(_Record)
_TEXT: Final = msgspec.json.Decoder(str)


class _Session(msgspec.Struct, gc=False, array_like=True):
    """What is known of a session while its records are read.

    `last` is the time of its last message, in milliseconds since the epoch; `running` tells that
    the last of the facts' active intervals is a turn that had not ended by then.
    """

    facts: Facts
    last: int = 0
    running: bool = False

    def turn_begins(self, time: int) -> None:
        """A prompt, or without one the first of the agent's messages."""
        self.running = True
        self.facts.active.append((time, time))

    def turn_lasts(self, time: int) -> None:
        """The turn that has begun goes on until here at least."""
        if self.running:
            begin, end = self.facts.active[-1]
            self.facts.active[-1] = (begin, max(end, time))

    def turn_ends(self, time: int, duration: float) -> None:
        """The agent itself tells how long the turn was."""
        if self.running:
            self.facts.active.pop()
        self.running = False
        self.facts.active.append((time - int(duration), time))


class _State(msgspec.Struct, gc=False, array_like=True):
    """Where a parser stopped; `calls` has the time of each tool call without a result."""

    progress: Progress
    sessions: list[_Session]
    calls: dict[str, int]


_STATE: Final = msgspec.msgpack.Decoder(_State)


class _Answer(msgspec.Struct, gc=False):
    """A request: its first record, and what the record says that counts."""

    first: _Record
    time: datetime
    message: _Message
    usage: _Usage
    final: bool


class ClaudeCodeParser:
    """Reads a transcript of Claude Code.

    A request is known by its message's id and, within that, the request's id: side questions
    repeat messages of the parent with other request ids, which is why what a sub-agent recorded
    is a `side` copy. Requests and tool calls that a resumed or forked session has copied from
    another are read like its own.
    """

    def __init__(self, path: str, state: bytes | None = None) -> None:
        stored = _State(Progress(), [], {}) if state is None else _STATE.decode(state)
        self._sessions = {session.facts.session_id: session for session in stored.sessions}
        self._progress = stored.progress
        # When the tool calls without a result were made, by their ids.
        self._calls = {call: moment(time) for call, time in stored.calls.items()}
        self._path = path
        self.facts: dict[str, Facts] = {name: one.facts for name, one in self._sessions.items()}
        self.requests: dict[tuple[str, str], Seen] = {}
        self.skipped = self._progress.skipped
        self.first_skipped = self._progress.first_skipped

    def state(self) -> bytes:
        """What a later parser of the same file goes on from."""
        sessions = [*self._sessions.values()]
        calls = {call: milliseconds(made) for call, made in self._calls.items()}
        return msgspec.msgpack.encode(_State(self._progress, sessions, calls))

    def feed(self, lines: bytes) -> None:
        """Read on. `lines` are whole lines. Raises nothing, whatever the bytes."""
        records = decode(lines, _RECORD, self._progress, _KINDS)
        self.skipped = self._progress.skipped
        for session_id, group in groupby(records, attrgetter("session_id")):
            of_session = [*group]
            if not session_id:
                of_session = [record for record in of_session if record.type in _KINDS]
            if of_session:
                self._read(of_session, self._session(session_id or Path(self._path).stem))

    def _session(self, session_id: str) -> _Session:
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = _Session(Facts(session_id, files=set()))
            self.facts[session_id] = session.facts
        return session

    def _read(self, records: list[_Record], session: _Session) -> None:
        facts = session.facts
        _set_scene(records, facts)
        answers: dict[tuple[str, str], _Answer] = {}
        last = moment(session.last or facts.end)
        for record in records:
            message = record.message
            if message is None:
                if record.subtype == "turn_duration" and record.duration_ms is not None:
                    session.turn_ends(milliseconds(record.timestamp or last), record.duration_ms)
                continue
            time = record.timestamp or last
            if record.type == "assistant":
                if not session.running:
                    session.turn_begins(milliseconds(time))
                self._answer(record, message, time, answers)
            elif record.type == "user":
                goes_on = self._results(record, message, time, facts) or record.is_meta
                if not goes_on and not (record.is_sidechain and session.running):
                    session.turn_lasts(milliseconds(last))
                    session.turn_begins(milliseconds(time))
            else:
                continue
            last = time
        session.last = milliseconds(last)
        session.turn_lasts(session.last)
        for (key, variant), answer in answers.items():
            self._add(key, variant, facts.session_id, answer)

    def _answer(
        self,
        record: _Record,
        message: _Message,
        time: datetime,
        answers: dict[tuple[str, str], _Answer],
    ) -> None:
        """Notes the tool calls of an answer, and its usage.

        Of the records of one answer that with the most output tokens counts, of equal ones the
        later.
        """
        if type(message.content) is list:
            for block in message.content:
                if block.type == "tool_use" and block.id is not None:
                    self._calls[block.id] = time
        usage = message.usage
        if usage is None:
            return
        variant = record.request_id or ""
        # A record without either id has no copies that it must be told from.
        key = (message.id or variant or f"{record.session_id}:{time.isoformat()}", variant)
        answer = answers.get(key)
        if answer is None:
            answers[key] = _Answer(record, time, message, usage, message.stop_reason is not None)
            return
        if (usage.output_tokens or 0) >= (answer.usage.output_tokens or 0):
            answer.message = message
            answer.usage = usage
        if message.stop_reason is not None:
            answer.final = True

    def _results(self, record: _Record, message: _Message, time: datetime, facts: Facts) -> bool:
        """Whether a user's message tells the results of tool calls, which become facts."""
        if type(message.content) is not list:
            return False
        found = False
        for block in message.content:
            if block.type == "tool_result":
                found = True
                begin = self._calls.pop(block.tool_use_id or "", None)
                if begin is not None:
                    _result(block, record.tool_use_result, facts, begin, time)
        return found

    def _add(self, key: str, variant: str, session_id: str, answer: _Answer) -> None:
        record, message, usage = answer.first, answer.message, answer.usage
        if message.model == _SYNTHETIC or record.is_api_error_message:
            return
        written = usage.cache_creation_input_tokens or 0
        short = long = 0
        if usage.cache_creation is not None:
            short = usage.cache_creation.ephemeral_5m_input_tokens or 0
            long = usage.cache_creation.ephemeral_1h_input_tokens or 0
        if short + long < written:
            # Older versions tell only the sum, and knew only caching for five minutes.
            short = written - long
        read = usage.cache_read_input_tokens or 0
        request = Request(
            time=milliseconds(answer.time),
            model=message.model or "unknown",
            engine="claude",
            tier=_tier(usage),
            input_tokens=(usage.input_tokens or 0) + read + short + long,
            cache_read_tokens=read,
            cache_write_5m_tokens=short,
            cache_write_1h_tokens=long,
            output_tokens=usage.output_tokens or 0,
        )
        side = record.is_sidechain is True
        seen = Seen(key, session_id, request, variant, side, answer.final)
        earlier = self.requests.get((key, variant))
        self.requests[key, variant] = seen if earlier is None else _merged(earlier, seen)


def _merged(earlier: Seen, later: Seen) -> Seen:
    """A request whose records lie in two pieces of a file."""
    most = earlier if earlier.request.output_tokens > later.request.output_tokens else later
    return replace(
        earlier,
        request=replace(most.request, time=earlier.request.time),
        final=earlier.final or later.final,
    )


def _set_scene(records: list[_Record], facts: Facts) -> None:
    """When and where it was."""
    moments = [record.timestamp for record in records if record.timestamp is not None]
    if moments:
        facts.at(milliseconds(min(moments)))
        facts.at(milliseconds(max(moments)))
    if not facts.cwd:
        for record in records:
            if record.cwd:
                facts.cwd = record.cwd
                facts.branch = record.git_branch or ""
                facts.version = record.version or ""
                return


def _result(
    block: _Block,
    told: object,
    facts: Facts,
    began: datetime,
    ended: datetime,
) -> None:
    """A tool call has ended."""
    if block.is_error:
        if _REFUSED in bytes(block.content)[:200]:
            facts.denied += 1
            return
        facts.failed += 1
    else:
        facts.successful += 1
    end = milliseconds(ended)
    if isinstance(told, _Result):
        if told.structured_patch is not None and told.file_path:
            _changes(told.structured_patch, told.content, facts)
            if facts.files is not None:
                facts.files.add(path_hash(told.file_path))
        if told.duration_ms is not None:
            facts.tools.append((end - int(told.duration_ms), end))
            return
    facts.tools.append((milliseconds(began), end))


def _changes(patch: list[_Hunk], content: msgspec.Raw, facts: Facts) -> None:
    """Counts changed lines; a new file has no patch, but content."""
    lines = [line for hunk in patch for line in hunk.lines]
    added, removed = added_and_removed(lines)
    facts.lines_added += added if lines else _lines_of(content)
    facts.lines_removed += removed


def _lines_of(content: msgspec.Raw) -> int:
    """The lines of a new file, which has no patch."""
    try:
        return len(_TEXT.decode(content).splitlines())
    except ValueError:
        return 0


def _tier(usage: _Usage) -> str:
    if usage.speed and usage.speed not in _STANDARD:
        return usage.speed
    tier = usage.service_tier
    return "" if tier is None or tier in _STANDARD else tier


AGENT: Final = ClaudeCode
