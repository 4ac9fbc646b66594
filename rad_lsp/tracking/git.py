"""git asked about a work tree without opening the repository that it belongs to.

A repository's settings name programs (monitors, filters, hooks, transports) that git runs while it
merely looks. So git gets a folder of its own in place of the repository's: with a copy of the
index, the user's objects for reading only, and of the settings just those that tell how bytes
become lines. Nothing is left that could run a program, and nothing of the user's is written.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rad_lsp.tracking.repository import GitFailed, NoRegularFile, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.tracking.repository import Repository

NO_PROGRAM: Final = "the program git is not installed, or not on the PATH"

SUBMODULE: Final = b"160000"
"""The mode of an entry that stands for a repository of its own."""

_PREFIX: Final = "rad-git-"

# An index of ten million files; a larger file is there to fill the disk.
_COPIED_BYTES: Final = 1_000_000_000

_KEPT: Final = frozenset(
    {
        "core.attributesfile",
        "core.autocrlf",
        "core.checkstat",
        "core.eol",
        "core.excludesfile",
        "core.filemode",
        "core.ignorecase",
        "core.longpaths",
        "core.precomposeunicode",
        "core.sparsecheckout",
        "core.sparsecheckoutcone",
        "core.symlinks",
        "core.trustctime",
        "index.sparse",
    }
)
"""The settings that tell what a file's bytes mean. None of them names a program."""

_FIXED: Final = (
    "core.alternateRefsCommand=",
    "core.commitGraph=false",
    "core.fsmonitor=false",
    "core.fsync=none",
    f"core.hooksPath={os.devnull}",
    "core.looseCompression=0",
    "core.preloadIndex=true",
    "core.safecrlf=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.compression=0",
    "protocol.allow=never",
    "submodule.recurse=false",
)

_USER_FILES: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}

_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_EXTERNAL_DIFF": "",
    "GIT_GLOB_PATHSPECS": "0",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_ICASE_PATHSPECS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NOGLOB_PATHSPECS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_SHALLOW_FILE": "",
    "GIT_TERMINAL_PROMPT": "0",
    "PAGER": "cat",
}
"""Each is set, because GitPython adds to our own environment, and that may be a git hook's."""


_RECORDED: Final = re.compile(
    rb"([^\0]+)\0  ctime: .*\n  mtime: .*\n  dev: .*\n  uid: .*\n  size: (\d+)\tflags: .*\n"
)


class Change(NamedTuple):
    """An entry of git's raw differences: modes, object names, and a letter for what happened."""

    old_mode: bytes
    new_mode: bytes
    old: bytes
    new: bytes
    status: bytes
    name: bytes


class PrivateGit:
    """A git folder of our own over the work tree of somebody's repository.

    Making one raises GitFailed when there is no git program, the repository is bare or its
    settings can't be read, OSError when there is no room for the folder.
    """

    def __init__(self, repository: Repository, timeout: float) -> None:
        self.root = str(repository.worktree)
        self.warnings = ""
        """What git complained of in the last call that worked."""
        self._repository = repository
        self._timeout = timeout
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        self._home = Path(self._folder.name).resolve()
        self.ours: bytes | None = None
        """How names begin that are ours, when the system's temporary folder is in the work tree."""
        if self._home.is_relative_to(self.root):
            begin = self._home.parent.relative_to(self.root) / _PREFIX
            self.ours = os.fsencode(begin.as_posix())
        self._options: list[str] = []
        self._sparse = False
        self._reftable = False
        self._sha256 = False
        self._index: tuple[int, ...] | None = ()
        self._pinned: set[bytes] = set()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()

    def path(self, name: bytes) -> str:
        """Where the file lies that git calls `name`."""
        return f"{self.root}{os.sep}{os.fsdecode(name)}"

    @property
    def hash_name(self) -> str:
        """How hashlib calls the hash that names the repository's objects."""
        return "sha256" if self._sha256 else "sha1"

    def run(
        self, *arguments: str, given: Iterable[bytes] = (), writes: bool = False
    ) -> list[bytes]:
        """The NUL-terminated records that git prints, having read those `given`. Raises GitFailed.

        What `writes` objects does not see the user's: git renews the time of an object that it
        is to write and finds there. Only the folders of a sparse index can't be had without.
        """
        output = self._raw(
            *arguments,
            given=b"".join(name + b"\0" for name in given),
            environment=self._environment(alternates=not writes or self._sparse),
        )
        return output.split(b"\0")[:-1]

    def differences(self, *arguments: str) -> tuple[list[Change], dict[bytes, tuple[bytes, bytes]]]:
        """What a git command that compares prints: changes, and for `--numstat` lines by name.

        Lines added and removed are digits, or `-` for a binary file. Raises GitFailed.
        """
        changes: list[Change] = []
        lines: dict[bytes, tuple[bytes, bytes]] = {}
        records = iter(self.run(*arguments, "-z", "--raw", "--no-abbrev", "--no-renames"))
        for record in records:
            if record.startswith(b":"):
                old_mode, new_mode, old, new, status = record[1:].split(b" ")
                changes.append(Change(old_mode, new_mode, old, new, status[:1], next(records)))
            else:
                added, removed, name = record.split(b"\t", 2)
                lines[name] = (added, removed)
        return changes, lines

    def refresh(self) -> bool:
        """Take over the user's index; False when it is still the one that we have.

        A kept copy knows the untracked files that were added to it. But only a new one knows
        what `git sparse-checkout` has left out since. Raises OSError.
        """
        repository = self._repository
        for name in ("exclude", "attributes"):
            _copy(repository.common / "info" / name, self._home / "info" / name)
        sparse = "info/sparse-checkout"
        _copy(repository.folder / sparse, self._home / sparse)
        index = repository.folder / "index"
        try:
            found = index.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        except FileNotFoundError:
            mark = None
        if mark == self._index:
            return False
        for shared in repository.folder.glob("sharedindex.*"):
            if not (self._home / shared.name).exists():
                _copy(shared, self._home / shared.name)
        _copy(index, self._home / "index")
        self._index = mark
        return True

    def pin(self, objects: Iterable[bytes]) -> None:
        """Copy objects of the user's to ours.

        There they are safe from `git gc`, and what `writes` can see them: git needs a file's
        stored form to tell whether line ends are to be converted. Objects that are missing, as
        in a partial clone, are left out.
        """
        wanted = set(objects) - self._pinned
        if not wanted:
            return
        self._pinned |= wanted
        target = str(self._home / "objects" / "pack" / "pin")
        # A damaged object is the user's affair; without it the count is still nearly right.
        with contextlib.suppress(GitFailed):
            self._raw(
                *("pack-objects", "-q", "--window=0", "--missing=allow-any", target),
                given=b"".join(name + b"\n" for name in wanted),
                environment=self._environment(alternates=True),
            )

    def pin_folders(self) -> None:
        """Copy the folders of the current commit to ours, all into one file.

        That takes a third of the time that `write_tree` needs to write each into a file of its
        own, and most of them will be in its tree.
        """
        if head := self._head():
            options = ("--no-object-names", "--filter=blob:none", "--missing=allow-any")
            environment = self._environment(alternates=True)
            with contextlib.suppress(GitFailed):
                tree = f"{head}^{{tree}}"
                listed = self._raw("rev-list", "--objects", *options, tree, environment=environment)
                self.pin(listed.split())

    def staged(self) -> list[Change]:
        """What the index has that the current commit has not; nothing when that can't be told."""
        if head := self._head():
            with contextlib.suppress(GitFailed):
                command = ("diff-index", "--cached", "--ignore-submodules=all", head)
                return self.differences(*command)[0]
        return []

    def write_tree(self) -> bytes:
        """Store the folders of the index; returns the name of the topmost. Raises GitFailed."""
        environment = self._environment(alternates=self._sparse)
        return self._raw("write-tree", "--missing-ok", environment=environment).strip()

    def recorded_sizes(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """How many bytes files had when the index last took note of them. Raises GitFailed."""
        arguments = ("ls-files", "-z", "--debug", "--", *map(os.fsdecode, names))
        listed = self._raw(*arguments, environment=self._environment(alternates=False))
        return {name: int(size) for name, size in _RECORDED.findall(listed)}

    def _head(self) -> str | None:
        return None if self._reftable else self._repository.head()

    def _raw(self, *arguments: str, given: bytes = b"", environment: dict[str, str]) -> bytes:
        try:
            from git import Git, GitCommandNotFound
        except ImportError as error:
            raise GitFailed(NO_PROGRAM) from error
        command = ["git", "--no-pager"]
        for option in (*_FIXED, *self._options):
            command += ("-c", option)
        command += (f"--work-tree={self.root}", *arguments)
        if not Path(self.root).is_dir():
            raise GitFailed(f"{self.root} is gone")
        try:
            process = Git(self.root).execute(
                command, istream=subprocess.PIPE, as_process=True, shell=False, env=environment
            )
        except GitCommandNotFound as error:
            raise GitFailed(NO_PROGRAM) from error
        try:
            # GitPython's own limit, kill_after_timeout, does not exist on Windows.
            output, errors = process.communicate(given, timeout=self._timeout)
        except BaseException as error:
            process.kill()
            process.communicate()
            self._unlock()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            message = f"'git {arguments[0]}' did not end within {self._timeout:g} seconds"
            raise GitFailed(message) from error
        self.warnings = errors.decode("utf-8", "replace").strip()
        if process.returncode:
            self._unlock()
            last = (self.warnings or f"exit code {process.returncode}").splitlines()[-1]
            raise GitFailed(f"'git {arguments[0]}' failed: {last}")
        return bytes(output)

    def _unlock(self) -> None:
        (self._home / "index.lock").unlink(missing_ok=True)

    def _environment(self, *, alternates: bool) -> dict[str, str]:
        home = str(self._home)
        objects = self._repository.common / "objects"
        return {
            **dict.fromkeys((name for name in os.environ if name.startswith("GIT_TRACE")), "0"),
            **_ENVIRONMENT,
            **_USER_FILES,
            "GIT_DIR": home,
            "GIT_COMMON_DIR": home,
            "GIT_INDEX_FILE": str(self._home / "index"),
            "GIT_OBJECT_DIRECTORY": str(self._home / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects) if alternates else "",
        }

    def _prepare(self) -> None:
        for name in ("objects/info", "objects/pack", "refs", "info"):
            (self._home / name).mkdir(parents=True)
        (self._home / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        config = self._home / "config"
        config.write_text("[core]\n\trepositoryformatversion = 0\n", encoding="utf-8")

        theirs = self._repository_settings()
        if _is_true(theirs.get("core.bare", "false")) and not self._is_linked():
            raise GitFailed(f"{self.root} has a bare repository, without files")
        self._sha256 = theirs.get("extensions.objectformat") == "sha256"
        self._reftable = "extensions.refstorage" in theirs
        settings = self._user_settings() | theirs
        self._options = [
            key if value is None else f"{key}={value}"
            for key, value in settings.items()
            if key in _KEPT and not self._names_no_file(key, value)
        ]
        self._sparse = all(
            _is_true(settings.get(key, default))
            for key, default in (("index.sparse", "false"), ("core.sparsecheckout", "false"))
        )
        if self._sha256:
            config.write_text(
                "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n",
                encoding="utf-8",
            )

    def _is_linked(self) -> bool:
        return self._repository.folder != self._repository.common

    def _user_settings(self) -> dict[str, str | None]:
        environment = self._environment(alternates=False)
        for name in _USER_FILES:
            del environment[name]
        return _settings(self._raw("config", "-z", "--list", environment=environment))

    def _repository_settings(self) -> dict[str, str | None]:
        """What the repository sets itself: includes could name a FIFO, or anything."""
        found = self._settings_of(self._repository.common / "config")
        if _is_true(found.get("extensions.worktreeconfig", "false")):
            found |= self._settings_of(self._repository.folder / "config.worktree")
        return found

    def _settings_of(self, file: Path) -> dict[str, str | None]:
        copy = self._home / "theirs"
        if not _copy(file, copy):
            return {}
        arguments = ("config", "--file", str(copy), "--no-includes", "-z", "--list")
        try:
            listed = self._raw(*arguments, environment=self._environment(alternates=False))
        except GitFailed as error:
            raise GitFailed(str(error).replace(str(copy), str(file))) from error
        return _settings(listed)

    def _names_no_file(self, key: str, value: str | None) -> bool:
        """Whether a setting names something that git would wait for, such as a FIFO."""
        if key not in {"core.excludesfile", "core.attributesfile"} or not value:
            return False
        path = Path(self.root, os.path.expanduser(value))  # noqa: PTH111  (it never raises)
        try:
            return not stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError):
            return False


def _settings(listed: bytes) -> dict[str, str | None]:
    """Settings by their names; None stands for one without a value, which is true."""
    found: dict[str, str | None] = {}
    for record in listed.split(b"\0")[:-1]:
        key, separator, value = os.fsdecode(record).partition("\n")
        found[key] = value if separator else None
    return found


def _is_true(value: str | None) -> bool:
    return value is None or value.lower() in {"true", "yes", "on", "1"}


def _quoted(path: Path) -> str:
    """A path as git unquotes it, so that it may hold the character that separates paths."""
    escaped = path.as_posix().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _copy(source: Path, target: Path) -> bool:
    """Copy a regular file with its time; False, and no target, when there is none.

    git takes a file's entry for certain only if the index is younger than the file, so the time
    of the index must survive. Raises OSError when one can't be read or the other not
    written, GitFailed when it is not worth the room.
    """
    try:
        file = opened(str(source))
    except (FileNotFoundError, NotADirectoryError, NoRegularFile):
        target.unlink(missing_ok=True)
        return False
    with file, target.open("wb") as copy:
        found = os.fstat(file.fileno())
        if found.st_size > _COPIED_BYTES:
            raise GitFailed(f"{source} is larger than {_COPIED_BYTES:,} bytes")
        shutil.copyfileobj(file, copy, 1 << 20)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    return True
