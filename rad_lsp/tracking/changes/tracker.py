"""Follows the work tree of a repository, and those of its submodules, from a start on."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final, Self

from rad_lsp.core.wording import printable
from rad_lsp.tracking.changes import discovery
from rad_lsp.tracking.changes.discovery import GitFailed
from rad_lsp.tracking.changes.files import is_beyond_link
from rad_lsp.tracking.changes.private_git import PrivateGit
from rad_lsp.tracking.changes.state import Limits
from rad_lsp.tracking.changes.worktree import CodeChanges, WorkTree

if TYPE_CHECKING:
    from pathlib import Path

    from rad_lsp.repository import Repository

# ValueError: a name that the system can't have. RuntimeError: a link that leads to itself.
_ERRORS: Final = (GitFailed, OSError, ValueError, RuntimeError)

_DEFAULT_LIMITS: Final = Limits()


class ChangeTracker:
    """Counts what changes in the repository of a folder, from `start` on.

    The whole work tree counts, as in `git diff`, even where the folder is only a part of it:
    a session may change files beside its folder, too. Submodules that are checked out at the
    start count, each as a repository of its own; other repositories inside do not. Untracked
    files count. Ignored files do not, nor does anything in `.radium`.

    Nothing is written to the repository, no program that it names is run, and no method raises.
    A tracker may be used by several threads.
    """

    def __init__(self, folder: Path, limits: Limits = _DEFAULT_LIMITS) -> None:
        self.reason: str | None = None
        """Why nothing is counted; None while something is, or before the start."""
        self._folder = folder
        self._limits = limits
        self._lock = threading.RLock()
        self._trees: dict[str, WorkTree] = {}
        self._last: dict[str, CodeChanges] = {}
        self._notes: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Note how the files are now, to compare with later; a second call starts again."""
        with self._lock:
            self.close()
            self._last, self._notes, self.reason = {}, [], None
            try:
                self._begin(discovery.find(self._folder))
            except BaseException as error:
                self.close()
                if not isinstance(error, _ERRORS):
                    raise
                self.reason = _sentence(error)

    def changes(self) -> CodeChanges:
        """What has changed since the start.

        Where git gives no answer, that is what had changed when it last gave one, with a note.
        """
        with self._lock:
            notes = [self.reason] if self.reason else list(self._notes)
            for name, tree in self._trees.items():
                where = f"{printable(name)}: " if name else ""
                try:
                    self._last[name] = tree.changes()
                except _ERRORS as error:
                    notes.append(
                        f"{where}partial: counted up to an earlier time: {_sentence(error)}"
                    )
                last = self._last.get(name, CodeChanges())
                notes += [f"{where}{note}" for note in last.notes]
            counted = self._last.values()
            return CodeChanges(
                sum(changes.lines_added for changes in counted),
                sum(changes.lines_removed for changes in counted),
                sum(changes.files_changed for changes in counted),
                tuple(notes),
            )

    def close(self) -> None:
        """Remove the temporary files, all outside the repository. May be called twice."""
        with self._lock:
            for tree in self._trees.values():
                tree.close()
            self._trees = {}

    def _begin(self, top: Repository) -> None:
        self._trees[""] = WorkTree(top, self._limits)
        waiting = [("", top.root)]
        while waiting:
            name, folder = waiting.pop()
            for inner in self._trees[name].submodules():
                path = folder / os.fsdecode(inner)
                # A link in a submodule's place leads out of the repository.
                if is_beyond_link(str(folder), f"{os.fsdecode(inner)}/.git"):
                    continue
                title = path.relative_to(top.root).as_posix()
                if len(self._trees) > self._limits.submodules:
                    self._notes.append(f"partial: only {self._limits.submodules} submodules count")
                    return
                try:
                    submodule = discovery.at(path)
                    if submodule is None:
                        continue
                    self._trees[title] = WorkTree(submodule, self._limits)
                except _ERRORS as error:
                    self._notes.append(f"{printable(title)}: not counted: {_sentence(error)}")
                else:
                    waiting.append((title, path))


def reason_not_counted(folder: Path) -> str | None:
    """What would be a ChangeTracker's `reason` in that folder, told without reading its files."""
    try:
        git = PrivateGit(discovery.find(folder), _DEFAULT_LIMITS.seconds)
        with closing(git):
            git.refresh()
            # The least that makes git read both the settings and the index.
            git.run("ls-files", "-z", "-u")
    except _ERRORS as error:
        return _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return printable(f"{error.strerror}{where}")
    return printable(str(error))
