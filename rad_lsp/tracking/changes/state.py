"""What the files of a work tree hold at one moment.

Most of it is a git tree, written to a temporary folder of ours. Some files are not stored, because
git would need another program, much time or much room for them. Of those there is a stamp.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rad_lsp.core.wording import counted, printable
from rad_lsp.tracking.changes.discovery import GitFailed
from rad_lsp.tracking.changes.files import Contents, Stamp, file_status
from rad_lsp.tracking.changes.private_git import SUBMODULE, Change, PrivateGit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_UNREADABLE: Final = 100
"""Files that git can't read, each of which costs some calls of git to find."""


_EXCLUDED: Final = re.compile(rb"(?:^|/)(?:\.radium|rad-lsp-git-\w{8})/")


class Limits(msgspec.Struct, frozen=True):
    """How much work counting may be. A note says what was not counted because of it.

    `seconds` is for one call of git, which a FIFO named `.gitignore` would block for ever. Files
    larger than `file_bytes`, and those after the first `stored_files` or `stored_bytes` of new
    and changed ones, are not stored but compared by size and time. To count the lines of new
    ones among them, and to tell contents with a filter apart, up to `read_bytes` are read at a
    time. Of untracked files the first `listed_files` count, of submodules the first `submodules`.
    """

    seconds: float = 60.0
    file_bytes: int = 8_000_000
    stored_files: int = 20_000
    stored_bytes: int = 256_000_000
    read_bytes: int = 1_000_000_000
    listed_files: int = 100_000
    submodules: int = 100


class Reason(Enum):
    """Why a file is not stored, or its lines are not known."""

    FILTER = "it has a filter, a program that git would run"
    SIZE = "it is large"
    NUMBER = "there are many files"
    ACCESS = "it can't be read"
    GONE = "its former content is gone"


class Unstored(NamedTuple):
    """A file whose content is not in the tree of a state."""

    stamp: Stamp
    reason: Reason
    filter: str
    """The filter's name; empty without one."""
    tracked: Change | None
    """How the file differs from the index; None when the index does not have it."""


class State(NamedTuple):
    """What the files of a work tree hold at one moment."""

    tree: bytes
    """git's name of the tree."""
    unstored: dict[bytes, Unstored]
    stored: frozenset[bytes]
    """New and changed files whose content was stored for this state."""
    notes: tuple[str, ...]
    """What was not looked at."""


class StateReader:
    """Reads the state of a work tree, again and again. All methods raise GitFailed and OSError."""

    def __init__(self, git: PrivateGit, contents: Contents, limits: Limits) -> None:
        self._git = git
        self._contents = contents
        self._limits = limits
        self._start = State(b"", {}, frozenset(), ())
        self._last: bytes | None = None
        """The last untracked file that counts, once there were too many."""

    def start(self) -> State:
        """The first state. Files that it does not store or list are treated alike later."""
        self._git.refresh()
        self._git.copy_trees()
        self._copy_staged()
        self._start = self.read()
        return self._start

    def read(self) -> State:
        """The state now."""
        self._git.refresh()
        tracked = self._modified()
        listed = self._git.run("ls-files", "-z", "-o", "--exclude-standard")
        warning = self._git.warnings.partition("\n")[0]
        files = [name for name in listed if not name.endswith(b"/")]
        untracked = self._bounded(files)
        notes = []
        if self._last is not None:
            most = self._limits.listed_files
            notes.append(f"partial: only the first {most:,} untracked files were looked at")
        if nested := len(listed) - len(files):
            folders = counted(nested, "untracked folder")
            notes.append(f"left out: {folders} with a repository of its own")
        if warning:
            notes.append(f"partial: git said: {printable(warning)}")
        unstored, stored = self._store(tracked, untracked)
        return State(self._git.write_tree(), unstored, stored, tuple(notes))

    def extended(self, state: State, names: Sequence[bytes]) -> State:
        """The state with more files, which git does not list."""
        unstored, stored = self._store({}, names)
        return state._replace(
            tree=self._git.write_tree(),
            unstored=state.unstored | unstored,
            stored=state.stored | stored,
        )

    def filters(self, names: Iterable[bytes]) -> dict[bytes, str]:
        """The names of filters, of those files that have one."""
        given = list(names)
        if not given:
            return {}
        listed = self._git.run("check-attr", "-z", "--stdin", "filter", given=given)
        return {
            name: value.decode("utf-8", "replace")
            for name, value in zip(listed[::3], listed[2::3], strict=True)
            if value not in {b"unspecified", b"unset", b"set", b""}
        }

    def _copy_staged(self) -> None:
        """Copy what only the index has: `git gc` may delete it once it is no longer staged."""
        changes = self._git.staged().items()
        staged = [(name, change.new) for name, change in changes if _has_content(change.new_mode)]
        self._git.copy_objects(
            content
            for name, content in staged[: self._limits.stored_files]
            if (status := file_status(self._git.path(name))) is None
            or status.st_size <= self._limits.file_bytes
        )

    def _modified(self) -> dict[bytes, Change]:
        """Tracked files that differ from the index, if only in their times."""
        changes = self._git.differences("diff-files", "--ignore-submodules=all")
        if len(changes) > self._limits.stored_files:
            # After a copy of the whole folder all times differ, though the files do not.
            with suppress(GitFailed):
                self._git.run("update-index", "-q", "--refresh")
            changes = self._git.differences("diff-files", "--ignore-submodules=all")
        return changes

    def _bounded(self, names: list[bytes]) -> list[bytes]:
        """The names of untracked files that count.

        Once there were too many, names after the last one that counted then never count: nobody
        knows whether they are new, and the next count would go on where this one ended.
        """
        if self._last is None and len(names) > self._limits.listed_files:
            self._last = names[self._limits.listed_files - 1]
        return names if self._last is None else [name for name in names if name <= self._last]

    def _store(
        self, tracked: dict[bytes, Change], untracked: Sequence[bytes]
    ) -> tuple[dict[bytes, Unstored], frozenset[bytes]]:
        """Store the files, and update our index; returns those not stored, and those stored."""
        present, gone = self._sorted(tracked, untracked)
        filters = self.filters(n for n, status in present.items() if stat.S_ISREG(status.st_mode))
        reasons = self._reasons(present) | dict.fromkeys(filters, Reason.FILTER)
        stored = [name for name in present if name not in reasons]
        # git writes no tree while the index has files in conflict, so they are stored or removed.
        gone += [name for name in reasons if name in tracked and tracked[name].status == b"U"]
        if gone:
            self._git.run("update-index", "--force-remove", "-z", "--stdin", given=gone)
        before = (tracked[name] for name in stored if name in tracked)
        self._git.copy_objects(change.old for change in before if _has_content(change.old_mode))
        reasons |= dict.fromkeys(self._add(stored), Reason.ACCESS)
        unstored = {
            name: Unstored(
                self._contents.stamp(
                    self._git.path(name), present[name], read=reason is Reason.FILTER
                ),
                reason,
                filters.get(name, ""),
                tracked.get(name),
            )
            for name, reason in reasons.items()
        }
        return unstored, frozenset(stored).difference(reasons)

    def _sorted(
        self, tracked: dict[bytes, Change], untracked: Sequence[bytes]
    ) -> tuple[dict[bytes, os.stat_result], list[bytes]]:
        """The files that are there, with their status, and the names of those that are gone."""
        present: dict[bytes, os.stat_result] = {}
        gone: list[bytes] = []
        for name in (*tracked, *untracked):
            change = tracked.get(name)
            if change and change.old_mode == SUBMODULE:
                continue
            # A deleted file may seem to be there, where a link has taken its folder's place.
            absent = (change and change.status == b"D") or is_excluded(name)
            status = None if absent else file_status(self._git.path(name))
            if status:
                present[name] = status
            elif change:
                gone.append(name)
        return present, gone

    def _reasons(self, present: dict[bytes, os.stat_result]) -> dict[bytes, Reason]:
        """Which files are not to be stored, and why; filters are not looked at."""
        reasons: dict[bytes, Reason] = {}
        files = size = 0
        for name, status in present.items():
            if not stat.S_ISREG(status.st_mode):
                continue
            before = self._start.unstored.get(name)
            if before and before.stamp.is_same(Stamp(status.st_size, status.st_mtime_ns)):
                reasons[name] = before.reason
            elif status.st_size > self._limits.file_bytes:
                reasons[name] = Reason.SIZE
            elif not os.access(self._git.path(name), os.R_OK):
                reasons[name] = Reason.ACCESS
            elif name not in self._start.stored:
                files += 1
                size += status.st_size
                if files > self._limits.stored_files or size > self._limits.stored_bytes:
                    reasons[name] = Reason.NUMBER
        return reasons

    def _add(self, names: Sequence[bytes]) -> list[bytes]:
        """Store files; returns those that git can't read.

        git gives up at the first of those. They are found by halving the list.
        """
        failed: list[bytes] = []
        parts = [names] if names else []
        while parts:
            part = parts.pop()
            try:
                self._git.run(
                    *("update-index", "-z", "--add", "--remove", "--replace", "--stdin"),
                    given=part,
                    writes=True,
                )
            except GitFailed:
                if len(failed) >= _MOST_UNREADABLE:
                    raise
                middle = len(part) // 2
                if middle:
                    parts += (part[:middle], part[middle:])
                else:
                    failed += part
        return failed


def is_excluded(name: bytes) -> bool:
    """Whether a file never counts: it is Radium's, such as a report, or our temporary one."""
    return _EXCLUDED.search(name) is not None


def _has_content(mode: bytes) -> bool:
    """Whether an entry of that mode has a content here: it is neither absent nor a submodule."""
    return mode not in {b"000000", SUBMODULE}
