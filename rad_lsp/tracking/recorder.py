"""Tracks a session of an agent, with its report on disk from the first second to the last."""

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
from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import of_input
from rad_lsp.tracking import endings, file, ids
from rad_lsp.tracking.clock import Clock
from rad_lsp.tracking.ledger import DECISIONS, UNKNOWN, CallUsage, Decision, Kind, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rad_lsp.core.session import Child
    from rad_lsp.pricing import Prices
    from rad_lsp.tracking.changes import ChangeTracker, CodeChanges

Children: TypeAlias = "Callable[[datetime], tuple[Child, ...]]"

MOST_TOKENS: Final = 10**12
"""The most tokens of one request. Sums of more would not fit into a report."""

_WRITE_PAUSE: Final = 1.0
"""Seconds between two reports, at least."""

_IDLE_POLL: Final = 10.0
"""Seconds between two counts of code changes while nothing else happens."""

_BUSY_POLL: Final = 3.0
"""Seconds between two counts of code changes, at least."""

_POLL_FACTOR: Final = 20
"""Counts of code changes are apart by this many times what one takes, at least."""

_HEARTBEAT: Final = 60.0
"""Seconds after which a report is written although nothing has changed. Without that, a session
would be taken for interrupted (session format, "running")."""

_LONGEST_NAME: Final = 256


class SessionRecorder:
    """Tracks one session: `with SessionRecorder(workspace) as session: ...`.

    The report lies in `workspace/.radium/_internals/sessions/`, which is made when missing. It is
    replaced when something has changed, at most once a second. It is final at the end of the
    `with` statement: also after an exception or Ctrl-C, and after a SIGTERM that the program does
    not handle itself. A session may be used from many threads and asyncio tasks at once.

    `session_id` is a new UUID by default. `prices` tell what requests cost, by default those of
    the price list. `changes` tells whether code changes are counted, with git. `children` is
    given the start of this session and returns the sessions of other agents that are part of it.
    `compact` reports have no indentation; by default `$RADIUM_COMPACT_SESSION_JSON` tells.

    The constructor raises BadSessionId. Entering raises SessionExists when the id has a report
    already, and OutputNotWritable. After that no error of files is raised: tracking goes on, and
    when the last report can't be written, the reason is logged, and is in `trouble`.
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
        self._thread = threading.Thread(target=self._update, name=f"session {self.id}", daemon=True)
        self._writing = threading.RLock()
        self._tracker: ChangeTracker | None = None
        self._changes: CodeChanges | None = None
        self._find_children = children
        self._children: tuple[Child, ...] = ()
        self._polled = 0.0
        self._poll_took = 0.0
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
        self._begun = self._make_clock(), Ledger(changed=self._wake.set)
        self._file.create(self._report())
        endings.register(self)
        try:
            self._start_changes()
            self._thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
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
        """The user was `asked` for permission, or has `allowed` or `denied` something.

        Raises ValueError for another decision.
        """
        if decision not in DECISIONS:
            raise ValueError(f"{decision!r} is none of {', '.join(DECISIONS)}")
        self.ledger.approve(decision)

    def warn(self, sentence: str, key: str = "") -> None:
        """Add a sentence to the report's warnings: something could not be counted.

        A later sentence with the same `key` replaces it.
        """
        self.ledger.warn(sentence, key)

    def close(self) -> None:
        """End the session, as the end of the `with` statement does; may be called twice.

        A forked process does not end its parent's session.
        """
        if self._begun is None or self._closed or self._process != os.getpid():
            return
        first = self._ended is None
        if first:
            clock, _ = self._begun
            self._ended = clock.moment(), clock.elapsed()
        # The last count of code changes takes time. Should the program be killed meanwhile, the
        # report is final already. A signal's handler may call this method once more meanwhile.
        self._write_final()
        if first:
            self._clean_up()

    def _clean_up(self) -> None:
        try:
            self._stop.set()
            self._wake.set()
            if self._thread.is_alive():
                self._thread.join()
            if self._poll():
                self._write_final()
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
        self._polled = time.monotonic()

    def _update(self) -> None:
        written = time.monotonic()
        while True:
            happened = self._wake.wait(_IDLE_POLL)
            if self._stop.is_set():
                return
            self._wake.clear()
            pause = max(_BUSY_POLL, _POLL_FACTOR * self._poll_took)
            now = time.monotonic()
            changed = now - self._polled >= pause and self._poll()
            if happened or changed or self.ledger.busy or now - written >= _HEARTBEAT:
                self._write_current()
                written = time.monotonic()
            self._stop.wait(_WRITE_PAUSE)

    def _poll(self) -> bool:
        """Count code changes and find other agents' sessions; returns whether they differ."""
        before = self._changes, self._children
        begun = time.monotonic()
        if self._tracker is not None and self._tracker.reason is None:
            self._changes = self._tracker.changes()
        if self._find_children is not None:
            self._children = self._find_children(self.clock.start)
        self._polled = time.monotonic()
        self._poll_took = self._polled - begun
        return (self._changes, self._children) != before

    def _write_current(self) -> None:
        with self._writing:
            if self._ended is None:
                self._write(final=False)

    def _write_final(self) -> None:
        with self._writing:
            self._write(final=True)

    def _write(self, *, final: bool) -> None:
        try:
            self._file.replace(self._report(), final=final)
        except OSError as error:
            self.trouble = (
                f"{OutputNotWritable(str(self.path), reason(error))} What the session added last "
                "is lost; make room or give permission there before the next one."
            )
        else:
            self.trouble = None

    def _report(self) -> bytes:
        clock, ledger = self._parts
        ledger.price_requests(self.prices)
        end, elapsed = self._ended or (None, clock.elapsed())
        now = end or clock.moment()
        session = ledger.session(
            self.id, str(self.path), clock.start, end, now, elapsed,
            self._changes, self._change_notes(),
        )  # fmt: skip
        session = msgspec.structs.replace(session, children=self._children)
        return report.encode(report.of(session), compact=self._compact)

    def _change_notes(self) -> tuple[str, ...]:
        if self._tracker is not None and self._tracker.reason is not None:
            return (f"Code changes are not counted: {self._tracker.reason}",)
        return self._changes.notes if self._changes else ()


class _Call:
    """Something that takes time within a session, as long as its `with` statement runs.

    An exception that leaves the statement makes it a failure, and is raised on.
    """

    __slots__ = ("_clock", "_failed", "_ledger")
    _kind: ClassVar[Kind]

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._failed = False

    def fail(self) -> None:
        """Count it as a failure although no exception is raised."""
        self._failed = True

    def __enter__(self) -> Self:
        self._ledger.begin(self, self._kind, self._clock.elapsed())
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(failed=self._failed or kind is not None)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)

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
        """The user refused the call: it counts as a denied approval, not as a tool call."""
        self._denied = True

    def _end(self, *, failed: bool) -> None:
        if self._denied:
            self._ledger.deny(self, self._clock.elapsed())
        else:
            self._ledger.end_tool(self, self._clock.elapsed(), failed=failed)


class RequestCall(_Call):
    """A request to a model, in a `with` or `async with` statement."""

    __slots__ = ("_engine", "_model", "_tier", "_used")
    _kind = "request"

    def __init__(self, clock: Clock, ledger: Ledger, model: str, engine: str, tier: str) -> None:
        super().__init__(clock, ledger)
        self._model = model
        self._engine = engine
        self._tier = tier
        self._used = CallUsage()

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
        """Set what the request has used so far; what is None stays as it was.

        `input_tokens` include those read from and written to the cache. `cache_creation_tokens`
        are those written, and include the ones that are kept for an hour. `cost` is in USD,
        where the provider tells it.

        Raises ValueError, and changes nothing, for a value that is negative, no number or more
        than `MOST_TOKENS`, and for a part that is more than its whole.
        """
        counts = {
            "input": input_tokens,
            "output": output_tokens,
            "cache_read": cache_read_tokens,
            "cache_creation": cache_creation_tokens,
            "cache_creation_1h": cache_creation_1h_tokens,
        }
        given = {name: _tokens(name, count) for name, count in counts.items() if count is not None}
        tokens = msgspec.structs.replace(
            self._used, **given, cost=self._used.cost if cost is None else _usd(cost)
        )
        if objection := tokens.objection():
            raise ValueError(objection)
        self._used = tokens

    def _end(self, *, failed: bool) -> None:
        made = request(self._clock.now(), self._model, self._engine, self._tier, self._used)
        self._ledger.end_request(self, self._clock.elapsed(), made, failed=failed)


def request(at: int, model: str, engine: str, tier: str, used: CallUsage) -> Request:
    """A request that ended at a moment, in nanoseconds since the epoch."""
    return Request(
        time=at // 1_000_000,
        model=model,
        engine=engine,
        tier=tier,
        tokens=of_input(
            used.input,
            used.cache_read,
            used.cache_creation - used.cache_creation_1h,
            used.cache_creation_1h,
            used.output,
        ),
        cost=used.cost,
    )


def _name(text: str) -> str:
    """The name as UTF-8 can have it, without lone surrogates, and not too long."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text[:_LONGEST_NAME] or UNKNOWN


def _tokens(name: str, value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) and 0 <= value <= MOST_TOKENS):
        raise ValueError(
            f"{name.replace('_', ' ')} tokens are {value!r}: "
            f"they must be a whole number from 0 to {MOST_TOKENS:,}"
        )
    return value


def _usd(value: Any) -> float:
    if not (isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= MOST_TOKENS):
        raise ValueError(f"The cost is {value!r}: it must be a number of USD, and not negative")
    return float(value)
