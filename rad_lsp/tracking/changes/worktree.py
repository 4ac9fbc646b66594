"""What changed in the work tree of one repository since a moment: two states compared."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rad_lsp.core.wording import counted, printable
from rad_lsp.tracking.changes.discovery import GitFailed
from rad_lsp.tracking.changes.files import Contents, file_status, is_beyond_link
from rad_lsp.tracking.changes.private_git import SUBMODULE, Change, PrivateGit
from rad_lsp.tracking.changes.state import Limits, Reason, StateReader, is_excluded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.repository import Repository
    from rad_lsp.tracking.changes.files import Stamp
    from rad_lsp.tracking.changes.state import State, Unstored

_FILTERS_NAMED: Final = 3


class CodeChanges(msgspec.Struct, frozen=True):
    """Lines added and removed and files changed between two moments.

    Lines are counted as by `git diff --numstat`; a binary file has none. A rename counts as one
    file removed and one added. `notes` are sentences on what was not counted, or only in part.
    """

    lines_added: int = 0
    lines_removed: int = 0
    files_changed: int = 0
    notes: tuple[str, ...] = ()


class _File(NamedTuple):
    """A file that changed: lines added and removed, or the reason why they are not known."""

    lines: tuple[int, int] = (0, 0)
    reason: Reason | None = None
    filter: str = ""
    """The name of a filter that is the reason."""


class WorkTree:
    """The work tree of a repository, followed from the making of this object on.

    The constructor and all methods raise GitFailed and OSError.
    """

    def __init__(self, repository: Repository, limits: Limits) -> None:
        self._limits = limits
        self._git = PrivateGit(repository, limits.seconds)
        self._contents = Contents(self._git.hash_name, limits.read_bytes)
        self._reader = StateReader(self._git, self._contents, limits)
        try:
            self._start = self._reader.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the temporary files."""
        self._git.close()

    def submodules(self) -> list[bytes]:
        """The names of the submodules at the start, checked out or not."""
        listed = self._git.run("ls-tree", "-r", "-d", "-z", self._start.tree.decode("ascii"))
        entries = (record.partition(b"\t") for record in listed)
        return [name for entry, _, name in entries if entry.startswith(SUBMODULE)]

    def changes(self) -> CodeChanges:
        """What has changed since the start."""
        self._contents.reset()
        now = self._reader.read()
        changes = self._compared(now)
        hidden = [name for name, change in changes.items() if self._is_hidden(name, change, now)]
        if hidden:
            now = self._reader.extended(now, hidden)
            changes = self._compared(now)
        files = self._stored_files(changes, now)
        maybe_unchanged = self._add_unstored(files, changes, now)
        added, removed = (sum(file.lines[side] for file in files.values()) for side in (0, 1))
        notes = tuple(_notes(files, maybe_unchanged, now, self._limits))
        return CodeChanges(added, removed, len(files), notes)

    def _compared(self, now: State) -> dict[bytes, Change]:
        if now.tree == self._start.tree:
            return {}
        trees = [tree.decode("ascii") for tree in (self._start.tree, now.tree)]
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--diff-algorithm=myers")
        command = ("diff-tree", "-r", "--ignore-submodules=none", *options)
        try:
            return self._git.differences(*command, "--numstat", *trees)
        except GitFailed:
            # A content that `git gc` has deleted since the start fails --numstat.
            return self._git.differences(*command, *trees)

    def _is_hidden(self, name: bytes, change: Change, now: State) -> bool:
        """Whether a file that is gone from the tree is still there: ignored now, for example."""
        return (
            change.status == b"D"
            and change.old_mode != SUBMODULE
            and name not in now.unstored
            and name not in self._start.unstored
            and file_status(self._git.path(name)) is not None
            and not is_beyond_link(self._git.root, os.fsdecode(name))
            and not is_excluded(name)
        )

    def _stored_files(self, changes: dict[bytes, Change], now: State) -> dict[bytes, _File]:
        """The files that changed, without those that are not stored now but were at the start."""
        files: dict[bytes, _File] = {}
        for name, change in changes.items():
            if SUBMODULE in {change.old_mode, change.new_mode} or is_excluded(name):
                continue
            lines = change.lines
            files[name] = _File(lines) if lines is not None else _File(reason=Reason.GONE)
        rewritten = [name for name in files if changes[name].old != changes[name].new]
        for name, filter_name in self._reader.filters(rewritten).items():
            files[name] = _File(reason=Reason.FILTER, filter=filter_name)
        for name, before in self._start.unstored.items():
            if before.stamp.is_same(self._stamp_now(name, before, now)):
                files.pop(name, None)
            else:
                files[name] = _File(reason=before.reason, filter=before.filter)
        return files

    def _stamp_now(self, name: bytes, before: Unstored, now: State) -> Stamp | None:
        if name in now.unstored:
            return now.unstored[name].stamp
        path = self._git.path(name)
        status = file_status(path)
        return status and self._contents.stamp(path, status, read=before.reason is Reason.FILTER)

    def _add_unstored(
        self, files: dict[bytes, _File], changes: dict[bytes, Change], now: State
    ) -> int:
        """Add files that are not stored now, but at the start were stored or not there.

        Returns the number of those left out because nobody knows whether they changed.
        """
        unstored = {n: file for n, file in now.unstored.items() if n not in self._start.unstored}
        unsure = [name for name, file in unstored.items() if file.filter and name not in changes]
        sizes = self._git.recorded_sizes(unsure)
        maybe_unchanged = 0
        for name, file in unstored.items():
            change = changes.get(name)
            before = change.old if change else file.tracked and file.tracked.old
            if before is None or (change and change.status == b"A"):
                files[name] = self._new_file(name, file)
            elif before in file.stamp.objects:
                files.pop(name, None)
            elif (
                change
                or file.reason is not Reason.FILTER
                or (file.filter == "lfs" and file.stamp.objects)
                or (sizes.get(name) or file.stamp.size) != file.stamp.size
            ):
                files[name] = _File(reason=file.reason, filter=file.filter)
            else:
                maybe_unchanged += 1
        return maybe_unchanged

    def _new_file(self, name: bytes, file: Unstored) -> _File:
        if file.reason is not Reason.FILTER:
            lines = self._contents.lines(self._git.path(name), file.stamp)
            if lines is not None:
                return _File((lines, 0))
        return _File(reason=file.reason, filter=file.filter)


def _notes(
    files: dict[bytes, _File], maybe_unchanged: int, now: State, limits: Limits
) -> Iterator[str]:
    numbers = Counter(file.reason for file in files.values())
    names = sorted({file.filter for file in files.values() if file.filter})
    filters = printable(", ".join(names[:_FILTERS_NAMED]))
    texts = {
        Reason.FILTER: f"lines are not known of {{}} with a filter ({filters})",
        Reason.SIZE: f"lines are not known of {{}} larger than {limits.file_bytes / 1e6:g} MB",
        Reason.ACCESS: "lines are not known of {} that can't be read",
        Reason.GONE: "partial: lines are not known of {} whose former content git has no more",
        Reason.NUMBER: "partial: lines are not known of {} beyond the first "
        f"{limits.stored_files:,} or {limits.stored_bytes / 1e6:g} MB of new and changed ones",
    }
    for reason, text in texts.items():
        if numbers[reason]:
            yield text.format(counted(numbers[reason], "file"))
    if maybe_unchanged:
        unsure = counted(maybe_unchanged, "file")
        yield f"it is not known whether {unsure} with a filter changed, or only got a new time"
    yield from now.notes
