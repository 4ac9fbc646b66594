"""What changed in the work tree of one repository since a moment: two snapshots compared."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rad_lsp.core.wording import counted, printable
from rad_lsp.tracking.contents import Contents, is_beyond_link, look
from rad_lsp.tracking.git import SUBMODULE, Change, PrivateGit
from rad_lsp.tracking.repository import GitFailed
from rad_lsp.tracking.snapshot import Limits, Snapshots, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.tracking.contents import Stamp
    from rad_lsp.tracking.repository import Repository
    from rad_lsp.tracking.snapshot import Beside, Snapshot

_ARGUMENTS_BYTES: Final = 16_000
_FILTERS_NAMED: Final = 3


class CodeChanges(msgspec.Struct, frozen=True):
    """Lines added and removed and files changed between two moments.

    Lines are as `git diff --numstat` counts them. A rename is one file that went and one that
    came; a binary file has no lines. `notes` are sentences on what could not be counted, or not
    to the end.
    """

    lines_added: int = 0
    lines_removed: int = 0
    files_changed: int = 0
    notes: tuple[str, ...] = ()


class _Difference(NamedTuple):
    """How two trees differ: the changes by name, and lines added and removed as git prints them."""

    changes: dict[bytes, Change]
    lines: dict[bytes, tuple[bytes, bytes]]


class _Tally:
    """The files that changed, each with its lines, and those of unknown lines by the reason."""

    def __init__(self) -> None:
        self.files: dict[bytes, tuple[int, int]] = {}
        self.unknown: defaultdict[Why, set[bytes]] = defaultdict(set)
        self.filters: set[str] = set()
        self.touched = 0

    def add_unknown(self, name: bytes, why: Why, named: str = "") -> None:
        """Count a file whose lines are not known."""
        self.files[name] = (0, 0)
        self.unknown[why].add(name)
        if why is Why.FILTER:
            self.filters.add(named)

    def drop(self, name: bytes) -> None:
        """Take back a file that turns out to be the same."""
        self.files.pop(name, None)
        for names in self.unknown.values():
            names.discard(name)


class WorkTree:
    """The work tree of a repository, from the making of this on.

    Making one and all methods raise GitFailed or OSError where git or the system gives no answer.
    """

    def __init__(self, repository: Repository, limits: Limits) -> None:
        self._limits = limits
        self._git = PrivateGit(repository, limits.seconds)
        self._contents = Contents(self._git.hash_name, limits.read_bytes)
        self._snapshots = Snapshots(self._git, self._contents, limits)
        try:
            self._start = self._snapshots.first()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove all that was stored."""
        self._git.close()

    def submodules(self) -> list[bytes]:
        """The names of the submodules at the start, checked out or not."""
        listed = self._git.run("ls-tree", "-r", "-d", "-z", self._start.tree.decode("ascii"))
        entries = (record.partition(b"\t") for record in listed)
        return [name for entry, _, name in entries if entry.startswith(SUBMODULE)]

    def changes(self) -> CodeChanges:
        """What changed since the start."""
        self._contents.rewind()
        now = self._snapshots.take()
        found = self._compared(now)
        hidden = [change.name for change in found.changes.values() if self._is_hidden(change, now)]
        if hidden:
            now = self._snapshots.extended(now, hidden)
            found = self._compared(now)
        tally = self._tally(found, now)
        added, removed = (sum(lines[side] for lines in tally.files.values()) for side in (0, 1))
        notes = tuple(_notes(tally, now, self._limits))
        return CodeChanges(added, removed, len(tally.files), notes)

    def _compared(self, now: Snapshot) -> _Difference:
        if now.tree == self._start.tree:
            return _Difference({}, {})
        trees = [tree.decode("ascii") for tree in (self._start.tree, now.tree)]
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--diff-algorithm=myers")
        command = ("diff-tree", "-r", "--ignore-submodules=none", *options)
        try:
            changes, lines = self._git.differences(*command, "--numstat", *trees)
        except GitFailed:
            # A content that `git gc` took since the start leaves its file without lines.
            changes, lines = self._git.differences(*command, *trees)
        return _Difference({change.name: change for change in changes}, lines)

    def _is_hidden(self, change: Change, now: Snapshot) -> bool:
        """Whether a file that went from the tree is still there: ignored since, for example."""
        name = change.name
        return (
            change.status == b"D"
            and change.old_mode != SUBMODULE
            and name not in now.beside
            and name not in self._start.beside
            and look(self._git.path(name)) is not None
            and not is_beyond_link(self._git.root, os.fsdecode(name))
            and not self._snapshots.never_counts(name)
        )

    def _tally(self, found: _Difference, now: Snapshot) -> _Tally:
        tally = _Tally()
        for name, change in found.changes.items():
            if SUBMODULE in {change.old_mode, change.new_mode}:
                continue
            if self._snapshots.never_counts(name):
                continue
            if name in found.lines:
                added, removed = found.lines[name]
                tally.files[name] = (_number(added), _number(removed))
            else:
                tally.add_unknown(name, Why.GONE)
        written = (n for n in tally.files if found.changes[n].old != found.changes[n].new)
        for name, named in self._snapshots.filters(written).items():
            tally.add_unknown(name, Why.FILTER, named)
        for name, before in self._start.beside.items():
            if before.stamp.is_same(self._stamp_now(name, before, now)):
                tally.drop(name)
            else:
                tally.add_unknown(name, before.why, before.filter)
        self._tally_late(tally, found, now)
        return tally

    def _stamp_now(self, name: bytes, before: Beside, now: Snapshot) -> Stamp | None:
        if name in now.beside:
            return now.beside[name].stamp
        path = self._git.path(name)
        found = look(path)
        return found and self._contents.stamp(path, found, read=before.why is Why.FILTER)

    def _tally_late(self, tally: _Tally, found: _Difference, now: Snapshot) -> None:
        """Count files that are beside the tree now, but at the start were in it or not there."""
        late = {n: beside for n, beside in now.beside.items() if n not in self._start.beside}
        unsure = (n for n, beside in late.items() if beside.filter and n not in found.changes)
        sizes = self._recorded_sizes(unsure)
        for name, beside in late.items():
            change = found.changes.get(name)
            before = change.old if change else beside.tracked and beside.tracked.old
            if before is None or (change and change.status == b"A"):
                self._tally_new(tally, name, beside)
            elif before in beside.stamp.objects:
                tally.drop(name)
            elif (
                change
                or beside.why is not Why.FILTER
                or (beside.filter == "lfs" and beside.stamp.objects)
                or (sizes.get(name) or beside.stamp.size) != beside.stamp.size
            ):
                tally.add_unknown(name, beside.why, beside.filter)
            else:
                tally.touched += 1

    def _tally_new(self, tally: _Tally, name: bytes, beside: Beside) -> None:
        lines = None
        if beside.why is not Why.FILTER:
            lines = self._contents.lines(self._git.path(name), beside.stamp)
        if lines is None:
            tally.add_unknown(name, beside.why, beside.filter)
        else:
            tally.drop(name)
            tally.files[name] = (lines, 0)

    def _recorded_sizes(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """How many bytes files had when the index last took note of them, for as many as fit.

        0 is git's sign that it is not sure of a file.
        """
        given: list[bytes] = []
        length = 0
        for name in names:
            length += len(name) + 1
            if length > _ARGUMENTS_BYTES:
                break
            given.append(name)
        return self._git.recorded_sizes(given) if given else {}


def _notes(tally: _Tally, now: Snapshot, limits: Limits) -> Iterator[str]:
    filters = printable(", ".join(sorted(tally.filters)[:_FILTERS_NAMED]))
    texts = {
        Why.FILTER: f"lines are not known of {{}} with a filter ({filters})",
        Why.SIZE: f"lines are not known of {{}} larger than {limits.file_bytes / 1e6:g} MB",
        Why.ACCESS: "lines are not known of {} that can't be read",
        Why.GONE: "partial: lines are not known of {} whose former content git has no more",
        Why.NUMBER: "partial: lines are not known of {} beyond the first "
        f"{limits.stored_files:,} or {limits.stored_bytes / 1e6:g} MB of new and changed ones",
    }
    for why, text in texts.items():
        if names := tally.unknown[why]:
            yield text.format(counted(len(names), "file"))
    if tally.touched:
        files = counted(tally.touched, "file")
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
