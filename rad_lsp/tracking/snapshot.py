"""The content of a work tree at a moment.

That is a git tree, in a store of our own. A file that git would need a program for, or much time
or room, stands beside the tree with a stamp.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rad_lsp.tracking.contents import Contents, Stamp, look
from rad_lsp.tracking.git import SUBMODULE, Change, PrivateGit
from rad_lsp.tracking.repository import GitFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FAILURES: Final = 100


class Limits(msgspec.Struct, frozen=True):
    """How far counting goes. What lies beyond is bounded, and a note says so.

    `seconds` is for one call of git, which a FIFO named `.gitignore` would hold for ever. Files
    larger than `file_bytes`, and those past the first `stored_files` or `stored_bytes` of new
    and changed ones, are compared by size and time; `read_bytes` of them are read at a time, to
    count a new file's lines. Of untracked files the first `listed_files` are looked at, of
    submodules the first `submodules`.
    """

    seconds: float = 60.0
    file_bytes: int = 8_000_000
    stored_files: int = 20_000
    stored_bytes: int = 256_000_000
    read_bytes: int = 1_000_000_000
    listed_files: int = 100_000
    submodules: int = 100


class Why(Enum):
    """Why a file stands beside a tree, or its lines are not known."""

    FILTER = "it has a filter, a program that git would run"
    SIZE = "it is large"
    NUMBER = "there are many files"
    ACCESS = "it can't be read"
    GONE = "its former content is gone"


class Beside(NamedTuple):
    """A file whose content a snapshot's tree does not have."""

    stamp: Stamp
    why: Why
    filter: str
    """The filter's name; empty without one."""
    tracked: Change | None
    """How the index has the file, if it has."""


class Snapshot(NamedTuple):
    """The content of a work tree at a moment."""

    tree: bytes
    """git's name of the tree."""
    beside: dict[bytes, Beside]
    stored: frozenset[bytes]
    """New and changed files whose content was stored for this snapshot."""
    last: bytes | None
    """The last untracked file that was looked at, when there were too many."""
    nested: int
    """Untracked repositories, which are left out."""
    warning: str
    """What git complained of when it looked for untracked files."""


class Snapshots:
    """Takes snapshots of a work tree. All methods raise GitFailed and OSError."""

    def __init__(self, git: PrivateGit, contents: Contents, limits: Limits) -> None:
        self._git = git
        self._contents = contents
        self._limits = limits
        self._tree = b""
        self._start = Snapshot(b"", {}, frozenset(), None, 0, "")

    def first(self) -> Snapshot:
        """The snapshot that others are compared with; each of them is taken in its light."""
        self._git.refresh()
        self._git.pin_folders()
        self._pin_staged()
        self._start = self.take()
        return self._start

    def take(self) -> Snapshot:
        """The snapshot of this moment."""
        if self._git.refresh():
            self._tree = b""
        tracked = self._modified()
        listed = self._git.run("ls-files", "-z", "-o", "--exclude-standard")
        warning = self._git.warnings.partition("\n")[0]
        untracked = [name for name in listed if not name.endswith(b"/")]
        nested = len(listed) - len(untracked)
        untracked, last = self._bounded(untracked)
        beside, stored = self._store(tracked, untracked)
        return Snapshot(self._write_tree(), beside, stored, last, nested, warning)

    def extended(self, snapshot: Snapshot, names: Sequence[bytes]) -> Snapshot:
        """The snapshot with files that git would not list."""
        beside, stored = self._store({}, names)
        return snapshot._replace(
            tree=self._write_tree(),
            beside=snapshot.beside | beside,
            stored=snapshot.stored | stored,
        )

    def filters(self, names: Iterable[bytes]) -> dict[bytes, str]:
        """The filters of those files that have one."""
        given = list(names)
        if not given:
            return {}
        listed = self._git.run("check-attr", "-z", "--stdin", "filter", given=given)
        return {
            name: value.decode("utf-8", "replace")
            for name, value in zip(listed[::3], listed[2::3], strict=True)
            if value not in {b"unspecified", b"unset", b"set", b""}
        }

    def never_counts(self, name: bytes) -> bool:
        """Whether a file is a session report or another of Radium's, or our own."""
        ours = self._git.ours
        return b"/.radium/" in b"/" + name or (ours is not None and name.startswith(ours))

    def _pin_staged(self) -> None:
        """Keep what only the index has: `git gc` may take it once it is staged no longer."""
        staged = [change for change in self._git.staged() if _has_content(change.new_mode)]
        names = [
            change.new
            for change in staged[: self._limits.stored_files]
            if (found := look(self._git.path(change.name))) is None
            or found.st_size <= self._limits.file_bytes
        ]
        self._git.pin(names)

    def _modified(self) -> dict[bytes, Change]:
        """The tracked files that differ from the index, in their times at least."""
        changes, _ = self._git.differences("diff-files", "--ignore-submodules=all")
        if len(changes) > self._limits.stored_files:
            # As after a copy of the whole folder: the times are new, the files are not.
            with suppress(GitFailed):
                self._git.run("update-index", "-q", "--refresh")
            changes, _ = self._git.differences("diff-files", "--ignore-submodules=all")
        found: dict[bytes, Change] = {}
        for change in changes:
            # A file in conflict is there twice: as such, then with the content of one side.
            before = found.get(change.name)
            found[change.name] = change._replace(status=before.status) if before else change
        return found

    def _bounded(self, names: list[bytes]) -> tuple[list[bytes], bytes | None]:
        """As many untracked names as are looked at, and the last of them if there are more.

        What lay beyond the last one at the start is not looked at later either: it may be old.
        """
        if (last := self._start.last) is not None:
            return [name for name in names if name <= last], last
        bound = self._limits.listed_files
        return (names, None) if len(names) <= bound else (names[:bound], names[bound - 1])

    def _store(
        self, tracked: dict[bytes, Change], untracked: Sequence[bytes]
    ) -> tuple[dict[bytes, Beside], frozenset[bytes]]:
        """Bring our index up to date; returns what stands beside it, and what was stored."""
        found, gone = self._sorted(tracked, untracked)
        filters = self.filters(n for n, result in found.items() if stat.S_ISREG(result.st_mode))
        reasons = self._reasons(found) | dict.fromkeys(filters, Why.FILTER)
        stored = [name for name in found if name not in reasons]
        # Files in conflict have no place in a tree, so those that are not stored must go.
        gone += [name for name in reasons if name in tracked and tracked[name].status == b"U"]
        if gone or stored:
            self._tree = b""
        if gone:
            self._git.run("update-index", "--force-remove", "-z", "--stdin", given=gone)
        before = (tracked[name] for name in stored if name in tracked)
        self._git.pin(change.old for change in before if _has_content(change.old_mode))
        reasons |= dict.fromkeys(self._add(stored), Why.ACCESS)
        beside = {
            name: Beside(
                self._contents.stamp(self._git.path(name), found[name], read=why is Why.FILTER),
                why,
                filters.get(name, ""),
                tracked.get(name),
            )
            for name, why in reasons.items()
        }
        return beside, frozenset(stored).difference(reasons)

    def _sorted(
        self, tracked: dict[bytes, Change], untracked: Sequence[bytes]
    ) -> tuple[dict[bytes, os.stat_result], list[bytes]]:
        """The files that are there, and the names of those that went."""
        found: dict[bytes, os.stat_result] = {}
        gone: list[bytes] = []
        for name in (*tracked, *untracked):
            change = tracked.get(name)
            if change and change.old_mode == SUBMODULE:
                continue
            # A file that went may seem to be there, where a link took its folder's place.
            is_gone = change is not None and change.status == b"D"
            result = None if is_gone or self.never_counts(name) else look(self._git.path(name))
            if result:
                found[name] = result
            elif change:
                gone.append(name)
        return found, gone

    def _reasons(self, found: dict[bytes, os.stat_result]) -> dict[bytes, Why]:
        """Why files are not stored, of those that are not."""
        reasons: dict[bytes, Why] = {}
        files = size = 0
        for name, result in found.items():
            if not stat.S_ISREG(result.st_mode):
                continue
            before = self._start.beside.get(name)
            if before and before.stamp.is_same(Stamp(result.st_size, result.st_mtime_ns)):
                reasons[name] = before.why
            elif result.st_size > self._limits.file_bytes:
                reasons[name] = Why.SIZE
            elif not os.access(self._git.path(name), os.R_OK):
                reasons[name] = Why.ACCESS
            elif name not in self._start.stored:
                files += 1
                size += result.st_size
                if files > self._limits.stored_files or size > self._limits.stored_bytes:
                    reasons[name] = Why.NUMBER
        return reasons

    def _add(self, names: Sequence[bytes]) -> list[bytes]:
        """Store files; returns those that git can't read, at the first of which it gives up."""
        failed: list[bytes] = []
        left = [names] if names else []
        while left:
            part = left.pop()
            try:
                self._git.run(
                    *("update-index", "-z", "--add", "--remove", "--replace", "--stdin"),
                    given=part,
                    writes=True,
                )
            except GitFailed:
                if len(failed) >= _FAILURES:
                    raise
                middle = len(part) // 2
                if middle:
                    left += (part[:middle], part[middle:])
                else:
                    failed += part
        return failed

    def _write_tree(self) -> bytes:
        if not self._tree:
            self._tree = self._git.write_tree()
        return self._tree


def _has_content(mode: bytes) -> bool:
    """Whether an entry of that mode is a file of the repository: no gap, no submodule."""
    return mode not in {b"000000", SUBMODULE}
