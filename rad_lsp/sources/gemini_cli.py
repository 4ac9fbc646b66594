"""Sessions of Gemini CLI: `.gemini/tmp/<project>/chats/`.

A session is a file of lines, of older versions one JSON object. Its messages are written again,
whole, when they change. Messages that the user takes back were paid for and count; so do those
that a rewritten list of messages no longer holds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import of_input
from rad_lsp.core.transcript import (
    HASHED,
    Facts,
    Outcome,
    RequestRecord,
    ToolRecord,
    last_record,
)
from rad_lsp.regular import read_small
from rad_lsp.sources import Parser, Place, Progress, Source, State, _lines, _titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ENGINE: Final = "gemini"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CHATS: Final = "chats"
_LEVELS: Final = 2
_PROMPTS: Final = frozenset({"ask_user", "exit_plan_mode"})
"""Tools that wait for the user."""
_MAX_BYTES: Final = 1 << 20
"""Of the files that tell of projects."""


class GeminiCli(Source):
    """The transcripts below `$GEMINI_CLI_HOME`, otherwise the user's home folder."""

    name: ClassVar[str] = "gemini-cli"
    label: ClassVar[str] = "Gemini CLI"
    places: ClassVar[tuple[Place, ...]] = (
        Place(".gemini/tmp", f"*/{_CHATS}/**/*.jsonl", home="", variable="GEMINI_CLI_HOME"),
    )
    resume: ClassVar[tuple[str, ...]] = ("gemini", "--resume")

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        (folder,) = self.places[0].paths(environ, home)
        self._root = folder.parent
        self.folders: tuple[Path, ...] = (folder,)
        self._listed: dict[str, str] | None = None
        self._projects: dict[Path, str] = {}

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none.

        Of a session that was resumed by a newer version there is an object and a file of lines,
        which begins with a copy of the object; the object is left out.
        """
        self._listed = None
        self._projects.clear()
        chats = []
        for folder in self.folders:
            try:
                chats += sorted(project / _CHATS for project in folder.iterdir())
            except OSError:
                continue
        by_line = dict.fromkeys(_lines.files(chats, ".jsonl", levels=_LEVELS))
        yield from by_line
        for path in _lines.files(chats, ".json", levels=_LEVELS):
            if f"{path}l" not in by_line and path.rpartition(os.sep)[2].startswith("session-"):
                yield path

    def by_line(self, path: str) -> bool:
        """Whether a transcript grows by lines; older ones are replaced as a whole."""
        return path.endswith(".jsonl")

    def title(self, path: str, session_id: str, pieces: Iterable[bytes]) -> str:  # noqa: ARG002
        """The title of a session; empty where there is none."""
        return _titles.of_gemini_cli(pieces, by_line=self.by_line(path))

    def parser(self, path: str, state: bytes | None = None) -> _Parser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""
        return _Parser(self, path, state)

    def cwd(self, path: str) -> str:
        """The project's folder of the transcript at `path`.

        It is `sha256:` and the SHA-256 of the folder's path in hexadecimal digits, by which older
        versions of Gemini CLI name a project, where no more is known; "" when nothing is.
        """
        project = Path(path).parent
        while project.name != _CHATS and project != project.parent:
            project = project.parent
        project = project.parent
        if project not in self._projects:
            self._projects[project] = self._folder_of(project)
        return self._projects[project]

    def _folder_of(self, project: Path) -> str:
        if root := _read(project / ".project_root").decode(errors="replace").strip():
            return root
        if self._listed is None:
            self._listed = _listed(self._root / "projects.json")
        for folder, slug in self._listed.items():
            if project.name in {slug, _sha256(folder)}:
                return folder
        return f"{HASHED}{project.name}" if _HASH.fullmatch(project.name) else ""


def _sha256(text: str) -> str:
    import hashlib  # takes a while to load, and a status line is in a hurry

    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _read(path: Path) -> bytes:
    """A small file; nothing when it can't be read."""
    try:
        return read_small(str(path), _MAX_BYTES)
    except OSError:
        return b""


def _listed(path: Path) -> dict[str, str]:
    """The projects' names in Gemini CLI by their folders."""
    try:
        return msgspec.json.decode(_read(path), type=_Projects).projects
    except (ValueError, RecursionError):
        return {}


class _Projects(msgspec.Struct):
    projects: dict[str, str]


class _Tokens(msgspec.Struct, gc=False):
    input: _lines.Count = 0
    output: _lines.Count = 0
    cached: _lines.Count = 0
    thoughts: _lines.Count | None = None
    tool: _lines.Count | None = None


class _ToolCall(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    status: str = ""
    timestamp: _lines.Moment | None = None
    args: msgspec.Raw = msgspec.Raw(b"null")
    result_display: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct, gc=False, rename="camel"):
    id: str = ""
    timestamp: _lines.Moment | None = None
    type: str = ""
    model: str | None = None
    tokens: _Tokens | None = None
    tool_calls: list[_ToolCall] | None = None


class _Set(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw] | None = None


class _Record(_Message, gc=False, rename="camel"):
    """A message, a session's description or a change of it: what is needed of any."""

    session_id: str = ""
    project_hash: str = ""
    start_time: _lines.Moment | None = None
    messages: list[msgspec.Raw] | None = None
    changed: _Set | None = msgspec.field(name="$set", default=None)


class _DiffStat(msgspec.Struct, gc=False):
    model_added_lines: _lines.Count = 0
    model_removed_lines: _lines.Count = 0


class _Diff(msgspec.Struct, gc=False, rename="camel"):
    file_diff: str
    file_path: str = ""
    file_name: str = ""
    diff_stat: _DiffStat | None = None


class _Arguments(msgspec.Struct, gc=False):
    file_path: str = ""


_KINDS: Final = frozenset({"user", "gemini"})
"""Of messages that anything is taken of; the others say something to the user."""


class _Calls(msgspec.Struct, gc=False, array_like=True):
    """The numbers of one message's tool calls that have ended, and what they changed."""

    numbers: list[int] = msgspec.field(default_factory=list)
    added: int = 0
    removed: int = 0
    files: list[int] = msgspec.field(default_factory=list)


class _State(State, gc=False, array_like=True):
    """Where a parser stopped."""

    facts: Facts
    thread: str
    """The id of the file's own session, of a sub-agent too."""
    begun: bool = False
    """Whether the file's own id has been read."""
    calls: dict[int, _Calls] = msgspec.field(default_factory=dict)
    """By a hash of the message's id: the message may be written again."""
    asked: int = 0
    """When the user last said something."""
    answered: int = 0
    """When the last answer to that was complete; 0 while there is none."""
    ended: int = 0
    """Tool calls that have ended."""


class _Parser(Parser):
    """Reads one transcript.

    A request's key is its session's id and its message's. `tool` tokens are what the model was
    given by tools that ran at the provider: input that `input` does not include. `cached` tokens
    are part of `input`, and `thoughts` are billed as output. A message's tools are taken to run
    from when it was complete until their results were.
    """

    _state: _State

    def __init__(self, source: GeminiCli, path: str, state: bytes | None = None) -> None:
        self._by_line = source.by_line(path)
        place = Path(path)
        self._is_main = place.parent.parent.name != _CHATS
        if state is None:
            thread = _lines.storable(place.stem)
            session = thread if self._is_main else _lines.storable(place.parent.name)
            super().__init__(_State(Progress(), Facts(session, files=set()), thread))
        else:
            super().__init__(msgspec.msgpack.decode(state, type=_State))
        facts = self._state.facts
        if not facts.cwd or facts.cwd.startswith(HASHED):
            facts.cwd = source.cwd(path) or facts.cwd
        self._show(facts)

    def feed(self, data: bytes) -> None:
        state = self._state
        before = state.progress.lines
        place = 0
        if state.answered:
            state.facts.active.pop()
        # Strings hold no line breaks in JSON: any that are there stand between values.
        lines = data if self._by_line else data.replace(b"\n", b" ")
        for record in _lines.decode(lines, _Record, state.progress, _KINDS):
            if record.session_id:
                self._describe(record)
            if record.type:
                self._message(record)
            for raw in (record.changed and record.changed.messages) or record.messages or ():
                try:
                    self._message(msgspec.json.decode(raw, type=_Message))
                except (ValueError, RecursionError) as error:
                    if _lines.may_be_of(raw, _KINDS):
                        place = max(place, lines.find(raw, place))
                        line = before + data.count(b"\n", 0, place) + 1
                        state.progress.skip(line, str(error))
        if state.answered:
            state.facts.active.append((state.asked, state.answered))
        calls = state.calls.values()
        state.facts.lines_added = sum(call.added for call in calls)
        state.facts.lines_removed = sum(call.removed for call in calls)
        state.facts.files = {file for call in calls for file in call.files}
        self._show(state.facts)

    def _describe(self, record: _Record) -> None:
        """What the file says of its session."""
        state = self._state
        facts = state.facts
        if not state.begun:
            state.begun = True
            state.thread = record.session_id
            if self._is_main:
                facts.session_id = record.session_id
        if not facts.cwd and _HASH.fullmatch(record.project_hash):
            facts.cwd = f"{HASHED}{record.project_hash}"
        if record.start_time is not None:
            facts.at(_lines.milliseconds(record.start_time))

    def _message(self, message: _Message) -> None:
        """A message, new or written again."""
        state = self._state
        facts = state.facts
        time = facts.end
        if message.timestamp is not None:
            time = _lines.milliseconds(message.timestamp)
            facts.at(time)
        if message.type == "user":
            if time > state.asked:
                if state.answered:
                    facts.active.append((state.asked, state.answered))
                state.asked = time
                state.answered = 0
        elif message.type == "gemini":
            ended = self._tools(message, time) if message.tool_calls else time
            if state.asked and time >= state.asked:
                state.answered = max(state.answered, ended)
            if message.tokens is not None and time:
                self._request(message, message.tokens, time)

    def _tools(self, message: _Message, time: int) -> int:
        """The message's tool calls. Returns when the last one ended, or its time if none did."""
        state = self._state
        key = _lines.text_hash(message.id or str(time))
        # The message may have been written before.
        before = state.calls.get(key, _Calls()).numbers
        calls = _Calls()
        last = time
        for call in message.tool_calls or ():
            outcome = _OUTCOMES.get(call.status)
            if outcome is None:
                continue
            if outcome == "ok":
                self._edit(call, calls)
            end = time if call.timestamp is None else _lines.milliseconds(call.timestamp)
            last = max(last, end)
            if before:
                number = before.pop(0)
            else:
                number = state.ended = state.ended + 1
            calls.numbers.append(number)
            duration = end - time if end > time else None
            self.tools[number] = ToolRecord(
                state.facts.session_id,
                call.name,
                time,
                duration,
                outcome,
                waited=call.name in _PROMPTS,
            )
        self.tools.update(dict.fromkeys(before))
        state.facts.at(last)
        state.calls[key] = calls
        return last

    def _edit(self, call: _ToolCall, calls: _Calls) -> None:
        """The lines and the file that a call has changed; most change none."""
        try:
            diff = msgspec.json.decode(call.result_display, type=_Diff)
        except (ValueError, RecursionError):
            return
        if diff.diff_stat is not None:
            calls.added += diff.diff_stat.model_added_lines
            calls.removed += diff.diff_stat.model_removed_lines
        else:
            added, removed = _lines.added_and_removed(_lines.hunks(diff.file_diff))
            calls.added += added
            calls.removed += removed
        try:
            given = msgspec.json.decode(call.args, type=_Arguments).file_path
        except (ValueError, RecursionError):
            given = ""
        if path := diff.file_path or given or diff.file_name:
            cwd = self._state.facts.cwd
            folder = "" if cwd.startswith(HASHED) else cwd
            calls.files.append(_lines.file_hash(folder, path))

    def _request(self, message: _Message, tokens: _Tokens, time: int) -> None:
        state = self._state
        model = message.model or _lines.UNKNOWN
        if model == _lines.UNKNOWN and _lines.NO_MODEL not in state.facts.notes:
            state.facts.notes.append(_lines.NO_MODEL)
        key = f"{state.thread}/{message.id or time}"
        request = Request(
            time=time,
            model=model,
            engine=ENGINE,
            tokens=of_input(
                tokens.input + (tokens.tool or 0),
                min(tokens.cached, tokens.input),
                0,
                0,
                tokens.output + (tokens.thoughts or 0),
            ),
        )
        recorded = RequestRecord(key, state.facts.session_id, request)
        before = self.requests.get((key, ""))
        self.requests[key, ""] = recorded if before is None else last_record(before, recorded)


_OUTCOMES: Final[dict[str, Outcome]] = {"success": "ok", "error": "failed", "cancelled": "denied"}
"""How a tool call ended by its status; one with another status goes on."""


AGENT: Final = GeminiCli
