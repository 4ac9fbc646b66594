"""Runs git on a work tree without using the settings of its repository.

A repository's settings name programs (monitors, filters, hooks, transports) that git runs even in
commands that only read. So git gets a temporary git folder in place of the repository's. It has a
copy of the index, access to the repository's objects for reading, and only those settings that
tell what a file's bytes mean. Then no program is run, and nothing is written to the repository.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rad_lsp import temporary
from rad_lsp.regular import NotRegularFile, TooLarge, open_regular, read_small
from rad_lsp.tracking.changes.discovery import GitFailed, head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from git import Git

    from rad_lsp.repository import Repository

_NO_PROGRAM: Final = "the program git is not installed, or not on the PATH"

SUBMODULE: Final = b"160000"
"""The mode of a tree's or index's entry that is a submodule."""

# Enough for an index of ten million files. A larger file could fill the disk.
_COPIED_BYTES: Final = 1_000_000_000

# git reads lists of other repositories' objects to their end, but no more than so deep.
_ALTERNATES_BYTES: Final = 64_000
_ALTERNATES_DEPTH: Final = 5

_PATIENCE: Final = 2.0
"""Seconds that git has before it is looked whether it waits for something."""

_READ_IN_WORK_TREE: Final = frozenset({".gitignore", ".gitattributes"})
"""Files that git itself reads in any folder of a work tree."""

_ARGUMENTS_BYTES: Final = 16_000

_CONFIG: Final = """\
[core]
    repositoryformatversion = 1
[extensions]
    objectFormat = {}
"""

_KEPT_SETTINGS: Final = frozenset(
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
"""Settings that tell what a file's bytes mean. None of them names a program."""

_FIXED_SETTINGS: Final = (
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

_NO_USER_SETTINGS: Final = {
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
"""All are set, because GitPython adds them to our own environment, which may be a git hook's."""

_INDEX_ENTRY: Final = re.compile(
    rb"([^\0]+)\0  ctime: .*\n  mtime: .*\n  dev: .*\n  uid: .*\n  size: (\d+)\tflags: .*\n"
)


class Change(NamedTuple):
    """A line of `git diff --raw`: modes and object names, old and new, and the kind as a letter."""

    old_mode: bytes
    new_mode: bytes
    old: bytes
    new: bytes
    status: bytes
    lines: tuple[int, int] | None = None
    """How many were added and removed, where git was asked; none of a binary file."""


class PrivateGit:
    """A temporary git folder with the work tree of a repository.

    The constructor raises GitFailed when there is no git program, the repository is bare or its
    settings can't be read, OSError when the folder can't be made.
    """

    def __init__(self, repository: Repository, timeout: float) -> None:
        self.root = str(repository.root)
        self.warnings = ""
        """What git printed to stderr in the last call that succeeded."""
        self.hash_name = "sha1"
        """How hashlib calls the hash that names the repository's objects."""
        self._repository = repository
        self._timeout = timeout
        self._closing = contextlib.ExitStack()
        self._home = self._closing.enter_context(temporary.folder("git"))
        self._options: list[str] = []
        self._sparse = False
        self._index_stamp: tuple[int, ...] | None = ()
        self._copied: set[bytes] = set()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the folder."""
        self._closing.close()

    def path(self, name: bytes) -> str:
        """Where the file lies that git calls `name`."""
        return f"{self.root}{os.sep}{os.fsdecode(name)}"

    def run(
        self, *arguments: str, given: Iterable[bytes] = (), writes: bool = False
    ) -> list[bytes]:
        """The NUL-terminated records that git prints, with those `given` on its stdin.

        A command that `writes` objects does not see the repository's own: of one that is there
        already, git would set the time. Only with a sparse index it needs them. Raises GitFailed.
        """
        output = self._raw(
            *arguments,
            given=b"".join(name + b"\0" for name in given),
            alternates=not writes or self._sparse,
        )
        return output.split(b"\0")[:-1]

    def differences(self, *arguments: str) -> dict[bytes, Change]:
        """The changes that a comparing command of git's prints, by file name. Raises GitFailed.

        With `--numstat` among the arguments, each has its lines.
        """
        changes: dict[bytes, Change] = {}
        records = iter(self.run(*arguments, "-z", "--raw", "--no-abbrev", "--no-renames"))
        for record in records:
            if record.startswith(b":"):
                old_mode, new_mode, old, new, status = record[1:].split(b" ")
                name = next(records)
                # git lists a file in conflict twice: as such, then with the content of one side.
                kind = changes[name].status if name in changes else status[:1]
                changes[name] = Change(old_mode, new_mode, old, new, kind)
            else:
                added, removed, name = record.split(b"\t", 2)
                changes[name] = changes[name]._replace(lines=(_number(added), _number(removed)))
        return changes

    def refresh(self) -> None:
        """Copy the repository's index if it has changed since the last call.

        Untracked files that were added to our copy are lost by that. Raises OSError, GitFailed.
        """
        repository = self._repository
        _check_alternates(repository.common / "objects")
        for name in ("exclude", "attributes"):
            _copy(repository.common / "info" / name, self._home / "info" / name)
        sparse = "info/sparse-checkout"
        _copy(repository.folder / sparse, self._home / sparse)
        index = repository.folder / "index"
        try:
            status = index.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        except FileNotFoundError:
            stamp = None
        if stamp == self._index_stamp:
            return
        for shared in repository.folder.glob("sharedindex.*"):
            if not (self._home / shared.name).exists():
                _copy(shared, self._home / shared.name)
        _copy(index, self._home / "index")
        self._index_stamp = stamp

    def copy_objects(self, objects: Iterable[bytes]) -> None:
        """Copy objects of the repository to our folder, but for those that are missing.

        `git gc` can't delete the copies, and commands that write see them: git needs a file's
        stored form to tell whether line ends are to be converted.
        """
        wanted = set(objects) - self._copied
        if not wanted:
            return
        self._copied |= wanted
        target = str(self._home / "objects" / "pack" / "copy")
        # A damaged object only makes the count a little wrong.
        with contextlib.suppress(GitFailed):
            self._raw(
                *("pack-objects", "-q", "--window=0", "--missing=allow-any", target),
                given=b"".join(name + b"\n" for name in wanted),
            )

    def copy_trees(self) -> None:
        """Copy the trees of the current commit to our folder, all into one file.

        Most of them are in the tree that `write_tree` writes, and it needs three times as long
        to write each into a file of its own.
        """
        if commit := head(self._repository):
            options = ("--no-object-names", "--filter=blob:none", "--missing=allow-any")
            with contextlib.suppress(GitFailed):
                listed = self._raw("rev-list", "--objects", *options, f"{commit}^{{tree}}")
                self.copy_objects(listed.split())

    def staged(self) -> dict[bytes, Change]:
        """How the index differs from the current commit; nothing when that can't be told."""
        if commit := head(self._repository):
            with contextlib.suppress(GitFailed):
                return self.differences("diff-index", "--cached", "--ignore-submodules=all", commit)
        return {}

    def write_tree(self) -> bytes:
        """Store the index as a tree; returns git's name of it. Raises GitFailed."""
        return self._raw("write-tree", "--missing-ok", alternates=self._sparse).strip()

    def recorded_sizes(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """The sizes of files in bytes that the index has; 0 where git is not sure of one.

        Names are arguments of git's, so only as many are asked about as a command may have.
        Raises GitFailed.
        """
        asked: list[bytes] = []
        length = 0
        for name in names:
            length += len(name) + 1
            if length > _ARGUMENTS_BYTES:
                break
            asked.append(name)
        if not asked:
            return {}
        listed = self._raw("ls-files", "-z", "--debug", "--", *map(os.fsdecode, asked))
        return {name: int(size) for name, size in _INDEX_ENTRY.findall(listed)}

    def _raw(
        self,
        *arguments: str,
        given: bytes = b"",
        alternates: bool = True,
        user_settings: bool = False,
    ) -> bytes:
        try:
            from git import Git, GitCommandNotFound
        except ImportError as error:
            raise GitFailed(_NO_PROGRAM) from error
        command = ["git", "--no-pager"]
        for option in (*_FIXED_SETTINGS, *self._options):
            command += ("-c", option)
        command += (f"--work-tree={self.root}", *arguments)
        if not Path(self.root).is_dir():
            raise GitFailed(f"{self.root} is gone")
        try:
            process = Git(self.root).execute(
                command,
                istream=subprocess.PIPE,
                as_process=True,
                shell=False,
                env=self._environment(alternates=alternates, user_settings=user_settings),
            )
        except GitCommandNotFound as error:
            raise GitFailed(_NO_PROGRAM) from error
        try:
            output, errors = self._communicated(process, given, arguments[0])
        except subprocess.TimeoutExpired as error:
            message = f"'git {arguments[0]}' did not end within {self._timeout:g} seconds"
            raise GitFailed(message) from error
        finally:
            if process.returncode is None:
                process.kill()
                process.communicate()
            if process.returncode:
                (self._home / "index.lock").unlink(missing_ok=True)
        self.warnings = errors.decode("utf-8", "replace").strip()
        if process.returncode:
            last = (self.warnings or f"exit code {process.returncode}").splitlines()[-1]
            raise GitFailed(f"'git {arguments[0]}' failed: {last}")
        return bytes(output)

    def _communicated(
        self, process: Git.AutoInterrupt, given: bytes, command: str
    ) -> tuple[bytes, bytes]:
        """What git prints to stdout and stderr. Raises GitFailed, subprocess.TimeoutExpired."""
        # GitPython's own limit, kill_after_timeout, does not exist on Windows.
        deadline = time.monotonic() + self._timeout
        output: tuple[bytes, bytes]
        try:
            output = process.communicate(given, timeout=min(_PATIENCE, self._timeout))
        except subprocess.TimeoutExpired:
            if path := self._blocking_file(deadline):
                message = f"'git {command}' can't read {path}, which is no regular file"
                raise GitFailed(message) from None
            output = process.communicate(timeout=max(deadline - time.monotonic(), 0))
        return output

    def _blocking_file(self, deadline: float) -> str | None:
        """A file that git may wait for without end, such as a FIFO; None when none is found."""
        objects = self._repository.common / "objects"
        for top in (self.root, str(objects)):
            for folder, folders, names in os.walk(top):
                if time.monotonic() > deadline:
                    return None
                if ".git" in folders:
                    folders.remove(".git")
                read = names if top != self.root else _READ_IN_WORK_TREE.intersection(names)
                for name in read:
                    path = f"{folder}{os.sep}{name}"
                    with contextlib.suppress(OSError):
                        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
                            return path
        return None

    def _environment(self, *, alternates: bool, user_settings: bool) -> dict[str, str]:
        home = str(self._home)
        objects = self._repository.common / "objects"
        return {
            **dict.fromkeys((name for name in os.environ if name.startswith("GIT_TRACE")), "0"),
            **_ENVIRONMENT,
            **({} if user_settings else _NO_USER_SETTINGS),
            "GIT_DIR": home,
            "GIT_COMMON_DIR": home,
            "GIT_INDEX_FILE": str(self._home / "index"),
            "GIT_OBJECT_DIRECTORY": str(self._home / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects) if alternates else "",
        }

    def _prepare(self) -> None:
        for name in ("objects/info", "objects/pack", "refs", "info"):
            (self._home / name).mkdir(parents=True)
        repository = self._repository
        own = self._settings_of(repository.common / "config")
        if _is_true(own, "extensions.worktreeconfig"):
            own |= self._settings_of(repository.folder / "config.worktree")
        if _is_true(own, "core.bare") and repository.folder == repository.common:
            raise GitFailed(f"{self.root} has a bare repository, without files")
        if own.get("extensions.objectformat") == "sha256":
            self.hash_name = "sha256"
        (self._home / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        (self._home / "config").write_text(_CONFIG.format(self.hash_name), encoding="utf-8")
        settings = _settings(self._raw("config", "-z", "--list", user_settings=True)) | own
        self._options = [
            f"{key}={value}"
            for key, value in settings.items()
            if key in _KEPT_SETTINGS and not self._names_no_file(key, value)
        ]
        keys = ("index.sparse", "core.sparsecheckout")
        self._sparse = all(_is_true(settings, key) for key in keys)

    def _settings_of(self, file: Path) -> dict[str, str]:
        """The settings in a file, without those that it includes from others."""
        copy = self._home / "settings"
        if not _copy(file, copy):
            return {}
        try:
            listed = self._raw("config", "--file", str(copy), "--no-includes", "-z", "--list")
        except GitFailed as error:
            raise GitFailed(str(error).replace(str(copy), str(file))) from error
        return _settings(listed)

    def _names_no_file(self, key: str, value: str) -> bool:
        """Whether a setting names something that git could not read to its end, such as a FIFO."""
        if key not in {"core.excludesfile", "core.attributesfile"} or not value:
            return False
        path = Path(self.root, os.path.expanduser(value))  # noqa: PTH111  (it never raises)
        try:
            return not stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError):
            return False


def _settings(listed: bytes) -> dict[str, str]:
    """Settings by their names; one without a value means true."""
    parts = [os.fsdecode(record).partition("\n") for record in listed.split(b"\0")[:-1]]
    return {key: value if separator else "true" for key, separator, value in parts}


def _number(digits: bytes) -> int:
    """Lines as git prints them: a binary file has none."""
    return 0 if digits == b"-" else int(digits)


def _is_true(settings: dict[str, str], key: str) -> bool:
    return settings.get(key, "false").lower() in {"true", "yes", "on", "1"}


def _quoted(path: Path) -> str:
    """A path as git unquotes it, so that it may hold the character that separates paths."""
    escaped = path.as_posix().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _check_alternates(objects: Path) -> None:
    """Raise GitFailed where git would wait for a list of other repositories' objects, or for long.

    It reads that of the repository, and those of the repositories that this names.
    """
    folders = {objects}
    waiting = [(objects, 0)]
    while waiting:
        folder, depth = waiting.pop()
        file = folder / "info" / "alternates"
        try:
            lines = read_small(str(file), _ALTERNATES_BYTES).splitlines()
        except (NotRegularFile, TooLarge) as error:
            raise GitFailed(f"git can't read the list of objects: {error}") from error
        except (OSError, ValueError):  # which git leaves out, too
            continue
        named = {folder / os.fsdecode(line.strip(b'"')) for line in lines if line[:1] != b"#"}
        if depth < _ALTERNATES_DEPTH:
            waiting += [(other, depth + 1) for other in named - folders]
            folders |= named


def _copy(source: Path, target: Path) -> bool:
    """Copy a regular file with its time; False, and no target, when there is none.

    The time of the index must be kept: git trusts its entry for a file only if the index is
    newer than the file. Raises OSError, GitFailed when the file is too large.
    """
    try:
        file = open_regular(str(source))
    except (FileNotFoundError, NotADirectoryError, NotRegularFile):
        target.unlink(missing_ok=True)
        return False
    with file, target.open("wb") as copy:
        status = os.fstat(file.fileno())
        if status.st_size > _COPIED_BYTES:
            raise GitFailed(f"{source} is larger than {_COPIED_BYTES:,} bytes")
        shutil.copyfileobj(file, copy, 1 << 20)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return True
