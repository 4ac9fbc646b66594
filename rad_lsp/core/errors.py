"""What goes wrong in a way that the user can mend: a sentence, and its parts as data.

The command line prints the sentence; the server sends both (wire contract, "Errors").
"""

from __future__ import annotations

from rad_lsp.core import advice
from rad_lsp.core.wording import only_elsewhere, printable

_SHOWN = 40
"""Characters of an id that may be of any length."""


class RadError(Exception):
    """Base of all errors that the user can mend; `str(error)` is one line for people."""

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(printable(message))
        self.data = data

    @property
    def kind(self) -> str:
        """What the wire contract calls the error."""
        return type(self).__name__


class NoWorkspace(RadError):
    """No folder with a `.radium` folder was found; there are `elsewhere` sessions in others."""

    def __init__(self, elsewhere: int = 0) -> None:
        self.elsewhere = elsewhere
        if elsewhere:
            super().__init__(only_elsewhere(elsewhere))
        else:
            super().__init__(str(advice.NO_WORKSPACE))


class NoSessions(RadError):
    """The workspace has no readable session."""

    def __init__(self) -> None:
        super().__init__(f"No sessions found. {advice.RUN_SESSION}")


class SessionNotFound(RadError):
    """No session has the id; `candidates` are ids near to it.

    Where this folder has no sessions, there are `elsewhere` in others.
    """

    def __init__(self, session_id: str, candidates: list[str], elsewhere: int = 0) -> None:
        self.candidates = candidates
        message = f"No session '{session_id}' found." if session_id else "The session id is empty."
        if candidates:
            message += f" Did you mean {_listed(candidates)}?"
        elif elsewhere:
            message += f" {only_elsewhere(elsewhere)}"
        else:
            message += f" {advice.LIST_SESSIONS}"
        super().__init__(message, sessionId=session_id, candidates=candidates)


class SessionAmbiguous(RadError):
    """More than one session id begins with the prefix; `candidates` are those ids."""

    def __init__(self, session_id: str, candidates: list[str], count: int) -> None:
        more = f" and {count - len(candidates):,} more" if count > len(candidates) else ""
        super().__init__(
            f"'{session_id}' is the beginning of {count:,} session ids: "
            f"{', '.join(candidates)}{more}. Give more of it.",
            sessionId=session_id,
            candidates=candidates,
        )


class NoPreviousSession(RadError):
    """The agent has no session before the one that is to be compared."""

    def __init__(self, session_id: str) -> None:
        super().__init__(
            f"There is no session of the same agent before '{session_id}'.", sessionId=session_id
        )


class SessionUnreadable(RadError):
    """The session's file can't be read (any more)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be read: {reason}.", path=path, reason=reason)


class BadSessionId(RadError):
    """An id that a session may not be given."""

    def __init__(self, session_id: str, reason: str) -> None:
        shown = session_id if len(session_id) <= _SHOWN else f"{session_id[:_SHOWN]}..."
        super().__init__(
            f"'{shown}' can't be a session's id: {reason}. Choose another, or leave it out.",
            sessionId=session_id,
            reason=reason,
        )


class SessionExists(RadError):
    """A report with the id is there already, of this or another session."""

    def __init__(self, session_id: str) -> None:
        super().__init__(
            f"Session '{session_id}' is recorded already, or being recorded by another program. "
            "Choose another id, or leave it out.",
            sessionId=session_id,
        )


class OutputExists(RadError):
    """The output is there already, and overwriting it was not asked for."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists already, and was not to be overwritten.", path=path)


class OutputNotWritable(RadError):
    """The output can't be written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be written: {reason}.", path=path, reason=reason)


class IndexNotWritable(RadError):
    """The index can't be written, so that nothing that is read is kept."""

    def __init__(self, trouble: str) -> None:
        super().__init__(
            f"The index can't be changed, because it can't be written: {trouble}. Allow writing "
            "to it and to its folder, or make room there, and try again."
        )


class BadSettings(RadError):
    """A settings file has a key that is unknown or of the wrong type."""

    def __init__(self, origin: str, reason: str) -> None:
        super().__init__(f"{origin}: {reason}", origin=origin, reason=reason)


def reason(error: OSError) -> str:
    """Why the system refused something, as it goes on behind a colon."""
    return (error.strerror or str(error)).lower()


def _listed(names: list[str]) -> str:
    shown = [f"'{name}'" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
