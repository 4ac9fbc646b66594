"""Tracks a session of an agent, with its report on disk from the first second to the last."""

from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeAlias

import msgspec

from rad_lsp import atomic, places, reports
from rad_lsp.core import report
from rad_lsp.core.errors import OutputNotWritable, SessionExists, reason
from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import of_input
from rad_lsp.sources.radium import FOLDER, SUFFIX
from rad_lsp.tracking import endings, ids
from rad_lsp.tracking.clock import Clock, milliseconds
from rad_lsp.tracking.ledger import DECISIONS, UNKNOWN, CallUsage, Decision, Kind, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rad_lsp.core.session import Child, Nanoseconds
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
_COMPACT_VARIABLE: Final = "RADIUM_COMPACT_SESSION_JSON"


class SessionRecorder:
    """Tracks one session: `with SessionRecorder(workspace) as session: ...`.

    The report lies in `workspace/.radium/_internals/sessions/`, which is made when missing. It is
    replaced when something has changed, at most once a second. It is final at the end of the
    `with` statement: also after an exception or Ctrl-C, and after a SIGTERM that the program does
    not handle itself. A session may be used from many threads and asyncio tasks at once.

    `session_id` is a new UUID by default. `prices` tell what requests cost, by default those of
    the price list. `changes` tells whether code changes are counted, with git. `children` is
    given the start of this session and returns the sessions of other agents that are part of it.
    Reports have no indentation when `$RADIUM_COMPACT_SESSION_JSON` is `true` or `1`.

    The constructor raises BadSessionId. Entering raises SessionExists when the id has a report
    already, and OutputNotWritable, also where a link leads out of the workspace. After that no
    error of files is raised: tracking goes on, and when the last report can't be written, the
    reason is logged, and is in `trouble`.
    """

    def __init__(
        self,
        workspace: Path | str,
        *,
        session_id: str | None = None,
        prices: Prices | None = None,
        changes: bool = True,
        children: Children | None = None,
        clock: Callable[[], Clock] = Clock,
    ) -> None:
        self.id = ids.new() if session_id is None else session_id
        ids.check(self.id)
        self.workspace = Path(workspace).absolute()
        self.path = self.workspace / FOLDER / f"{self.id}{SUFFIX}"
        self.trouble: str | None = None
        self._prices = prices
        self._compact = os.environ.get(_COMPACT_VARIABLE) in {"true", "1"}
        self._make_clock = clock
        self._count_changes = changes
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
        self._closed = False
        self._process = os.getpid()
        self._ledger: Ledger | None = None

    @property
    def prices(self) -> Prices:
        """What requests cost."""
        if self._prices is None:
            from rad_lsp.pricing import Prices

            self._prices = Prices()
        return self._prices

    def __enter__(self) -> Self:
        self._ledger = Ledger(self._make_clock(), changed=self._wake.set)
        try:
            self._write(final=False, overwrite=False)
        except FileExistsError:
            # A file may also be in the place of the report's folder.
            if not os.path.lexists(self.path):
                raise OutputNotWritable(str(self.path), "a file is where its folder is") from None
            raise SessionExists(self.id) from None
        except OSError as error:
            raise OutputNotWritable(str(self.path), reason(error)) from None
        endings.register(self.close)
        try:
            if self._count_changes:
                from rad_lsp.tracking.changes import ChangeTracker

                tracker = ChangeTracker(self.workspace)
                tracker.start()
                self._tracker = tracker
                self._polled = time.monotonic()
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
        return RequestCall(self.ledger, _name(model), _name(engine), tier and _name(tier))

    def tool(self, name: str) -> ToolCall:
        """A tool call: `with session.tool("grep") as call: ...`."""
        return ToolCall(self.ledger, _written(name))

    def approval(self, decision: Decision) -> None:
        """The user was `asked` for permission, or has `allowed` or `denied` something.

        Raises ValueError for another decision.
        """
        if decision not in DECISIONS:
            raise ValueError(f"{decision!r} is none of {', '.join(DECISIONS)}")
        self.ledger.approve(decision)

    def close(self) -> None:
        """End the session, as the end of the `with` statement does; may be called twice.

        A forked process does not end its parent's session.
        """
        if self._ledger is None or self._closed or self._process != os.getpid():
            return
        first = not self._ledger.ended
        self._ledger.end()
        # The last count of code changes takes time. Should the program be killed meanwhile, the
        # report is final already. A signal's handler may call this method once more meanwhile.
        self._update_report(final=True)
        if first:
            self._clean_up()

    def _clean_up(self) -> None:
        try:
            self._stop.set()
            self._wake.set()
            if self._thread.is_alive():
                self._thread.join()
            if self._poll():
                self._update_report(final=True)
        finally:
            self._closed = True
            if self._tracker is not None:
                self._tracker.close()
            endings.unregister(self.close)
        if self.trouble is not None:
            import logging

            logging.getLogger("rad_lsp.tracking").error(self.trouble)

    def report(self) -> bytes:
        """The report as it would be written now."""
        with self._writing:
            self.ledger.price_requests(self.prices)
            notes = self._changes.notes if self._changes else ()
            if self._tracker is not None and self._tracker.reason is not None:
                notes = (f"Code changes are not counted: {self._tracker.reason}",)
            session = self.ledger.session(
                self.id, str(self.path), self._changes, notes, self._children
            )
            return report.encode(report.of(session), compact=self._compact)

    @property
    def ledger(self) -> Ledger:
        """What has happened so far."""
        if self._ledger is None:
            raise RuntimeError("The session has not begun: use it in a with statement.")
        return self._ledger

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
                self._update_report(final=False)
                written = time.monotonic()
            self._stop.wait(_WRITE_PAUSE)

    def _poll(self) -> bool:
        """Count code changes and find other agents' sessions; returns whether they differ."""
        before = self._changes, self._children
        begun = time.monotonic()
        if self._tracker is not None and self._tracker.reason is None:
            self._changes = self._tracker.changes()
        if self._find_children is not None:
            self._children = self._find_children(self.ledger.clock.start)
        self._polled = time.monotonic()
        self._poll_took = self._polled - begun
        return (self._changes, self._children) != before

    def _update_report(self, *, final: bool) -> None:
        with self._writing:
            if self.ledger.ended and not final:
                return
            try:
                self._write(final=final, overwrite=True)
            except OutputNotWritable as error:
                self.trouble = f"{error} What the session added last is lost."
            except OSError as error:
                self.trouble = (
                    f"{OutputNotWritable(str(self.path), reason(error))} What the session added "
                    "last is lost; make room or give permission there before the next one."
                )
            else:
                self.trouble = None

    def _write(self, *, final: bool, overwrite: bool) -> None:
        # A link may have come there in the meantime: an agent writes into the workspace, too.
        places.check_inside(self.path, self.workspace)
        reports.make_folder(self.workspace)
        # The final report is to survive a failure of the computer.
        atomic.write(self.path, (self.report(),), overwrite=overwrite, sync=final)


class _Call:
    """Something that takes time within a session, as long as its `with` statement runs.

    An exception that leaves the statement makes it a failure, and is raised on.
    """

    _kind: ClassVar[Kind]
    name = ""
    """Of a tool."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._failed = False

    def fail(self) -> None:
        """Count it as a failure although no exception is raised."""
        self._failed = True

    def __enter__(self) -> Self:
        self._ledger.begin(self, self._kind, self._ledger.clock.elapsed(), self.name)
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(self._ledger.clock.elapsed(), failed=self._failed or kind is not None)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)

    def _end(self, at: Nanoseconds, *, failed: bool) -> None:
        raise NotImplementedError


class ToolCall(_Call):
    """A tool call, in a `with` or `async with` statement."""

    _kind = "tool"

    def __init__(self, ledger: Ledger, name: str) -> None:
        super().__init__(ledger)
        self.name = name
        self._denied = False

    def deny(self) -> None:
        """The user refused the call: it counts as a denied approval, not as a tool call."""
        self._denied = True

    def _end(self, at: Nanoseconds, *, failed: bool) -> None:
        if self._denied:
            self._ledger.deny(self, at)
        else:
            self._ledger.end_tool(self, at, failed=failed)


class RequestCall(_Call):
    """A request to a model, in a `with` or `async with` statement."""

    _kind = "request"

    def __init__(self, ledger: Ledger, model: str, engine: str, tier: str) -> None:
        super().__init__(ledger)
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

    def _end(self, at: Nanoseconds, *, failed: bool) -> None:
        now = self._ledger.clock.moment()
        made = request(now, self._model, self._engine, self._tier, self._used)
        self._ledger.end_request(self, at, made, failed=failed)


def request(end: datetime, model: str, engine: str, tier: str, used: CallUsage) -> Request:
    """A request that has ended."""
    return Request(
        time=milliseconds(end),
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
    """The name as a report can have it, and not too long."""
    return _written(text)[:_LONGEST_NAME] or UNKNOWN


def _written(text: str) -> str:
    """The text as UTF-8 can have it, without lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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
