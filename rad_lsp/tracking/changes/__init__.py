"""Code changes: how the files of a repository differ from what they were when a session began."""

from rad_lsp.tracking.changes.state import Limits
from rad_lsp.tracking.changes.tracker import ChangeTracker, reason_not_counted
from rad_lsp.tracking.changes.worktree import CodeChanges

__all__ = ["ChangeTracker", "CodeChanges", "Limits", "reason_not_counted"]
