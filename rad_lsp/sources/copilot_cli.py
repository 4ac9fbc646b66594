"""Sessions of Copilot CLI: `session-state/<id>/events.jsonl`, of older versions `<id>.jsonl`.

Each line is an event. What a run of the program came to, per model, is written when it ends. A
session that is resumed is another run: the figures begin at zero again, so that those of all runs
are added up (https://github.com/PanAchy/copilot-arewecooked/pull/45). Of a run that has not
ended, or broke off, only the output of each answer is known.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import Tokens, of_input
from rad_lsp.core.transcript import Facts, Outcome, RequestRecord, ToolRecord
from rad_lsp.sources import Parser, Progress, Source, State, _lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENGINE: Final = "copilot"
_EVENTS: Final = "events.jsonl"


class CopilotCli(Source):
    """The transcripts below `COPILOT_HOME`, or `.copilot` in the user's home folder.

    Versions up to 0.0.421 had `.copilot` in `XDG_CONFIG_HOME` when that was set
    (https://github.com/github/copilot-cli/issues/1954).
    """

    name: ClassVar[str] = "copilot-cli"

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        named = environ.get("COPILOT_HOME", "").strip()
        parents = [home]
        if config := environ.get("XDG_CONFIG_HOME"):
            parents.append(Path(config))
        roots = [Path(named)] if named else [parent / ".copilot" for parent in parents]
        self.folders: tuple[Path, ...] = tuple(root / "session-state" for root in roots)

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none."""
        top = {str(folder) for folder in self.folders}
        for path in _lines.files(self.folders, ".jsonl", levels=1):
            folder, _, name = path.rpartition(os.sep)
            if name == _EVENTS or folder in top:
                yield path

    def parser(self, path: str, state: bytes | None = None) -> _Parser:
        """A parser for a transcript, from its beginning or from an earlier parser's state."""
        return _Parser(path, state)


class _Context(msgspec.Struct, gc=False):
    cwd: str | None = None
    branch: str | None = None


class _CodeChanges(msgspec.Struct, gc=False, rename="camel"):
    lines_added: _lines.Count | None = None
    lines_removed: _lines.Count | None = None
    files_modified: list[str] | None = None


class _Requests(msgspec.Struct, frozen=True, gc=False):
    count: _lines.Count = 0


class _Usage(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    input_tokens: _lines.Count = 0
    output_tokens: _lines.Count = 0
    cache_read_tokens: _lines.Count = 0
    cache_write_tokens: _lines.Count = 0


class _Metrics(msgspec.Struct, gc=False):
    requests: _Requests = _Requests()
    usage: _Usage = _Usage()


class _Data(msgspec.Struct, gc=False, rename="camel"):
    """What is needed of any event; no key has two meanings."""

    session_id: str | None = None
    context: _Context | None = None
    selected_model: str | None = None
    new_model: str | None = None
    model: str | None = None
    output_tokens: _lines.Count | None = None
    tool_call_id: str | None = None
    tool_name: str = ""
    success: bool | None = None
    error: msgspec.Raw = msgspec.Raw()
    total_api_duration_ms: _lines.Duration | None = None
    code_changes: _CodeChanges | None = None
    model_metrics: dict[str, _Metrics] | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    data: _Data | None = None
    timestamp: _lines.Moment | None = None


class _Error(msgspec.Struct, gc=False):
    code: str | None = None
    message: str | None = None


_REFUSALS: Final = frozenset({"rejected", "denied"})
_REFUSED: Final = "The user rejected"
"""How the message of a tool call begins that the user has refused."""


class _State(State, gc=False, array_like=True):
    """Where a parser stopped. Times are in milliseconds since the epoch.

    `run` counts the runs of the session, of which `answers` and `output_tokens` are what the
    present one has shown since `begun`. `running` tells that the last of the facts' active
    intervals is a turn that goes on. `calls` has time and name
    of each tool call without a result, `results` counts those with one.
    """

    facts: Facts
    model: str = _lines.UNKNOWN
    run: int = 0
    begun: int = 0
    answers: int = 0
    output_tokens: int = 0
    running: bool = False
    calls: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    results: int = 0


class _Parser(Parser):
    """Reads a transcript of Copilot CLI.

    A request stands for all requests of a run to one model, since only their sums are known; its
    time is that of the run's first answer. Its key is the run. While a run goes on there is one
    for its answers, not billed and not final, which is a `side` copy: it gives way to those that
    the end of the run brings.
    """

    _state: _State

    def __init__(self, path: str, state: bytes | None = None) -> None:
        if state is None:
            place = Path(path)
            name = place.parent.name if place.name == _EVENTS else place.stem
            super().__init__(_State(Progress(), Facts(_lines.storable(name))))
        else:
            super().__init__(msgspec.msgpack.decode(state, type=_State))
        self._show(self._state.facts)

    def feed(self, data: bytes) -> None:
        state = self._state
        facts = state.facts
        for event in _lines.decode(data, _Event, state.progress, _READERS):
            time = facts.end
            if event.timestamp is not None:
                time = _lines.milliseconds(event.timestamp)
                facts.at(time)
            if event.data is not None and (read := _READERS.get(event.type)):
                read(self, event.data, time)
        self._show(facts)

    def read_start(self, data: _Data, time: int) -> None:
        """The program has been started, with a new session or one that it resumes."""
        state = self._state
        facts = state.facts
        if data.session_id and not state.run:
            facts.session_id = data.session_id
        if data.context is not None and not facts.cwd:
            facts.cwd = data.context.cwd or ""
            facts.branch = data.context.branch or ""
        self._next_run()
        facts.ended = False
        self.read_model(data, time)

    def read_model(self, data: _Data, time: int) -> None:  # noqa: ARG002
        self._state.model = data.new_model or data.selected_model or self._state.model

    def read_prompt(self, data: _Data, time: int) -> None:  # noqa: ARG002
        self._state.facts.ended = False

    def read_turn_start(self, data: _Data, time: int) -> None:  # noqa: ARG002
        self._state.running = True
        self._state.facts.active.append((time, time))

    def read_turn_end(self, data: _Data, time: int) -> None:  # noqa: ARG002
        self._works(time)
        self._state.running = False

    def read_answer(self, data: _Data, time: int) -> None:
        state = self._state
        self._works(time)
        if data.output_tokens is None:
            return
        state.begun = state.begun or time
        state.answers += 1
        state.output_tokens += data.output_tokens
        request = Request(
            time=state.begun,
            model=data.model or state.model,
            engine=_ENGINE,
            tokens=Tokens(output=state.output_tokens),
            requests=state.answers,
        )
        session_id = state.facts.session_id
        self.requests[self._run, ""] = RequestRecord(
            self._run, session_id, request, side=True, final=False, billed=False, is_sum=True
        )

    def read_call(self, data: _Data, time: int) -> None:
        self._works(time)
        if data.tool_call_id is not None:
            self._state.calls[data.tool_call_id] = time, data.tool_name

    def read_result(self, data: _Data, time: int) -> None:
        self._works(time)
        state = self._state
        start, name = state.calls.pop(data.tool_call_id or "", (0, data.tool_name))
        outcome: Outcome = "ok"
        if data.success is None:
            outcome = "unknown"
        elif not data.success:
            outcome = "denied" if _was_refused(data.error) else "failed"
        duration = max(time - start, 0) if start and outcome != "denied" else None
        state.results += 1
        self.tools[state.results] = ToolRecord(
            state.facts.session_id, name, start or time, duration, outcome
        )

    def read_shutdown(self, data: _Data, time: int) -> None:
        """The program ends and tells what the run came to."""
        state = self._state
        facts = state.facts
        for model, metrics in (data.model_metrics or {}).items():
            usage = metrics.usage
            request = Request(
                time=state.begun or time,
                model=model,
                engine=_ENGINE,
                tokens=of_input(
                    usage.input_tokens,
                    usage.cache_read_tokens,
                    usage.cache_write_tokens,
                    0,
                    usage.output_tokens,
                ),
                requests=metrics.requests.count,
            )
            self.requests[self._run, model] = RequestRecord(
                self._run, facts.session_id, request, model, is_sum=True
            )
            self.requests.pop((self._run, ""), None)
        if data.total_api_duration_ms is not None:
            facts.api_time = (facts.api_time or 0) + int(data.total_api_duration_ms)
        if data.code_changes is not None:
            facts.lines_added += data.code_changes.lines_added or 0
            facts.lines_removed += data.code_changes.lines_removed or 0
            changed = {_lines.path_hash(path) for path in data.code_changes.files_modified or ()}
            facts.files = changed | (facts.files or set())
        self._next_run()
        facts.ended = True

    @property
    def _run(self) -> str:
        """The key of the run's requests."""
        return f"{self._state.facts.session_id}:{self._state.run}"

    def _next_run(self) -> None:
        state = self._state
        state.run += 1
        state.begun = state.answers = state.output_tokens = 0
        state.running = False
        state.calls.clear()

    def _works(self, time: int) -> None:
        """The turn that has begun goes on until here at least."""
        if self._state.running:
            begin, end = self._state.facts.active[-1]
            self._state.facts.active[-1] = (begin, max(end, time))


def _was_refused(error: msgspec.Raw) -> bool:
    """Whether the user did not let a tool call happen, which is not the tool's failure."""
    try:
        told = msgspec.json.decode(error, type=_Error)
    except ValueError:
        return False
    return told.code in _REFUSALS or (told.message or "").startswith(_REFUSED)


_READERS: Final = {
    "session.start": _Parser.read_start,
    "session.resume": _Parser.read_start,
    "session.model_change": _Parser.read_model,
    "session.shutdown": _Parser.read_shutdown,
    "user.message": _Parser.read_prompt,
    "assistant.turn_start": _Parser.read_turn_start,
    "assistant.turn_end": _Parser.read_turn_end,
    "assistant.message": _Parser.read_answer,
    "tool.execution_start": _Parser.read_call,
    "tool.execution_complete": _Parser.read_result,
}

AGENT: Final = CopilotCli
