"""Tracks a session of an agent: its report is on disk from the first second to the last."""

from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeAlias

import msgspec

from rad_lsp.core import report
from rad_lsp.core.errors import OutputNotWritable, reason
from rad_lsp.core.report import Report
from rad_lsp.core.spending import Request
from rad_lsp.tracking import endings, file, ids
from rad_lsp.tracking.clock import Clock
from rad_lsp.tracking.ledger import DECISIONS, UNKNOWN, Decision, Kind, Ledger, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from rad_lsp.core.report import ChildSession
    from rad_lsp.pricing import Prices
    from rad_lsp.tracking.changes import ChangeTracker, CodeChanges

Children: TypeAlias = "Callable[[datetime], tuple[ChildSession, ...]]"

MOST_TOKENS: Final = 10**12
"""Of one request. More is a mistake, and would not fit into a report when added up."""

_AT_MOST_EVERY: Final = 1.0
"""Seconds between two reports while things happen."""

_IDLE_LOOK: Final = 10.0
"""Seconds after which code changes are looked at although nothing else has happened."""

_BUSY_LOOK: Final = 3.0
"""Seconds between two looks at code changes, while things happen."""

_LOOK_SHARE: Final = 20
"""Looks at code changes are this many times further apart than one takes."""

_SIGN_OF_LIFE: Final = 60.0
"""Seconds after which a report is written anew, because a session that is not is taken for
interrupted (session format, "running")."""

_LONGEST_NAME: Final = 256


class SessionRecorder:
    """Tracks one session: `with SessionRecorder(workspace) as session: ...`.

    The report lies in `workspace/.radium/_internals/sessions/`, which is made when missing. It is
    replaced at most once a second while things happen, and final once the `with` statement is
    left, by an exception, Ctrl-C, or a SIGTERM that the program does not handle itself, too.
    A session may be used from many threads and asyncio tasks at once.

    `session_id` is a new UUID by default. `prices` tell what requests cost, by default those of
    the price list. `changes` tells whether code changes are counted, with git. `children` finds
    the sessions of other agents that are part of this one, given when it started. `compact`
    reports have no indentation; by default that is for `$RADIUM_COMPACT_SESSION_JSON` to say.

    Entering raises BadSessionId, SessionExists when the id has a report already, and
    OutputNotWritable. After that no trouble with files is raised: tracking goes on, and what
    could not be written at the end is logged, and is in `trouble`.
    """

    def __init__(
        self,
        workspace: Path | str,
        *,
        session_id: str | None = None,
        prices: Prices | None = None,
        changes: bool = True,
        children: Children | None = None,
        compact: bool | None = None,
        clock: Callable[[], Clock] = Clock,
    ) -> None:
        self.id = ids.new() if session_id is None else session_id
        ids.check(self.id)
        self.workspace = Path(workspace).absolute()
        self.trouble: str | None = None
        self._prices = prices
        self._compact = file.compact(os.environ) if compact is None else compact
        self._make_clock = clock
        self._count_changes = changes
        self._file = file.ReportFile(self.workspace, self.id)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_fresh, name=f"session {self.id}", daemon=True
        )
        self._writing = threading.RLock()
        self._tracker: ChangeTracker | None = None
        self._changes: CodeChanges | None = None
        self._find_children = children
        self._children: tuple[ChildSession, ...] = ()
        self._looked = 0.0
        self._look_took = 0.0
        self._ended: tuple[datetime, int] | None = None
        self._closed = False
        self._process = os.getpid()
        self._begun: tuple[Clock, Ledger] | None = None

    @property
    def prices(self) -> Prices:
        """What requests cost."""
        if self._prices is None:
            from rad_lsp.pricing import Prices

            self._prices = Prices()
        return self._prices

    @property
    def path(self) -> Path:
        """The report's file."""
        return self._file.path

    def __enter__(self) -> Self:
        self._begun = self._make_clock(), Ledger(self._changed)
        self._file.create(self._report())
        endings.register(self)
        try:
            self._start_changes()
            self._thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def request(self, *, model: str, engine: str = UNKNOWN, tier: str = "") -> RequestCall:
        """A request to a model: `with session.request(model="gpt-5") as request: ...`.

        `engine` is who answers it, such as `openai` or `ollama`; `tier` a service tier other than
        the standard one, such as `batch` or `flex`.
        """
        return RequestCall(*self._parts, _name(model), _name(engine), tier and _name(tier))

    def tool(self, name: str) -> ToolCall:
        """A tool call: `with session.tool("grep") as call: ...`."""
        return ToolCall(*self._parts, name)

    def approval(self, decision: Decision) -> None:
        """The user was `asked` for permission, has `allowed` or has `denied` something.

        Raises ValueError for another decision.
        """
        if decision not in DECISIONS:
            raise ValueError(f"{decision!r} is none of {', '.join(DECISIONS)}")
        self._parts[1].approve(decision)

    def warn(self, sentence: str, key: str = "") -> None:
        """Add a sentence to the report's warnings: something could not be counted.

        A later sentence of the same `key` takes its place.
        """
        self._parts[1].warn(sentence, key)

    def close(self) -> None:
        """End the session; leaving the `with` statement does it. Nothing happens the second time.

        A process that was forked off does not end its parent's session.
        """
        if self._begun is None or self._closed or self._process != os.getpid():
            return
        first = self._ended is None
        if first:
            clock, _ = self._begun
            self._ended = clock.moment(), clock.elapsed()
        # Before the last look at the code: whatever comes in between, the report is final. A
        # signal may even come in between here, and its handler then finds the session half closed.
        self._finish()
        if first:
            self._take_leave()

    def _take_leave(self) -> None:
        try:
            self._stop.set()
            self._wake.set()
            if self._thread.is_alive():
                self._thread.join()
            if self._look():
                self._finish()
        finally:
            self._closed = True
            if self._tracker is not None:
                self._tracker.close()
            endings.unregister(self)
        if self.trouble is not None:
            import logging

            logging.getLogger("rad_lsp.tracking").error(self.trouble)

    def report(self) -> bytes:
        """The report as it would be written now."""
        with self._writing:
            return self._report()

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self._parts[0]

    @property
    def ledger(self) -> Ledger:
        """What has happened so far."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[Clock, Ledger]:
        if self._begun is None:
            raise RuntimeError("The session has not begun: use it in a with statement.")
        return self._begun

    def _changed(self) -> None:
        if not self._wake.is_set():
            self._wake.set()

    def _start_changes(self) -> None:
        if not self._count_changes:
            return
        from rad_lsp.tracking.changes import ChangeTracker

        tracker = ChangeTracker(self.workspace)
        try:
            tracker.start()
        except BaseException:
            tracker.close()
            raise
        self._tracker = tracker
        self._looked = time.monotonic()

    def _keep_fresh(self) -> None:
        written = time.monotonic()
        while True:
            happened = self._wake.wait(_IDLE_LOOK)
            if self._stop.is_set():
                return
            self._wake.clear()
            pause = max(_BUSY_LOOK, _LOOK_SHARE * self._look_took)
            now = time.monotonic()
            changed = now - self._looked >= pause and self._look()
            if happened or changed or self.ledger.busy or now - written >= _SIGN_OF_LIFE:
                self._refresh()
                written = time.monotonic()
            self._stop.wait(_AT_MOST_EVERY)

    def _look(self) -> bool:
        """Look at code changes and at other agents' sessions; whether they are others."""
        before = self._changes, self._children
        begun = time.monotonic()
        if self._tracker is not None and self._tracker.reason is None:
            self._changes = self._tracker.changes()
        if self._find_children is not None:
            self._children = self._find_children(self.clock.start)
        self._looked = time.monotonic()
        self._look_took = self._looked - begun
        return (self._changes, self._children) != before

    def _refresh(self) -> None:
        with self._writing:
            if self._ended is not None:
                return
            try:
                self._file.replace(self._report())
            except OSError as error:
                self._failed(error)
            else:
                self.trouble = None

    def _finish(self) -> None:
        with self._writing:
            try:
                self._file.finish(self._report())
            except OSError as error:
                self._failed(error)
            else:
                self.trouble = None

    def _failed(self, error: OSError) -> None:
        self.trouble = (
            f"{OutputNotWritable(str(self.path), reason(error))} What the session added last "
            "is lost; make room or give permission there before the next one."
        )

    def _report(self) -> bytes:
        clock, ledger = self._parts
        ledger.settle(self.prices)
        end, elapsed = self._ended or (None, clock.elapsed())
        metrics = ledger.metrics(
            self.id, clock.start, end, elapsed, self._changes, self._change_notes()
        )
        if self._children:
            metrics = msgspec.structs.replace(metrics, child_sessions=self._children)
        made = Report(metrics, generated_at=end or clock.moment())
        return report.encode(made, compact=self._compact)

    def _change_notes(self) -> tuple[str, ...]:
        if self._tracker is not None and self._tracker.reason is not None:
            return (f"Code changes are not counted: {self._tracker.reason}",)
        return self._changes.notes if self._changes else ()


class _Call:
    """Something that takes time while a session goes on; times itself in a `with` statement.

    An exception that leaves the statement is a failure, and goes on.
    """

    __slots__ = ("_clock", "_failed", "_ledger")
    _kind: ClassVar[Kind]

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._failed = False

    def fail(self) -> None:
        """It has failed, though without an exception."""
        self._failed = True

    def __enter__(self) -> Self:
        self._ledger.begin(self, self._kind, self._clock.elapsed())
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(failed=self._failed or kind is not None)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _end(self, *, failed: bool) -> None:
        raise NotImplementedError


class ToolCall(_Call):
    """A tool call, in a `with` or `async with` statement."""

    __slots__ = ("_denied", "name")
    _kind = "tool"

    def __init__(self, clock: Clock, ledger: Ledger, name: str) -> None:
        super().__init__(clock, ledger)
        self.name = name
        self._denied = False

    def deny(self) -> None:
        """The user refuses the call: it counts as a denied approval, not as a tool call."""
        self._denied = True

    def _end(self, *, failed: bool) -> None:
        if self._denied:
            self._ledger.deny(self, self._clock.elapsed())
        else:
            self._ledger.end_tool(self, self._clock.elapsed(), failed=failed)


class RequestCall(_Call):
    """A request to a model, in a `with` or `async with` statement."""

    __slots__ = ("_engine", "_model", "_tier", "_tokens")
    _kind = "request"

    def __init__(self, clock: Clock, ledger: Ledger, model: str, engine: str, tier: str) -> None:
        super().__init__(clock, ledger)
        self._model = model
        self._engine = engine
        self._tier = tier
        self._tokens = Tokens()

    def usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_creation_tokens: int | None = None,
        cache_creation_1h_tokens: int | None = None,
        cost: float | None = None,
    ) -> None:
        """What the request has used so far; what is None stays as it is.

        `input_tokens` includes those read from and written to the cache, and
        `cache_creation_tokens`, those written, includes those that are kept for an hour.
        `cost` is USD where the provider gives it.

        Raises ValueError, and changes nothing, for what is negative, no number or above
        `MOST_TOKENS`, and for parts that are more than their wholes.
        """
        known = self._tokens
        tokens = Tokens(
            known.input if input_tokens is None else _tokens("input", input_tokens),
            known.output if output_tokens is None else _tokens("output", output_tokens),
            known.cache_read
            if cache_read_tokens is None
            else _tokens("cache read", cache_read_tokens),
            known.cache_creation
            if cache_creation_tokens is None
            else _tokens("cache creation", cache_creation_tokens),
            known.cache_creation_1h
            if cache_creation_1h_tokens is None
            else _tokens("cache creation 1h", cache_creation_1h_tokens),
            known.cost if cost is None else _usd(cost),
        )
        if objection := tokens.objection():
            raise ValueError(objection)
        self._tokens = tokens

    def _end(self, *, failed: bool) -> None:
        made = request(self._clock.now(), self._model, self._engine, self._tier, self._tokens)
        self._ledger.end_request(self, self._clock.elapsed(), made, failed=failed)


def request(at: int, model: str, engine: str, tier: str, tokens: Tokens) -> Request:
    """A request that ended at a moment, in nanoseconds since the epoch."""
    return Request(
        time=at // 1_000_000,
        model=model,
        engine=engine,
        tier=tier,
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cache_read,
        cache_write_5m_tokens=tokens.cache_creation - tokens.cache_creation_1h,
        cache_write_1h_tokens=tokens.cache_creation_1h,
        output_tokens=tokens.output,
        cost=tokens.cost,
    )


def _name(text: str) -> str:
    """A name that can be written; half of a surrogate pair, for one, can't."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text[:_LONGEST_NAME] or UNKNOWN


def _tokens(name: str, value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) and 0 <= value <= MOST_TOKENS):
        raise ValueError(
            f"{name} tokens are {value!r}: they must be a whole number from 0 to {MOST_TOKENS:,}"
        )
    return value


def _usd(value: Any) -> float:
    if not (isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= MOST_TOKENS):
        raise ValueError(f"The cost is {value!r}: it must be a number of USD, and not negative")
    return float(value)
