"""Code changes: how the files of a repository differ from what they were when a session began."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final, Self

from rad_lsp.core.wording import printable
from rad_lsp.tracking import repository
from rad_lsp.tracking.contents import is_beyond_link
from rad_lsp.tracking.git import PrivateGit
from rad_lsp.tracking.repository import GitFailed
from rad_lsp.tracking.snapshot import Limits
from rad_lsp.tracking.worktree import CodeChanges, WorkTree

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["ChangeTracker", "CodeChanges", "Limits", "reason_not_counted"]

# ValueError: a name that the system can't have. RuntimeError: a link that leads to itself.
_TROUBLE: Final = (GitFailed, OSError, ValueError, RuntimeError)

_USUAL: Final = Limits()


class ChangeTracker:
    """The files of the repository that a folder is in, from `start` on.

    It is the whole work tree that counts, as `git diff` shows it, even if the folder is only a
    part: a session changes what lies beside it, too. Submodules that are checked out at the start
    count, each on its own; other repositories inside do not. Untracked files count, ignored ones
    do not, and nothing in `.radium` does.

    Nothing is written to the repository, no program that it names is run, and no method raises.
    A tracker may be used by several threads.
    """

    def __init__(self, folder: Path, limits: Limits = _USUAL) -> None:
        self.reason: str | None = None
        """Why nothing is counted; None while something is, or before the start."""
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._trees: dict[str, WorkTree] = {}
        self._last: dict[str, CodeChanges] = {}
        self._notes: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Take the snapshot that later ones are compared with; a second call begins anew."""
        with self._lock:
            self._close()
            self._last, self._notes = {}, []
            try:
                self._begin(repository.find(self._folder))
            except _TROUBLE as error:
                self._close()
                self.reason = _sentence(error)
            else:
                self.reason = None

    def changes(self) -> CodeChanges:
        """What changed since the start, as of now.

        If git gives no answer now, it is what changed up to the last answer, with a note.
        """
        with self._lock:
            notes = [self.reason] if self.reason else list(self._notes)
            for name, tree in self._trees.items():
                where = f"{printable(name)}: " if name else ""
                try:
                    self._last[name] = tree.changes()
                except _TROUBLE as error:
                    notes.append(
                        f"{where}partial: counted up to an earlier time: {_sentence(error)}"
                    )
                found = self._last.get(name, CodeChanges())
                notes += [f"{where}{note}" for note in found.notes]
            counted = self._last.values()
            return CodeChanges(
                sum(found.lines_added for found in counted),
                sum(found.lines_removed for found in counted),
                sum(found.files_changed for found in counted),
                tuple(notes),
            )

    def close(self) -> None:
        """Remove what was stored, which is all outside the repository. May be called twice."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        for tree in self._trees.values():
            tree.close()
        self._trees = {}

    def _begin(self, top: repository.Repository) -> None:
        self._trees[""] = WorkTree(top, self._limits)
        waiting = [("", top.worktree)]
        while waiting:
            name, folder = waiting.pop()
            for inner in self._trees[name].submodules():
                path = folder / os.fsdecode(inner)
                # A link in its place leads to a repository that is none of this one's.
                if is_beyond_link(str(folder), f"{os.fsdecode(inner)}/.git"):
                    continue
                title = path.relative_to(top.worktree).as_posix()
                if len(self._trees) > self._limits.submodules:
                    self._notes.append(f"partial: only {self._limits.submodules} submodules count")
                    return
                try:
                    found = repository.at(path)
                    if found is None:
                        continue
                    self._trees[title] = WorkTree(found, self._limits)
                except _TROUBLE as error:
                    self._notes.append(f"{printable(title)}: not counted: {_sentence(error)}")
                else:
                    waiting.append((title, path))


def reason_not_counted(folder: Path) -> str | None:
    """Why code changes of a session in that folder would be 0; None when they are counted.

    As in a ChangeTracker's `reason`; but files are not looked at.
    """
    try:
        git = PrivateGit(repository.find(folder), _USUAL.seconds)
        with closing(git):
            git.refresh()
            # The least that makes git read both the settings and the index.
            git.run("ls-files", "-z", "-u")
    except _TROUBLE as error:
        return _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return printable(f"{error.strerror}{where}")
    return printable(str(error))
