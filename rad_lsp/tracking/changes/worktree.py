"""What changed in the work tree of one repository since a moment: two states compared."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rad_lsp.core.wording import counted, printable
from rad_lsp.tracking.changes.discovery import GitFailed
from rad_lsp.tracking.changes.files import Contents, file_status, is_beyond_link
from rad_lsp.tracking.changes.private_git import SUBMODULE, Change, PrivateGit
from rad_lsp.tracking.changes.state import Limits, Reason, StateReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.repository import Repository
    from rad_lsp.tracking.changes.files import Stamp
    from rad_lsp.tracking.changes.state import State, Unstored

_ARGUMENTS_BYTES: Final = 16_000
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


class _Difference(NamedTuple):
    """How two trees differ: changes by name, and lines added and removed as git prints them."""

    changes: dict[bytes, Change]
    lines: dict[bytes, tuple[bytes, bytes]]


class _Tally:
    """The files that changed.

    `files` gives lines added and removed by file name, `unknown` the names of files whose lines
    are not known, by the reason. `filters` are names of filters. `maybe_unchanged` is a number
    of files that do not count, because nobody knows whether they changed.
    """

    def __init__(self) -> None:
        self.files: dict[bytes, tuple[int, int]] = {}
        self.unknown: defaultdict[Reason, set[bytes]] = defaultdict(set)
        self.filters: set[str] = set()
        self.maybe_unchanged = 0

    def add_unknown(self, name: bytes, reason: Reason, filter_name: str = "") -> None:
        """Count a file whose lines are not known."""
        self.files[name] = (0, 0)
        self.unknown[reason].add(name)
        if reason is Reason.FILTER:
            self.filters.add(filter_name)

    def remove(self, name: bytes) -> None:
        """Do not count a file after all."""
        self.files.pop(name, None)
        for names in self.unknown.values():
            names.discard(name)


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
        difference = self._compared(now)
        changes = difference.changes.values()
        hidden = [change.name for change in changes if self._is_hidden(change, now)]
        if hidden:
            now = self._reader.extended(now, hidden)
            difference = self._compared(now)
        tally = self._tally(difference, now)
        added, removed = (sum(lines[side] for lines in tally.files.values()) for side in (0, 1))
        notes = tuple(_notes(tally, now, self._limits))
        return CodeChanges(added, removed, len(tally.files), notes)

    def _compared(self, now: State) -> _Difference:
        if now.tree == self._start.tree:
            return _Difference({}, {})
        trees = [tree.decode("ascii") for tree in (self._start.tree, now.tree)]
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--diff-algorithm=myers")
        command = ("diff-tree", "-r", "--ignore-submodules=none", *options)
        try:
            changes, lines = self._git.differences(*command, "--numstat", *trees)
        except GitFailed:
            # A content that `git gc` has deleted since the start fails --numstat.
            changes, lines = self._git.differences(*command, *trees)
        return _Difference({change.name: change for change in changes}, lines)

    def _is_hidden(self, change: Change, now: State) -> bool:
        """Whether a file that is gone from the tree is still there: ignored now, for example."""
        name = change.name
        return (
            change.status == b"D"
            and change.old_mode != SUBMODULE
            and name not in now.unstored
            and name not in self._start.unstored
            and file_status(self._git.path(name)) is not None
            and not is_beyond_link(self._git.root, os.fsdecode(name))
            and not self._reader.is_excluded(name)
        )

    def _tally(self, difference: _Difference, now: State) -> _Tally:
        tally = _Tally()
        for name, change in difference.changes.items():
            if SUBMODULE in {change.old_mode, change.new_mode}:
                continue
            if self._reader.is_excluded(name):
                continue
            if name in difference.lines:
                added, removed = difference.lines[name]
                tally.files[name] = (_number(added), _number(removed))
            else:
                tally.add_unknown(name, Reason.GONE)
        changes = (difference.changes[name] for name in tally.files)
        rewritten = (change.name for change in changes if change.old != change.new)
        for name, filter_name in self._reader.filters(rewritten).items():
            tally.add_unknown(name, Reason.FILTER, filter_name)
        for name, before in self._start.unstored.items():
            if before.stamp.is_same(self._stamp_now(name, before, now)):
                tally.remove(name)
            else:
                tally.add_unknown(name, before.reason, before.filter)
        self._tally_unstored(tally, difference, now)
        return tally

    def _stamp_now(self, name: bytes, before: Unstored, now: State) -> Stamp | None:
        if name in now.unstored:
            return now.unstored[name].stamp
        path = self._git.path(name)
        status = file_status(path)
        return status and self._contents.stamp(path, status, read=before.reason is Reason.FILTER)

    def _tally_unstored(self, tally: _Tally, difference: _Difference, now: State) -> None:
        """Count files that are not stored now, but at the start were stored or not there."""
        files = {n: file for n, file in now.unstored.items() if n not in self._start.unstored}
        unsure = (n for n, file in files.items() if file.filter and n not in difference.changes)
        sizes = self._recorded_sizes(unsure)
        for name, file in files.items():
            change = difference.changes.get(name)
            before = change.old if change else file.tracked and file.tracked.old
            if before is None or (change and change.status == b"A"):
                self._tally_new(tally, name, file)
            elif before in file.stamp.objects:
                tally.remove(name)
            elif (
                change
                or file.reason is not Reason.FILTER
                or (file.filter == "lfs" and file.stamp.objects)
                or (sizes.get(name) or file.stamp.size) != file.stamp.size
            ):
                tally.add_unknown(name, file.reason, file.filter)
            else:
                tally.maybe_unchanged += 1

    def _tally_new(self, tally: _Tally, name: bytes, file: Unstored) -> None:
        lines = None
        if file.reason is not Reason.FILTER:
            lines = self._contents.lines(self._git.path(name), file.stamp)
        if lines is None:
            tally.add_unknown(name, file.reason, file.filter)
        else:
            tally.remove(name)
            tally.files[name] = (lines, 0)

    def _recorded_sizes(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """The sizes of files in bytes that the index has; 0 where git is not sure of one.

        Names are arguments of git's, so only as many are asked about as a command may have.
        """
        asked: list[bytes] = []
        length = 0
        for name in names:
            length += len(name) + 1
            if length > _ARGUMENTS_BYTES:
                break
            asked.append(name)
        return self._git.recorded_sizes(asked) if asked else {}


def _notes(tally: _Tally, now: State, limits: Limits) -> Iterator[str]:
    filters = printable(", ".join(sorted(tally.filters)[:_FILTERS_NAMED]))
    texts = {
        Reason.FILTER: f"lines are not known of {{}} with a filter ({filters})",
        Reason.SIZE: f"lines are not known of {{}} larger than {limits.file_bytes / 1e6:g} MB",
        Reason.ACCESS: "lines are not known of {} that can't be read",
        Reason.GONE: "partial: lines are not known of {} whose former content git has no more",
        Reason.NUMBER: "partial: lines are not known of {} beyond the first "
        f"{limits.stored_files:,} or {limits.stored_bytes / 1e6:g} MB of new and changed ones",
    }
    for reason, text in texts.items():
        if names := tally.unknown[reason]:
            yield text.format(counted(len(names), "file"))
    if tally.maybe_unchanged:
        files = counted(tally.maybe_unchanged, "file")
        yield f"it is not known whether {files} with a filter changed, or only got a new time"
    if now.last is not None:
        yield f"partial: only the first {limits.listed_files:,} untracked files were looked at"
    if now.nested:
        yield f"left out: {counted(now.nested, 'untracked folder')} with a repository of its own"
    if now.warning:
        yield f"partial: git said: {printable(now.warning)}"


def _number(digits: bytes) -> int:
    """Lines as git prints them: a binary file has none."""
    return 0 if digits == b"-" else int(digits)
