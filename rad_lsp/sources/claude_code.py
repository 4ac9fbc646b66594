"""Sessions of Claude Code: transcripts in `projects/` below its configuration folder.

Each line is a record with a `type`. An answer is written as several records, one for each block
of its content; those of a sub-agent are in a file of their own, with its parent's session id.
Claude's desktop app runs Claude Code in its agent mode (Cowork), with a configuration folder for
each session.
"""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp.core import limits
from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import NO_TOKENS, Tokens
from rad_lsp.core.transcript import (
    Facts,
    Outcome,
    RequestRecord,
    ToolRecord,
    last_record,
    moment,
)
from rad_lsp.sources import Parser, Place, Progress, Source, State, _lines, _titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime


_KINDS: Final = frozenset({"assistant", "user", "system"})
_SYNTHETIC: Final = "<synthetic>"
"""The model of answers that Claude Code has written itself."""
_REFUSED: Final = b"The user doesn't want to proceed with this tool use"
"""What the model is told when the user has refused a tool call."""
_STANDARD: Final = frozenset({None, "", "standard", "default", "auto", "standard_only"})
"""Service tiers and speeds that are billed as usual."""
_US: Final = "us"
"""The only place of inference that has a price of its own, and its name as a tier."""
_ADVISOR: Final = "advisor_message"
_COMPACTION: Final = "compaction"
_OUTSIDE: Final = (_ADVISOR.encode(), _COMPACTION.encode())
"""The iterations that are not part of an answer's usage."""
_PROMPTS: Final = frozenset({"AskUserQuestion", "ExitPlanMode", "exit_plan_mode"})
"""Tools that wait for the user; early versions wrote the last name."""
_APP: Final = "local-agent-mode-sessions"
"""Where the desktop app keeps the sessions of its agent mode, in its own folder."""
_CONFIG: Final = ".claude"
_OF_APP: Final = f"**/{_CONFIG}/projects/**/*.jsonl"
"""The transcripts below that folder."""
_LEVELS: Final = 5
"""Of folders in which the desktop app sorts its sessions; three or four are in use."""


_WINDOWS: Final = {"five_hour": limits.FIVE_HOURS, "seven_day": limits.WEEK}
"""Minutes of the windows of the plan's limit, by their names in the status line's JSON."""
_MOST_WINDOWS: Final = 20
_LONGEST_NAME: Final = 100


class _Window(msgspec.Struct, gc=False):
    used_percentage: limits.Percent
    resets_at: float | str | None = None


def windows(told: object, now: datetime) -> dict[str, limits.Window | str]:
    """The plan's limits in `rate_limits` of the JSON that a status line gets, recorded now.

    By the names of the windows; of one that can't be read there is the reason. Raises nothing.
    """
    if not isinstance(told, dict):
        return {"rate_limits": "it is no object"}
    found: dict[str, limits.Window | str] = {}
    for key, value in list(told.items())[:_MOST_WINDOWS]:
        minutes = _WINDOWS.get(key)
        name = limits.span(minutes, _lines.storable(key)[:_LONGEST_NAME])
        if value is None:
            continue
        try:
            window = msgspec.convert(value, _Window)
        except msgspec.ValidationError as error:
            found[name] = str(error)
        else:
            found[name] = limits.Window(
                source=ClaudeCode.name,
                name=name,
                used_percent=window.used_percentage,
                recorded_at=now,
                minutes=minutes,
                resets_at=limits.reset_time(window.resets_at),
            )
    return found


class ClaudeCode(Source):
    """The transcripts of all projects of this user.

    Their folder is `CLAUDE_CONFIG_DIR`, which may be several, separated by commas; without it
    both `~/.claude` and `claude` in `XDG_CONFIG_HOME` or `~/.config`.

    Those of the desktop app's agent mode count whatever `CLAUDE_CONFIG_DIR` says: the app has a
    folder of its own and sets the variable for each session that it runs. It is looked for where
    any system keeps it, as a home folder may be copied or shared; one that does not exist costs
    next to nothing, and of copies one counts.
    """

    name: ClassVar[str] = "claude-code"
    label: ClassVar[str] = "Claude Code"
    places: ClassVar[tuple[Place, ...]] = (
        Place("projects", home=_CONFIG, variable="CLAUDE_CONFIG_DIR", several=True),
        Place("claude/projects", home=".config", variable="XDG_CONFIG_HOME"),
        Place(f"Claude/{_APP}", _OF_APP, home=".config", variable="XDG_CONFIG_HOME"),
        Place(f"Claude/{_APP}", _OF_APP, home="Library/Application Support"),
        Place(f"Claude/{_APP}", _OF_APP, home="AppData/Roaming", variable="APPDATA"),
    )
    resume: ClassVar[tuple[str, ...]] = ("claude", "--resume")

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        own, other, *apps = self.places
        projects = own.paths(environ, home)
        if not own.named(environ):
            projects += other.paths(environ, home)
        self._projects = tuple(projects)
        self._apps = tuple(path for app in apps for path in app.paths(environ, home))
        self.folders = self._projects + self._apps

    def paths(self) -> Iterator[str]:
        """Every `*.jsonl` below the folders, those of sub-agents among them, each file once.

        Of the desktop app's sessions only those in `.claude/projects`: what else is there are
        logs, and the files that were worked on.
        """
        own = [found for app in self._apps for found in _configured(str(app), _LEVELS)]
        return _lines.files([*self._projects, *own], ".jsonl")

    def ignores(self, path: str) -> bool:
        """Whether a path is in the desktop app's folder, but in no configuration folder there."""
        if f"{os.sep}{_APP}{os.sep}" not in path or f"{os.sep}{_CONFIG}{os.sep}" in path:
            return False
        return path.startswith(tuple(f"{app}{os.sep}" for app in self._apps))

    def title(self, path: str, session_id: str, pieces: Iterable[bytes]) -> str:  # noqa: ARG002
        """The title of a session; empty where there is none."""
        return _titles.of_claude_code(session_id, pieces)

    def parser(self, path: str, state: bytes | None = None) -> ClaudeCodeParser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""
        return ClaudeCodeParser(path, state)


def _configured(folder: str, levels: int) -> Iterator[Path]:
    """The folders for transcripts in the configuration folders below.

    It does not look into a session's other folders, which may hold whole projects.
    """
    try:
        with os.scandir(folder) as entries:
            below = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    if _CONFIG in below:
        yield Path(folder, _CONFIG, "projects")
    elif levels:
        for name in below:
            yield from _configured(f"{folder}{os.sep}{name}", levels - 1)


class _Hunk(msgspec.Struct, gc=False):
    lines: list[str] = []


class _Result(msgspec.Struct, gc=False, rename="camel"):
    duration_ms: _lines.Duration | None = None
    file_path: str | None = None
    structured_patch: list[_Hunk] | None = None
    content: msgspec.Raw = msgspec.Raw()


class _CacheWrites(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: _lines.Count | None = None
    ephemeral_1h_input_tokens: _lines.Count | None = None


class _Counts(msgspec.Struct, gc=False):
    input_tokens: _lines.Count | None = None
    cache_creation_input_tokens: _lines.Count | None = None
    cache_read_input_tokens: _lines.Count | None = None
    cache_creation: _CacheWrites | None = None
    output_tokens: _lines.Count | None = None


class _Usage(_Counts, gc=False):
    server_tool_use: msgspec.Raw = msgspec.Raw()
    service_tier: str | None = None
    inference_geo: str | None = None
    iterations: msgspec.Raw = msgspec.Raw()
    speed: str | None = None


class _ServerTools(msgspec.Struct, gc=False):
    web_search_requests: _lines.Count | None = None


class _Iteration(_Counts, gc=False):
    """One of the requests to models that an answer took."""

    type: str = ""
    model: str | None = None


class _Block(msgspec.Struct, gc=False):
    tool_use_id: str | None = None
    type: str = ""
    id: str | None = None
    name: str = ""
    content: msgspec.Raw = msgspec.Raw()
    is_error: bool | None = None


class _Message(msgspec.Struct, frozen=True, gc=False):
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
    git_branch: str | None = None
    type: str = ""
    message: _Message = _Message()
    request_id: str | None = None
    timestamp: _lines.Moment | None = None
    advisor_model: str | None = None
    tool_use_result: _Result | list[msgspec.Raw] | str | float | bool | None = None
    is_meta: bool | None = None
    is_api_error_message: bool | None = None
    subtype: str | None = None
    duration_ms: _lines.Duration | None = None


class _Session:
    """A session while its records are read.

    `first` and `latest` are the first and the last moment of which there is a record; one without
    a time is taken to be of the latest. `last` is the time of the last message. `running` tells
    that the last of the facts' active intervals is a turn that had not ended by then.
    """

    # Its attributes are set for each record, which takes three times as long in a Struct.
    __slots__ = ("facts", "first", "last", "latest", "running")

    def __init__(self, facts: Facts, last: int = 0, *, running: bool = False) -> None:
        self.facts = facts
        self.first = moment(facts.start) if facts.start else None
        self.latest = moment(facts.end)
        self.last = moment(last)
        self.running = running

    def turn_begins(self, time: datetime) -> None:
        """A prompt, or without one the first of the agent's messages."""
        begin = _lines.milliseconds(time)
        if begin > 0:
            self.running = True
            self.facts.active.append((begin, begin))

    def turn_lasts(self) -> None:
        """The turn that has begun goes on until the last message at least."""
        if self.running:
            begin, end = self.facts.active[-1]
            self.facts.active[-1] = (begin, max(end, _lines.milliseconds(self.last)))

    def turn_ends(self, time: datetime, duration: float) -> None:
        """The agent itself tells how long the turn was, in milliseconds."""
        if self.running:
            self.facts.active.pop()
        self.running = False
        end = _lines.milliseconds(time)
        self.facts.active.append((end - int(duration), end))

    def settle(self) -> None:
        """What was read becomes facts."""
        self.turn_lasts()
        if self.first is not None:
            self.facts.at(_lines.milliseconds(self.first))
            self.facts.at(_lines.milliseconds(self.latest))

    def place(self, record: _Record) -> None:
        """Where it was, as the first record with a folder tells."""
        self.facts.cwd = record.cwd or ""
        self.facts.branch = record.git_branch or ""


class _Call(msgspec.Struct, gc=False, array_like=True):
    """A tool call without a result; `request` is the key of the request that asked for it."""

    time: int
    name: str
    request: str = ""


class _State(State, gc=False, array_like=True):
    """Where a parser stopped.

    Of each session there are its facts, the time of its last message and whether a turn goes on;
    `calls` has each tool call without a result, by a hash of its id.
    """

    sessions: list[tuple[Facts, int, bool]] = msgspec.field(default_factory=list)
    calls: dict[int, _Call] = msgspec.field(default_factory=dict)
    ended: int = 0
    """Tool calls with a result."""


class ClaudeCodeParser(Parser):
    """Reads a transcript of Claude Code.

    A request is known by its message's id and, within that, the request's id: side questions
    repeat messages of the parent with other request ids, which is why what a sub-agent recorded
    is a `side` copy. Some relays give all messages one id, and none to requests: where that is
    missing, a request is known by its input tokens, too, which all records of an answer share.
    Requests and tool calls that a resumed or forked session has copied from another are read like
    its own.
    """

    _state: _State

    def __init__(self, path: str, state: bytes | None = None) -> None:
        super().__init__(
            _State(Progress()) if state is None else msgspec.msgpack.decode(state, type=_State)
        )
        self._path = path
        self._sessions = {
            facts.session_id: _Session(facts, last, running=running)
            for facts, last, running in self._state.sessions
        }
        self.facts = {name: session.facts for name, session in self._sessions.items()}
        self._calls = _lines.ById(self._state.calls)

    def state(self) -> bytes:
        """Where the parser stopped."""
        self._state.sessions = [
            (session.facts, _lines.milliseconds(session.last), session.running)
            for session in self._sessions.values()
        ]
        self._state.calls = self._calls.by_hash()
        return super().state()

    # Reading is most of the work of a first look at all sessions, and calls cost: it is one loop.
    def feed(self, data: bytes) -> None:  # noqa: C901, PLR0912
        """Read on. Raises nothing, whatever the bytes."""
        answers: list[tuple[Facts, list[_Record]]] = []
        answer: list[_Record] = []
        calls = self._calls.new
        message_id = request_id = None
        session_id: object = self
        for record in _lines.decode(data, _Record, self.progress, _KINDS):
            if record.session_id != session_id:
                if not record.session_id and record.type not in _KINDS:
                    continue
                session_id = record.session_id
                session = self._session(record.session_id or _lines.storable(Path(self._path).stem))
                message_id = request_id = None
            time = record.timestamp
            if time is None:
                time = session.latest
            elif time > session.latest:
                session.latest = time
                if session.first is None:
                    session.first = time
            elif session.first is None or time < session.first:
                session.first = time
            if not session.facts.cwd and record.cwd:
                session.place(record)
            if record.type == "assistant":
                session.last = max(session.last, time)
                if not session.running:
                    session.turn_begins(time)
                message = record.message
                if type(message.content) is list:
                    for block in message.content:
                        if block.id is not None and block.type == "tool_use":
                            known = message.id if record.request_id else None
                            calls[block.id] = _Call(
                                _lines.milliseconds(time),
                                block.name,
                                known or _key(record, session.facts),
                            )
                if message.usage is None:
                    continue
                if (
                    message.id == message_id
                    and record.request_id == request_id
                    and (request_id or (message_id and _share_input(answer[-1], record)))
                ):
                    answer.append(record)
                else:
                    answer = [record]
                    answers.append((session.facts, answer))
                    message_id = message.id
                    request_id = record.request_id
            elif record.type == "user":
                self._user(record, session, time)
                session.last = max(session.last, time)
            elif record.subtype == "turn_duration" and record.duration_ms is not None:
                session.turn_ends(time, record.duration_ms)
        for session in self._sessions.values():
            session.settle()
        for facts, records in answers:
            self._add(facts, records)

    def _session(self, session_id: str) -> _Session:
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = _Session(Facts(session_id, files=set()))
            self.facts[session_id] = session.facts
        return session

    def _user(self, record: _Record, session: _Session, time: datetime) -> None:
        """What the user says, and the results of tools, which are told to the model likewise."""
        content = record.message.content
        is_prompt = not record.is_meta
        if type(content) is list:
            for block in content:
                if block.type == "tool_result":
                    is_prompt = False
                    call = self._calls.pop(block.tool_use_id or "")
                    if call is not None:
                        self._state.ended += 1
                        told = record.tool_use_result
                        self.tools[self._state.ended] = _result(
                            block, told, session.facts, call, time
                        )
        if is_prompt and not (record.is_sidechain and session.running):
            session.turn_lasts()
            session.running = False
            session.turn_begins(time)

    def _add(self, facts: Facts, records: list[_Record]) -> None:
        """A request, from the records of its answer.

        That with the most output tokens counts, of equal ones the later.
        """
        first = records[0]
        message = first.message
        if message.model == _SYNTHETIC or first.is_api_error_message:
            return
        counts, usage, most = first, message.usage or _Usage(), -1
        searches = 0
        final = False
        iterating = []
        for record in records:
            if (told := record.message.usage) is not None:
                output = told.output_tokens or 0
                if output >= most:
                    counts, usage, most = record, told, output
                if told.server_tool_use:
                    searches = max(searches, _searches(told.server_tool_use))
                if told.iterations:
                    iterating.append((record, told))
            if record.message.stop_reason is not None:
                final = True
        request = Request(
            time=_lines.milliseconds(first.timestamp) if first.timestamp else facts.end,
            model=message.model or _lines.UNKNOWN,
            engine="claude",
            tier=_tier(usage.service_tier, usage.speed, usage.inference_geo),
            tokens=_tokens(usage),
            searches=searches,
        )
        side = first.is_sidechain is True
        variant = first.request_id or ""
        key = (message.id if variant else None) or _key(counts, facts)
        recorded = RequestRecord(key, facts.session_id, request, variant, side, final)
        # Where ids are missing, what a relay writes before it knows of any token is no request.
        found = [recorded] if variant or request.tokens != NO_TOKENS else []
        for record, told in iterating:
            found += _outside(record, told, recorded)
        for recorded in found:
            name = (recorded.key, variant)
            before = self.requests.get(name)
            self.requests[name] = recorded if before is None else last_record(before, recorded)


def _outside(record: _Record, usage: _Usage, answer: RequestRecord) -> Iterator[RequestRecord]:
    """The requests to models that were made for an answer, but are not part of its usage.

    An advisor is another model. A compaction sums up what was said before, by the model of the
    answer. All other iterations are part of the usage. Copies are known by their number.
    """
    number = 0
    for iteration in _iterations(usage.iterations):
        model = iteration.model
        tier = answer.request.tier
        if iteration.type == _ADVISOR:
            model = model or record.advisor_model or _lines.UNKNOWN
            # The speed is that of the answer's model.
            tier = _tier(usage.service_tier, None, usage.inference_geo)
        elif iteration.type != _COMPACTION:
            continue
        number += 1
        request = msgspec.structs.replace(
            answer.request,
            model=model or answer.request.model,
            tier=tier,
            tokens=_tokens(iteration),
            searches=0,
        )
        key = f"{answer.key}/{number}"
        yield msgspec.structs.replace(answer, key=key, request=request, final=True)


def _tokens(counts: _Counts) -> Tokens:
    written = counts.cache_creation_input_tokens or 0
    short = long = 0
    if counts.cache_creation is not None:
        short = counts.cache_creation.ephemeral_5m_input_tokens or 0
        long = counts.cache_creation.ephemeral_1h_input_tokens or 0
    if short + long < written:
        # Older versions tell only the sum, and knew only caching for five minutes.
        short = written - long
    read = counts.cache_read_input_tokens or 0
    return Tokens(counts.input_tokens or 0, read, short, long, counts.output_tokens or 0)


def _key(record: _Record, facts: Facts) -> str:
    """The key of the request that a record with usage belongs to."""
    message = record.message
    if record.request_id:
        return message.id or record.request_id
    # Copies of a record without either id are of the same moment.
    known = message.id or record.timestamp or facts.session_id
    tokens = _tokens(message.usage or _Counts())
    written = f"{tokens.cache_write_5m}.{tokens.cache_write_1h}"
    return f"{known}:{tokens.fresh}.{tokens.cache_read}.{written}"


def _share_input(one: _Record, other: _Record) -> bool:
    """Whether a record and the next, with one message id and no request id, are of one answer.

    Some relays tell the input only at the answer's end.
    """
    before = _tokens(one.message.usage or _Counts())
    now = _tokens(other.message.usage or _Counts())
    return not before.input or msgspec.structs.replace(before, output=now.output) == now


@functools.lru_cache
def _tier(service_tier: str | None, speed: str | None, place: str | None) -> str:
    """The tiers that change the price, joined by "+" in the order of the alphabet."""
    told = {service_tier, speed, _US if place == _US else None} - _STANDARD
    return "+".join(sorted(filter(None, told)))


def _searches(server_tools: msgspec.Raw) -> int:
    """How often the provider searched the web."""
    try:
        told = msgspec.json.decode(server_tools, type=_ServerTools | None)
    except (ValueError, RecursionError):
        return 0
    return told.web_search_requests or 0 if told else 0


def _iterations(told: msgspec.Raw) -> Iterator[_Iteration]:
    """Those that can be read."""
    text = bytes(told)
    if not any(name in text for name in _OUTSIDE):  # as in most answers
        return
    try:
        entries = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        return
    for entry in entries:
        with contextlib.suppress(ValueError, RecursionError):
            yield msgspec.json.decode(entry, type=_Iteration)


def _result(block: _Block, told: object, facts: Facts, call: _Call, ended: datetime) -> ToolRecord:
    """A tool call that has ended."""
    start, name = call.time, call.name
    duration: int | None = max(_lines.milliseconds(ended) - start, 0)
    outcome: Outcome = "failed" if block.is_error else "ok"
    waited = name in _PROMPTS
    added = removed = changed = 0
    if block.is_error and _REFUSED in bytes(block.content)[:200]:
        outcome = "denied"
        # A prompt that is refused has been read; how long another call ran is not known.
        duration = duration if waited else None
    elif isinstance(told, _Result):
        if told.structured_patch is not None and told.file_path:
            added, removed = _changes(told.structured_patch, told.content)
            changed = _lines.file_hash(facts.cwd, told.file_path)
        if told.duration_ms is not None:
            duration = int(told.duration_ms)
            start = _lines.milliseconds(ended) - duration
    return ToolRecord(
        facts.session_id,
        name,
        start,
        duration,
        outcome,
        request=call.request,
        waited=waited,
        lines_added=added,
        lines_removed=removed,
        changed_file=changed,
    )


def _changes(patch: list[_Hunk], content: msgspec.Raw) -> tuple[int, int]:
    """Lines added and removed; a new file has no patch, but content."""
    lines = [line for hunk in patch for line in hunk.lines]
    added, removed = _lines.added_and_removed(lines)
    return added if lines else _lines_of(content), removed


def _lines_of(content: msgspec.Raw) -> int:
    """The lines of a new file, which has no patch."""
    try:
        return len(msgspec.json.decode(content, type=str).splitlines())
    except ValueError:
        return 0


AGENT: Final = ClaudeCode
