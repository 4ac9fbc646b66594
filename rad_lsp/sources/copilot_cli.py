"""Sessions of Copilot CLI: `session-state/<id>/events.jsonl`, of older versions `<id>.jsonl`.

Each line is an event. `session.shutdown` tells the sums of tokens per model when a run of the
program ends. A session that is resumed is another run. Its sums begin at zero again in older
versions (https://github.com/PanAchy/copilot-arewecooked/pull/45), and go on from those before in
newer ones, such as 1.0.78. The file does not say which, but a run's own answers do: their output
is what the sums have grown by. What the sums have grown by is what the run used.

Money is `totalNanoAiu`, the provider's own bill: 1e11 of it are one USD, as an AI credit is one
cent. `session.usage_checkpoint` tells it while the session goes on, for the session as a whole:
it is written so that a resumed session can go on from it
(https://github.com/github/copilot-sdk, `session-events.schema.json`). So money is known of a run,
too, that has not ended or broke off; of its tokens only the output is.

`session.compaction_complete` tells what summing up the conversation used. The sums of tokens per
model leave it out, `tokenDetails` and the money do not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

import msgspec

from rad_lsp.core import limits
from rad_lsp.core.spending import SLOT_MS, Request
from rad_lsp.core.tokens import NO_TOKENS, Tokens, of_input
from rad_lsp.core.transcript import Facts, Outcome, RequestRecord, ToolRecord, moment
from rad_lsp.sources import Parser, Place, Progress, Source, State, _lines, _titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_ENGINE: Final = "copilot"
_EVENTS: Final = "events.jsonl"
_WORKSPACE: Final = "workspace.yaml"
_QUESTIONS: Final = frozenset({"ask_user", "exit_plan_mode"})
"""The tools that ask the user."""

_NANO_AIU: Final = 1e11
"""In one USD."""

_MOST_MISTAKES: Final = 5
"""That are told of one event."""

_Nano = Annotated[float, msgspec.Meta(ge=0, le=1e17)]


class CopilotCli(Source):
    """The transcripts below `COPILOT_HOME`, or `.copilot` in the user's home folder.

    Versions up to 0.0.421 had `.copilot` in `XDG_CONFIG_HOME` when that was set
    (https://github.com/github/copilot-cli/issues/1954).
    """

    name: ClassVar[str] = "copilot-cli"
    label: ClassVar[str] = "Copilot CLI"
    places: ClassVar[tuple[Place, ...]] = (
        Place("session-state", home=".copilot", variable="COPILOT_HOME"),
        Place(".copilot/session-state", variable="XDG_CONFIG_HOME"),
    )
    resume: ClassVar[tuple[str, ...]] = ("copilot", "--resume")

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        own, older = self.places
        folders = own.paths(environ, home)
        if not own.named(environ):
            folders += older.paths(environ, home)
        self.folders: tuple[Path, ...] = tuple(folders)

    def paths(self) -> Iterator[str]:
        """Every transcript, each file once. A folder that can't be read has none."""
        top = {str(folder) for folder in self.folders}
        for path in _lines.files(self.folders, ".jsonl", levels=1):
            folder, _, name = path.rpartition(os.sep)
            if name == _EVENTS or folder in top:
                yield path

    def titled_in(self, path: str) -> tuple[str, ...]:
        """The file beside the events that a user's name for the session is in, and the events."""
        folder, _, name = path.rpartition(os.sep)
        return (f"{folder}{os.sep}{_WORKSPACE}", path) if name == _EVENTS else (path,)

    def title(self, path: str, session_id: str, pieces: Iterable[bytes]) -> str:  # noqa: ARG002
        """The title of a session; empty where there is none."""
        if path.endswith(_WORKSPACE):
            return _titles.of_workspace_yaml(pieces)
        return _titles.of_copilot_cli(pieces)

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


class _Detail(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    token_count: _lines.Count = 0


class _Metrics(msgspec.Struct, gc=False, rename="camel"):
    requests: _Requests = _Requests()
    usage: _Usage = _Usage()
    token_details: dict[str, _Detail] | None = None
    total_nano_aiu: _Nano | None = None


class _CopilotUsage(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    total_nano_aiu: _Nano | None = None


class _CompactionUsage(msgspec.Struct, gc=False, rename="camel"):
    """Tokens of a compaction; older versions have `input`, `output` and `cachedInput`."""

    input_tokens: _lines.Count = 0
    output_tokens: _lines.Count = 0
    cache_read_tokens: _lines.Count = 0
    cache_write_tokens: _lines.Count = 0
    input: _lines.Count = 0
    output: _lines.Count = 0
    cached_input: _lines.Count = 0
    model: str | None = None
    copilot_usage: _CopilotUsage | None = None


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
    token_details: dict[str, _Detail] | None = None
    total_nano_aiu: _Nano | None = None
    compaction_tokens_used: _CompactionUsage | None = None
    quota_snapshots: msgspec.Raw = msgspec.Raw(b"null")


class _Quota(msgspec.Struct, gc=False, rename="camel"):
    """What is used of a month's quota. The remaining percentage is a fraction in some versions."""

    entitlement_requests: float
    used_requests: Annotated[float, msgspec.Meta(ge=0)]
    is_unlimited_entitlement: bool = False
    reset_date: str | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    data: _Data | None = None
    timestamp: _lines.Moment | None = None
    id: str | None = None
    agent_id: str | None = msgspec.field(default=None, name="agentId")


class _Error(msgspec.Struct, gc=False):
    code: str | None = None
    message: str | None = None


_REFUSALS: Final = frozenset({"rejected", "denied"})
_REFUSED: Final = "The user rejected"
"""How the message of a tool call begins that the user has refused."""


class _Sum(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What requests to one model came to; `nano_aiu` is None where it is not told."""

    requests: int = 0
    tokens: Tokens = NO_TOKENS
    nano_aiu: int | None = None

    def counts(self) -> tuple[int, ...]:
        return self.requests, *msgspec.structs.astuple(self.tokens), self.nano_aiu or 0

    def minus(self, other: _Sum) -> _Sum:
        requests, *tokens, nano_aiu = (
            max(mine - its, 0) for mine, its in zip(self.counts(), other.counts(), strict=True)
        )
        return _Sum(requests, Tokens(*tokens), None if self.nano_aiu is None else nano_aiu)


class _Sums(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a shutdown tells; `api_time` is in milliseconds."""

    models: dict[str, _Sum] = {}
    nano_aiu: int | None = None
    api_time: int = 0
    lines_added: int = 0
    lines_removed: int = 0

    @property
    def tokens(self) -> Tokens:
        return sum([used.tokens for used in self.models.values()], NO_TOKENS)

    def may_go_on_from(self, before: _Sums) -> bool:
        """Whether no sum of a model is smaller than before."""
        return all(
            mine >= its
            for model, used in before.models.items()
            for mine, its in zip(
                self.models.get(model, _NOTHING).counts(), used.counts(), strict=True
            )
        )


_NOTHING: Final = _Sum()


class _Compaction(msgspec.Struct, gc=False, array_like=True):
    time: int
    model: str
    tokens: Tokens
    nano_aiu: int | None


class _Segment(msgspec.Struct, gc=False, array_like=True):
    """Answers of a run between two tellings of money, and within one slot.

    `number` counts the segments of the run, `time` is that of the first answer. `answers` had
    `output` tokens in all. `told` is the session's money in nano-AIU as it was told at the end;
    None where money was told later only, or not at all.
    """

    run: int
    number: int
    time: int
    model: str
    answers: int = 0
    output: int = 0
    told: int | None = None
    compactions: list[_Compaction] = msgspec.field(default_factory=list)


class _State(State, gc=False, array_like=True):
    """Where a parser stopped. Times are in milliseconds since the epoch.

    `run` counts the runs of the session. `running` tells that the last of the facts' active
    intervals is a turn that goes on. `calls` has time and name of each tool call without a result,
    by a hash of its id, `results` counts those with one. `segments` are those since the last
    shutdown, which told `sums`; runs that broke off are among them. `told` is the last money that
    was told. `starts` are the ids of the events that begin runs; up to `repeated_until` events are
    in the file again.
    """

    facts: Facts
    model: str = _lines.UNKNOWN
    run: int = 0
    running: bool = False
    calls: dict[int, tuple[int, str]] = msgspec.field(default_factory=dict)
    results: int = 0
    segments: list[_Segment] = msgspec.field(default_factory=list)
    sums: _Sums = _Sums()
    told: int = 0
    starts: list[str] = msgspec.field(default_factory=list)
    repeated_until: int = 0


class _Reading(NamedTuple):
    """How the sums of a shutdown may be meant: of which segments they are the use.

    `goes_on` tells that they contain the sums before, `has_compactions` that they contain the
    compactions of the segments.
    """

    segments: list[_Segment]
    goes_on: bool
    has_compactions: bool


class _Parser(Parser):
    """Reads a transcript of Copilot CLI.

    A request stands for all requests of a segment to one model, since only sums are known. Those
    of the run are split by what its segments cost, or else by their answers; the number of
    requests always by these. Its key is the segment. While a run goes on there is one for the
    segment's answers, not final, and billed only if money was told. It is a `side` copy: it gives
    way to those that the end of the run brings. If the run breaks off, it stays, unless the sums
    of a later shutdown contain it.

    A compaction is a request of its own.
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
        self._calls = _lines.ById(self._state.calls)

    def state(self) -> bytes:
        """Where the parser stopped."""
        self._state.calls = self._calls.by_hash()
        return super().state()

    def feed(self, data: bytes) -> None:
        state = self._state
        facts = state.facts
        before = state.progress.lines
        place = 0
        for event in _lines.decode(data, _Event, state.progress, _READERS):
            time = facts.end
            if event.timestamp is not None:
                time = _lines.milliseconds(event.timestamp)
            if self._is_repeated(event, time):
                continue
            if event.timestamp is not None:
                facts.at(time)
            if event.agent_id is not None and event.type in _OF_SESSION:
                continue  # what a sub-agent tells of itself is part of the session's sums
            if event.data is not None and (read := _READERS.get(event.type)):
                read(self, event.data, time)
            if event.data is not None and event.timestamp is not None:
                quotas = event.data.quota_snapshots
                if mistake := self._quotas(quotas, time):
                    place = max(place, data.find(quotas, place))
                    line = before + data.count(b"\n", 0, place) + 1
                    state.progress.skip(line, mistake)
        self._show(facts)

    def _quotas(self, told: msgspec.Raw, time: int) -> str:
        """What is used of the quotas, of which any event may tell; returns what is wrong."""
        if bytes(told) == b"null":
            return ""
        mistakes = []
        try:
            quotas = msgspec.json.decode(told, type=dict[limits.Name, msgspec.Raw])
        except (ValueError, RecursionError) as error:
            return f"quotaSnapshots: {error}"
        for name, raw in quotas.items():
            try:
                quota = msgspec.json.decode(raw, type=_Quota)
            except (ValueError, RecursionError) as error:
                mistakes.append(f"quotaSnapshots.{name}: {error}")
                continue
            # Nothing can be used up of what has no end, or of what the plan does not have.
            if not quota.is_unlimited_entitlement and quota.entitlement_requests > 0:
                self._put_window(_window(name, quota, time))
        return "; ".join(mistakes[:_MOST_MISTAKES])

    def _is_repeated(self, event: _Event, time: int) -> bool:
        """Whether an event is in the file a second time: some have all of a run twice."""
        state = self._state
        if event.id is not None and _READERS.get(event.type) is _Parser.read_start:
            if event.id in state.starts:
                state.repeated_until = state.facts.end
            else:
                state.starts.append(event.id)
        return time <= state.repeated_until

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
        segment = self._segment(time)
        segment.answers += 1
        segment.output += data.output_tokens
        segment.model = data.model or state.model
        self._put_answers(segment, None)

    def read_compaction(self, data: _Data, time: int) -> None:
        """The conversation has been compacted, for which a request was made."""
        used = data.compaction_tokens_used
        if used is None:
            return
        tokens = of_input(
            used.input_tokens or used.input,
            used.cache_read_tokens or used.cached_input,
            used.cache_write_tokens,
            0,
            used.output_tokens or used.output,
        )
        nano_aiu = used.copilot_usage.total_nano_aiu if used.copilot_usage else None
        if tokens == NO_TOKENS and not nano_aiu:
            return
        model = used.model or self._state.model
        segment = self._segment(time)
        segment.compactions.append(_Compaction(time, model, tokens, _whole(nano_aiu)))
        self._put_compaction(segment, len(segment.compactions) - 1)

    def read_checkpoint(self, data: _Data, time: int) -> None:
        """What the session has cost so far."""
        nano_aiu = _whole(data.total_nano_aiu)
        if nano_aiu is not None:
            self._tell(nano_aiu, time)

    def read_call(self, data: _Data, time: int) -> None:
        self._works(time)
        if data.tool_call_id is not None:
            self._calls.new[data.tool_call_id] = time, data.tool_name

    def read_result(self, data: _Data, time: int) -> None:
        self._works(time)
        state = self._state
        start, name = self._calls.pop(data.tool_call_id or "") or (0, data.tool_name)
        outcome: Outcome = "ok"
        if data.success is None:
            outcome = "unknown"
        elif not data.success:
            outcome = "denied" if _was_refused(data.error) else "failed"
        duration = max(time - start, 0) if start and outcome != "denied" else None
        state.results += 1
        self.tools[state.results] = ToolRecord(
            state.facts.session_id,
            name,
            start or time,
            duration,
            outcome,
            waited=name in _QUESTIONS,
        )

    def read_shutdown(self, data: _Data, time: int) -> None:
        """The program ends and tells what the run, or the whole session, came to."""
        state = self._state
        facts = state.facts
        before = state.sums
        now = _sums(data, before)
        self.read_checkpoint(data, time)
        if data.model_metrics and not self._bill(data, now, time):
            before = _Sums()
        if data.total_api_duration_ms is not None:
            facts.api_time = (facts.api_time or 0) + _gain(now.api_time, before.api_time)
        if data.code_changes is not None:
            facts.lines_added += _gain(now.lines_added, before.lines_added)
            facts.lines_removed += _gain(now.lines_removed, before.lines_removed)
            paths = data.code_changes.files_modified or ()
            changed = {_lines.file_hash(facts.cwd, path) for path in paths}
            facts.files = changed | (facts.files or set())
        state.sums = now
        self._next_run()
        facts.ended = True

    def _bill(self, data: _Data, now: _Sums, time: int) -> bool:
        """Put the requests that the sums of a shutdown tell of; returns whether the sums go on."""
        state = self._state
        if self._last_of_run() is None:
            self._segment(time)  # what a run that has shown nothing used is dated at its end
        reading = self._reading(data, now)
        segments = reading.segments
        before = state.sums.models if reading.goes_on else {}
        used = {
            model: total.minus(before.get(model, _NOTHING)) for model, total in now.models.items()
        }
        compactions = [compaction for one in segments for compaction in one.compactions]
        if reading.has_compactions:
            for compaction in compactions:
                if compaction.model in used:
                    told = _Sum(1, compaction.tokens)
                    used[compaction.model] = used[compaction.model].minus(told)
        base = self._base(now, used, reading)
        money = None if now.nano_aiu is None else now.nano_aiu - base
        costs = _costs(money, used, compactions)
        if any(cost is not None for cost in costs.values()):
            self._settle(segments)
        weights = _weights(segments, base)
        answers = [segment.answers for segment in segments]
        used = {model: one for model, one in used.items() if any(one.counts()) or costs[model]}
        for index, (model, one) in enumerate(used.items()):
            requests = split(one.requests, answers)
            # By their number each stays as large as all are on average, as prices depend on that.
            parts = weights if any(weights) else requests if any(requests) else answers
            counts = [split(count, parts) for count in msgspec.structs.astuple(one.tokens)]
            cost = costs[model]
            shares = [None] * len(segments) if cost is None else split(cost, parts)
            for segment, number, nano_aiu, *tokens in zip(
                segments, requests, shares, *counts, strict=True
            ):
                # The answers that the segment has shown give way to one of its key at least.
                if index and not (any(tokens) or number or nano_aiu):
                    continue
                request = Request(
                    time=segment.time,
                    model=model,
                    engine=_ENGINE,
                    tokens=Tokens(*tokens),
                    cost=_usd(nano_aiu),
                    requests=number,
                )
                key = self._key(segment)
                self.requests[key, model] = RequestRecord(
                    key, state.facts.session_id, request, model, is_sum=True
                )
                self.requests.pop((key, ""), None)
        state.segments.clear()
        return reading.goes_on

    def _reading(self, data: _Data, now: _Sums) -> _Reading:
        """Of all ways to read the sums the one that the answers' output comes closest to.

        Of equal ones it is the one that counts the least twice.
        """
        state = self._state
        run = [segment for segment in state.segments if segment.run == state.run]
        details = _of_details(data.token_details)
        readings = [
            _Reading(segments, goes_on, has_compactions)
            for segments in (state.segments[:], run)
            for goes_on in (True, False)
            if not goes_on or now.may_go_on_from(state.sums)
            for has_compactions in ((False, True) if details is None else (details == now.tokens,))
        ]

        def distance(reading: _Reading) -> int:
            shown = sum([segment.output for segment in reading.segments])
            if reading.has_compactions:
                for segment in reading.segments:
                    shown += sum([one.tokens.output for one in segment.compactions])
            before = state.sums.tokens.output if reading.goes_on else 0
            return abs(now.tokens.output - before - shown)

        return min(readings, key=distance)

    def _base(self, now: _Sums, used: dict[str, _Sum], reading: _Reading) -> int:
        """The money that was told before and that a shutdown's money contains.

        Money may go on when the sums of tokens do not: checkpoints tell it to the next run. If it
        is told of each model, these amounts say which base is right.
        """
        if now.nano_aiu is None:
            return 0
        others = self._state.segments[: -len(reading.segments)]
        earlier = [other.told for other in others if other.told is not None][-1:]
        bases = [*earlier, self._state.sums.nano_aiu or 0, 0]
        possible = [base for base in bases if base <= now.nano_aiu]
        amounts = [one.nano_aiu for one in used.values()]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts):
            return possible[0] if reading.goes_on else 0
        rest = now.nano_aiu - sum(known)
        return min(possible, key=lambda base: abs(rest - base))

    def _tell(self, told: int, time: int) -> None:
        """The session's money up to here has been told: its segments are billed."""
        state = self._state
        untold: list[_Segment] = []
        for segment in reversed(state.segments):
            if segment.run != state.run or segment.told is not None:
                break
            untold.insert(0, segment)
        if not untold and told != state.told:
            untold = [self._segment(time)]
        if untold:
            untold[-1].told = told
            self._settle(untold)
            for segment, nano_aiu in zip(untold, _weights(untold, state.told), strict=True):
                if segment.answers or nano_aiu:
                    self._put_answers(segment, nano_aiu)
        state.told = told

    def _settle(self, segments: Sequence[_Segment]) -> None:
        """Compactions whose own cost is not told are paid with the answers beside them."""
        for segment in segments:
            for index, compaction in enumerate(segment.compactions):
                if compaction.nano_aiu is None:
                    compaction.nano_aiu = 0
                    self._put_compaction(segment, index)

    def _segment(self, time: int) -> _Segment:
        """The segment of something that happens now."""
        state = self._state
        last = self._last_of_run()
        if last is not None and last.told is None and last.time // SLOT_MS == time // SLOT_MS:
            return last
        number = 0 if last is None else last.number + 1
        segment = _Segment(state.run, number, time, state.model)
        state.segments.append(segment)
        return segment

    def _last_of_run(self) -> _Segment | None:
        segments = self._state.segments
        return segments[-1] if segments and segments[-1].run == self._state.run else None

    def _put_answers(self, segment: _Segment, nano_aiu: int | None) -> None:
        """The answers of a segment as long as the run goes on."""
        key = self._key(segment)
        request = Request(
            time=segment.time,
            model=segment.model,
            engine=_ENGINE,
            tokens=Tokens(output=segment.output),
            cost=_usd(nano_aiu),
            requests=segment.answers or 1,  # what costs something was a request
        )
        self.requests[key, ""] = RequestRecord(
            key,
            self._state.facts.session_id,
            request,
            side=True,
            final=False,
            billed=nano_aiu is not None,
            is_sum=True,
        )

    def _put_compaction(self, segment: _Segment, index: int) -> None:
        compaction = segment.compactions[index]
        key = f"{self._key(segment)}:{index}"
        request = Request(
            time=compaction.time,
            model=compaction.model,
            engine=_ENGINE,
            tokens=compaction.tokens,
            cost=_usd(compaction.nano_aiu),
        )
        self.requests[key, ""] = RequestRecord(key, self._state.facts.session_id, request)

    def _key(self, segment: _Segment) -> str:
        """The key of the segment's requests."""
        return f"{self._state.facts.session_id}:{segment.run}:{segment.number}"

    def _next_run(self) -> None:
        state = self._state
        state.run += 1
        state.running = False
        self._calls.clear()

    def _works(self, time: int) -> None:
        """The turn that has begun goes on until here at least."""
        if self._state.running:
            begin, end = self._state.facts.active[-1]
            self._state.facts.active[-1] = (begin, max(end, time))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """A total in parts that are as large as their weights, to one, and add up to it.

    Without weights the last part is all of it.
    """
    whole = sum(weights)
    parts = []
    weight = given = 0
    for number, more in enumerate(weights, 1):
        weight += more
        upto = total * weight // whole if whole else total * (number == len(weights))
        parts.append(upto - given)
        given = upto
    return parts


def _weights(segments: Sequence[_Segment], base: int) -> list[int]:
    """What each segment's answers cost, in nano-AIU, when `base` was told before.

    What was told of several together is shared by their output.
    """
    weights: list[int] = []
    shared: list[_Segment] = []
    for segment in segments:
        shared.append(segment)
        if segment.told is not None:
            compactions = [one.nano_aiu or 0 for part in shared for one in part.compactions]
            money = max(_gain(segment.told, base) - sum(compactions), 0)
            weights += split(money, [part.output for part in shared])
            base = segment.told
            shared = []
    return weights + [0] * len(shared)


def _costs(
    money: int | None, used: dict[str, _Sum], compactions: list[_Compaction]
) -> dict[str, int | None]:
    """What each model's requests cost in nano-AIU, without compactions; None if unknown.

    They add up to the money. Where it is not told of each model, what is left of it goes to the
    others by their tokens, weighed as their rates are to each other with most models.
    """
    costs = {model: one.nano_aiu for model, one in used.items()}
    compacted = dict.fromkeys(used, 0)
    for compaction in compactions:
        if compaction.model in compacted:
            compacted[compaction.model] += compaction.nano_aiu or 0
        elif money is not None:
            money -= compaction.nano_aiu or 0
    if money is not None:
        money = max(money, 0)
        known = {model: cost for model, cost in costs.items() if cost is not None}
        others = [model for model in costs if model not in known]
        rest = money - sum(known.values())
        if others and rest >= 0:
            shares = split(rest, [_worth(used[model].tokens) for model in others])
            costs |= zip(others, shares, strict=True)
        elif rest:
            weights = [cost or 0 for cost in costs.values()]
            if not any(weights):
                weights = [_worth(one.tokens) for one in used.values()]
            costs = dict(zip(costs, split(money, weights), strict=True))
    return {
        model: None if cost is None else max(cost - compacted[model], 0)
        for model, cost in costs.items()
    }


def _worth(tokens: Tokens) -> int:
    return 10 * tokens.fresh + tokens.cache_read + 12 * tokens.cache_write + 50 * tokens.output


def _sums(data: _Data, before: _Sums) -> _Sums:
    """What a shutdown tells; what it does not tell is as before."""
    models = {}
    for model, metrics in (data.model_metrics or {}).items():
        usage = metrics.usage
        tokens = of_input(
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            0,
            usage.output_tokens,
        )
        if tokens == NO_TOKENS:
            tokens = _of_details(metrics.token_details) or NO_TOKENS
        models[model] = _Sum(metrics.requests.count, tokens, _whole(metrics.total_nano_aiu))
    changes = data.code_changes or _CodeChanges(before.lines_added, before.lines_removed)
    return _Sums(
        models or before.models,
        _whole(data.total_nano_aiu) if models else before.nano_aiu,
        before.api_time if data.total_api_duration_ms is None else int(data.total_api_duration_ms),
        changes.lines_added or 0,
        changes.lines_removed or 0,
    )


def _of_details(details: dict[str, _Detail] | None) -> Tokens | None:
    """Tokens of `tokenDetails`, whose input tokens are the fresh ones."""
    if not details:
        return None
    classes = ("input", "cache_read", "cache_write", "output")
    fresh, read, written, output = (
        details[name].token_count if name in details else 0 for name in classes
    )
    return Tokens(fresh, read, written, output=output)


def _gain(now: int, before: int) -> int:
    """By how much a sum has grown; one that is smaller than before has begun anew."""
    return now - before if now >= before else now


def _window(name: str, quota: _Quota, time: int) -> limits.Window:
    recorded, resets = moment(time), limits.reset_time(quota.reset_date)
    return limits.Window(
        source=CopilotCli.name,
        name=_lines.storable(name),
        # What was used beyond the quota is overage.
        used_percent=min(100 * quota.used_requests / quota.entitlement_requests, 100.0),
        recorded_at=recorded,
        # Some versions write a moment shortly before the record, which is no end of a quota.
        resets_at=resets if resets is not None and resets > recorded else None,
    )


def _whole(nano_aiu: float | None) -> int | None:
    return None if nano_aiu is None else round(nano_aiu)


def _usd(nano_aiu: int | None) -> float | None:
    return None if nano_aiu is None else nano_aiu / _NANO_AIU


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
    "session.compaction_complete": _Parser.read_compaction,
    "session.usage_checkpoint": _Parser.read_checkpoint,
    "session.shutdown": _Parser.read_shutdown,
    "user.message": _Parser.read_prompt,
    "assistant.turn_start": _Parser.read_turn_start,
    "assistant.turn_end": _Parser.read_turn_end,
    "assistant.message": _Parser.read_answer,
    "tool.execution_start": _Parser.read_call,
    "tool.execution_complete": _Parser.read_result,
}

_OF_SESSION: Final = frozenset(
    kind
    for kind in _READERS
    if kind.startswith("session.") and kind != "session.compaction_complete"
)

AGENT: Final = CopilotCli
