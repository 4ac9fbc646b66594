"""What has happened in a session so far, and the figures that follow from it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import msgspec

from rad_lsp.core import usage, wording
from rad_lsp.core.intervals import Intervals
from rad_lsp.core.problems import INCOMPLETE, Problem
from rad_lsp.core.session import RADIUM, Session
from rad_lsp.core.spending import SLOT_MS, Request, add_up, priced
from rad_lsp.core.tool_calls import Counter, ToolCalls
from rad_lsp.tracking.clock import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from rad_lsp.core.session import Child, Nanoseconds
    from rad_lsp.core.spending import PriceList, Spending
    from rad_lsp.tracking.changes import CodeChanges
    from rad_lsp.tracking.clock import Clock

Kind: TypeAlias = Literal["request", "tool"]
Decision: TypeAlias = Literal["asked", "allowed", "denied"]

DECISIONS: Final = get_args(Decision)
UNKNOWN: Final = "unknown"
"""What Radium calls a model or engine without a name."""

_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_MOST_WARNINGS: Final = 50
_LONGEST_WARNING: Final = 500


class CallUsage(msgspec.Struct, frozen=True, gc=False):
    """What a request has used as its caller tells it: tokens, and USD where the provider gives it.

    `input` includes `cache_read` and `cache_creation`, the latter includes `cache_creation_1h`.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    cache_creation_1h: int = 0
    cost: float | None = None

    def objection(self) -> str | None:
        """Which part is more than its whole, as a sentence; None when none is."""
        if self.cache_creation_1h > self.cache_creation:
            return "more tokens were written to the cache for an hour than were written to it"
        if self.cache_read + self.cache_creation > self.input:
            return "input tokens include those read from and written to the cache, and are fewer"
        return None


class Ledger:
    """Counts what happens. Every method may be called from any thread.

    Times are nanoseconds since the start of the session; a `moment` is what time it was then,
    None for now. `changed` is called after each change.
    """

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self.clock = clock
        # Reentrant: a signal handler may interrupt a method and write the last report.
        self._lock = threading.RLock()
        self._changed = changed
        self._open: dict[object, tuple[Kind, Nanoseconds, str]] = {}
        self._busy: dict[Kind, Intervals] = {"request": Intervals(), "tool": Intervals()}
        self._active = Intervals()
        self._successful = self._failed = self._failed_requests = 0
        self._approvals: dict[Decision, int] = dict.fromkeys(DECISIONS, 0)
        self._requests: list[Request] = []
        self._rows: tuple[Spending, ...] = ()
        self._calls = Counter()
        self._warnings: dict[str, str] = {}
        self._ended: tuple[datetime, Nanoseconds] | None = None

    @property
    def busy(self) -> bool:
        """Whether a call has begun and not ended."""
        return bool(self._open)

    @property
    def ended(self) -> bool:
        """Whether the session has ended."""
        return self._ended is not None

    def end(self) -> None:
        """The session ends, unless it has ended before."""
        if self._ended is None:
            self._ended = self.clock.moment(), self.clock.elapsed()

    def begin(self, call: object, kind: Kind, at: Nanoseconds, name: str = "") -> None:
        """A call begins, of a tool with a name. `call` is any object, given again at its end."""
        with self._lock:
            self._open[call] = (kind, at, name)
        self._changed()

    def end_tool(
        self, call: object, at: Nanoseconds, *, failed: bool, moment: datetime | None = None
    ) -> None:
        """A tool call that has begun ends."""
        with self._lock:
            _, start, name = self._open.pop(call)
            self.add_tool(start, at, name, failed=failed, moment=moment)

    def deny(self, call: object, at: Nanoseconds, moment: datetime | None = None) -> None:
        """A tool call that has begun is refused by the user: it counts as no tool call."""
        with self._lock:
            _, start, name = self._open.pop(call)
            self._spend("tool", start, at)
            self.approve("denied", moment, name)

    def end_request(self, call: object, at: Nanoseconds, request: Request, *, failed: bool) -> None:
        """A request that has begun ends."""
        with self._lock:
            self.add_request(self._open.pop(call)[1], at, request, failed=failed)

    def add_tool(
        self,
        start: Nanoseconds,
        end: Nanoseconds,
        name: str,
        *,
        failed: bool,
        moment: datetime | None = None,
    ) -> None:
        """A tool call that has ended."""
        with self._lock:
            self._spend("tool", start, end)
            duration = max(end - start, 0)
            slot = self._slot(moment, duration)
            self._calls.add(ToolCalls(slot, name, +(not failed), +failed, 0, duration))
            if failed:
                self._failed += 1
            else:
                self._successful += 1
        self._changed()

    def add_request(
        self, start: Nanoseconds, end: Nanoseconds, request: Request, *, failed: bool
    ) -> None:
        """A request that has ended; `price_requests` prices it later, because that takes time."""
        with self._lock:
            self._spend("request", start, end)
            self._requests.append(request)
            self._failed_requests += failed
        self._changed()

    def approve(self, decision: Decision, moment: datetime | None = None, tool: str = "") -> None:
        """The user was asked, or decided; which tool that was about, where it is known."""
        with self._lock:
            self._approvals[decision] += 1
            if decision == "denied":
                self._calls.add(ToolCalls(self._slot(moment), tool, denied=1))
        self._changed()

    def warn(self, sentence: str, key: str = "") -> None:
        """Tell what could not be counted. A later sentence with the same key replaces it."""
        sentence = wording.printable(sentence)[:_LONGEST_WARNING]
        with self._lock:
            key = key or sentence
            if key in self._warnings or len(self._warnings) < _MOST_WARNINGS:
                self._warnings[key] = sentence
        self._changed()

    def price_requests(self, prices: PriceList) -> None:
        """Price the requests that have ended. One thread at a time may do this."""
        count = len(self._requests)
        rows = add_up((*self._rows, *(priced(r, prices) for r in self._requests[:count])))
        with self._lock:
            self._rows = rows
            del self._requests[:count]

    def session(
        self,
        session_id: str,
        path: str,
        changes: CodeChanges | None,
        notes: Iterable[str],
        children: tuple[Child, ...],
    ) -> Session:
        """The session as it is now, or was at its end.

        A call that has not ended counts as time only. `changes` is None where code changes are
        not counted; `notes` are more warnings.
        """
        with self._lock:
            end, elapsed = self._ended or (None, self.clock.elapsed())
            rows = self._rows
            warnings = (*self._warnings.values(), *self._unfinished(), *notes)
            return Session(
                id=session_id,
                source=RADIUM,
                path=path,
                start_time=self.clock.start,
                end_time=end,
                generated_at=end or self.clock.moment(),
                wall_time=max(elapsed, 0),
                agent_active_time=self._time(self._active, ("request", "tool"), elapsed),
                api_time=self._time(self._busy["request"], ("request",), elapsed),
                tool_time=self._time(self._busy["tool"], ("tool",), elapsed),
                tool_calls=self._successful + self._failed,
                successful_tool_calls=self._successful,
                failed_tool_calls=self._failed,
                approvals_allowed=self._approvals["allowed"],
                approvals_denied=self._approvals["denied"],
                approvals_asked=self._approvals["asked"],
                lines_added=changes.lines_added if changes else 0,
                lines_removed=changes.lines_removed if changes else 0,
                files_changed=changes.files_changed if changes else None,
                calls_by_tool=self._calls.rows(),
                children=children,
                problems=tuple(Problem(INCOMPLETE, warning, "information") for warning in warnings),
                **usage.of_spending(rows),
            )

    def _spend(self, kind: Kind, start: Nanoseconds, end: Nanoseconds) -> None:
        self._busy[kind].add(start, end)
        self._active.add(start, end)

    def _slot(self, end: datetime | None, duration: Nanoseconds = 0) -> int:
        """The slot in which a call began. None begins before the session, or ends later than now.

        What has elapsed does not tell the time: it may leave out when the computer slept.
        """
        now = milliseconds(self.clock.moment())
        ended = now if end is None else min(milliseconds(end), now)
        return max(ended - duration // _NANOSECONDS, milliseconds(self.clock.start)) // SLOT_MS

    def _time(self, spent: Intervals, kinds: tuple[Kind, ...], elapsed: Nanoseconds) -> Nanoseconds:
        begun = [at for kind, at, _ in self._open.values() if kind in kinds]
        return max(spent.total_with(min(begun), elapsed) if begun else spent.total, 0)

    def _unfinished(self) -> list[str]:
        found = []
        if self._failed_requests:
            requests = wording.counted(self._failed_requests, "request")
            found.append(f"{requests} failed, and may have used more than is counted")
        if self.ended and self._open:
            calls = wording.counted(len(self._open), "call")
            found.append(f"{calls} had no end when the session ended")
        return found
