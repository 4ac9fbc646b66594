"""The titles of sessions, as far as they have been read: kept in memory, and nowhere else.

Agents write titles into transcripts, and a title may quote a conversation.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.session import RADIUM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rad_lsp.core.session import Session

_MOST: Final = 10_000
"""Sessions of which titles are kept."""

_CHARACTERS: Final = 1_000
"""Of a title."""

_SHARE: Final = 0.01
"""The largest part of the time that is spent on the title of a session that goes on."""


class _Read(msgspec.Struct, frozen=True):
    title: str
    last_activity: datetime
    again: float
    """From when on, in seconds of `time.monotonic`, it may be read again."""


class Titles:
    """What `read_title` has found in the transcripts of sessions.

    A title is read again once its session has gone on. `read` must not run twice at a time; the
    other methods may be called from any thread.
    """

    def __init__(
        self, read_title: Callable[[Session], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_title = read_title
        self._clock = clock
        self._known: dict[tuple[str, str], _Read] = {}

    def of(self, session: Session) -> str:
        """The title as it was read last; empty where it has none, or none was read yet."""
        known = self._known.get((session.source, session.id))
        return known.title if known else ""

    def wait(self, session: Session) -> float | None:
        """For how many seconds not to read the title; None where what was read still holds."""
        if session.source == RADIUM:  # a report has none
            return None
        known = self._known.get((session.source, session.id))
        if known is None:
            return 0.0
        if known.last_activity == figures.last_activity(session):
            return None
        return max(0.0, known.again - self._clock())

    def read(self, sessions: Iterable[Session]) -> bool:
        """Read the titles that are not known; returns whether any is another one now."""
        has_new = False
        for session in sessions:
            if self.wait(session) == 0:
                begun = self._clock()
                title = self._read_title(session)[:_CHARACTERS]
                ended = self._clock()
                again = ended + (ended - begun) / _SHARE
                has_new |= title != self.of(session)
                name = session.source, session.id
                self._known.pop(name, None)
                self._known[name] = _Read(title, figures.last_activity(session), again)
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return has_new
