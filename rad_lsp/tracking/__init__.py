"""Tracks a session from start to finish, and writes it as a report like Radium's."""

from rad_lsp.tracking.recorder import SessionRecorder

__all__ = ["SessionRecorder"]
