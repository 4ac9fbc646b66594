"""A session followed from start to finish, and written as a report like Radium's."""

from rad_lsp.tracking.recorder import SessionRecorder

__all__ = ["SessionRecorder"]
