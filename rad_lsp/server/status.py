"""Sends the client the status of a workspace folder."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rad_lsp import service
from rad_lsp.core import figures, period, wording
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.render import answers
from rad_lsp.server import links
from rad_lsp.service import budget as budgets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from rad_lsp import wire
    from rad_lsp.core.session import Session
    from rad_lsp.server.folder_sessions import FolderSessions
    from rad_lsp.server.notifier import Notifier
    from rad_lsp.server.titles import TitleReader


class RateLimiter:
    """Lets its users go on one after the other, with `seconds` between two of them at least."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._last = -seconds

    async def wait(self) -> bool:
        """Wait for this user's turn; returns whether that took any time."""
        waited = self._lock.locked()
        async with self._lock:
            pause = self._last + self._seconds - time.monotonic()
            if pause > 0:
                waited = True
                await asyncio.sleep(pause)
            self._last = time.monotonic()
        return waited


class StatusReporter:
    """Sends the status of a folder whenever it differs from the one that was sent last.

    `due` is when the status changes though no file does. `ask_again` lets `report` be called once
    more. `name` gives the name of the folder where the client has others, too, else nothing.
    """

    def __init__(
        self,
        uri: str,
        sessions: FolderSessions,
        notifier: Notifier,
        limiter: RateLimiter,
        titles: TitleReader,
        ask_again: Callable[[], None],
        name: Callable[[], str],
    ) -> None:
        self.due = datetime.now(UTC)
        self._uri = uri
        self._sessions = sessions
        self._settings = sessions.settings
        self._notifier = notifier
        self._limiter = limiter
        self._titles = titles
        self._ask_again = ask_again
        self._reading: asyncio.Task[None] | None = None
        self._name = name
        self._sent: wire.Status | None = None
        self._prices_loaded = False
        self._announcements: list[tuple[list[tuple[str, ...]], str]] = []

    async def report(self) -> None:
        """Send the status if it has changed."""
        await self._report()
        if not self._prices_loaded and (session := self._session_with_cache()):
            # The first status does not wait for the price list, which takes a while to load.
            await asyncio.to_thread(service.savings, session, self._settings.prices)
            self._prices_loaded = True
            await self._report()
        self._read_title()

    def close(self) -> None:
        """Report no more."""
        if self._reading is not None:
            self._reading.cancel()

    def announce(self) -> None:
        """Tell the user of budgets that are passed, once for each threshold and period."""
        self._notifier.notices.announce("budget", self._uri, self._announcements)

    async def _report(self) -> None:
        status = await asyncio.to_thread(self._status)
        if status != self._sent:
            if await self._limiter.wait():
                status = await asyncio.to_thread(
                    self._status
                )  # it may have changed, even back, in the meantime
            if status != self._sent:
                self._sent = status
                self._notifier.status(status)

    def _session(self) -> Session | None:
        """The session that the status is about."""
        return self._sessions.snapshot.newest

    def _session_with_cache(self) -> Session | None:
        """The same, if it used a cache."""
        session = self._session()
        return session if session and figures.has_cache(session) else None

    def _read_title(self) -> None:
        """Read the session's title, which no status waits for, and report again if it is new."""
        session = self._session()
        wait = None if session is None else self._titles.known.wait(session)
        if session is not None and wait is not None and self._reading is None:
            self._reading = asyncio.create_task(self._read(session, wait))

    async def _read(self, session: Session, wait: float) -> None:
        await asyncio.sleep(wait)
        is_new = await self._titles.read([session])
        self._reading = None
        self._read_title()  # the session may have gone on in the meantime
        if is_new:
            self._ask_again()

    def _status(self) -> wire.Status:
        now = datetime.now(UTC)
        values = self._settings.values
        sums = self._sessions.overall.sum
        status = service.status(
            self._sessions.snapshot,
            now,
            values.zone,
            values.budget,
            totals=sums,
            limits=self._sessions.limits,
            on_projects=self._sessions.on_projects,
            week_start=values.week_start,
        )
        self._announcements = self._passed(status, now)
        self.due = _next_change(status, now, values.zone)
        session = status.session
        savings = UNKNOWN
        if session and self._prices_loaded:
            savings = service.savings(session, self._settings.prices)
        return answers.status(
            status,
            self._uri,
            now,
            values.zone,
            template=values.status.format,
            links=self._links(session) if session else "",
            savings=savings,
            origins=self._settings.loaded.told(),
            title_of=self._titles.known.of,
            folder=self._name(),
        )

    def _passed(
        self, status: service.StatusFigures, now: datetime
    ) -> list[tuple[list[tuple[str, ...]], str]]:
        """For each budget that is passed what tells it from all others, and a sentence."""
        values, root = self._settings.values, self._sessions.root
        return [
            (
                budgets.claims(passed, values, root, status.session, now),
                f"{wording.passed(passed)}{'' if passed.project else f' ({root.name})'}.",
            )
            for passed in status.passed
        ]

    def _links(self, session: Session) -> str:
        offered = [links.open_session(self._uri, session.id), links.cost(self._uri, session.id)]
        previous = self._sessions.snapshot.previous(session.id)
        if previous is not None:
            offered.append(links.compare_with_previous(self._uri, previous, session.id))
        offered.append(links.export(self._uri, session.id))
        return links.markdown(self._notifier.linked(), *offered)


def _next_change(status: service.StatusFigures, now: datetime, zone: tzinfo | None) -> datetime:
    """When the status changes though no file does.

    That is at the user's midnight, when a running session counts as interrupted, or when a plan's
    limit that is shown is reset.
    """
    ends = [limit.window.ends_at for limit in status.limits if limit.state == "current"]
    midnight = period.today(now, zone).until or now + timedelta(days=1)
    due = min([midnight, *filter(None, ends)])
    session = status.session
    if session is None or figures.state(session, now) != "running":
        return due
    return min(due, figures.interrupted_at(session))
