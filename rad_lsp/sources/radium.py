"""Sessions of Radium, and those we track ourselves: reports in `.radium/_internals/sessions/`."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp.core import contradictions, problems
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child, Session, Usage
from rad_lsp.core.spending import QUARTER, Spending
from rad_lsp.sources import RADIUM, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rad_lsp.core import report
    from rad_lsp.core.report import Report

SUFFIX: Final = ".json"
FOLDER: Final = Path(".radium", "_internals", "sessions")
"""Where the reports lie below a workspace. Its subfolders hold other things."""

# Opening a FIFO must not wait for a writer. Windows knows neither flag, but text mode.
OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_FOLDER_FLAGS: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class Radium:
    """The reports of one workspace."""

    name: ClassVar[str] = RADIUM

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER

    def scan(self) -> list[tuple[str, int]]:
        """Name and fingerprint of every `*.json` directly in the folder; none when that is missing.

        Raises OSError when the folder can't be read.
        """
        try:
            with _listed(self.folder) as (listed, look):
                names = [name for name in listed if name.endswith(SUFFIX)]
                # Mapped: a loop takes a third longer. After an error it goes on with the next name.
                looked = map(hash, map(_marks, map(look, names)))
                found: list[int] = []
                while len(found) < len(names):
                    try:
                        found.extend(looked)
                    except OSError:
                        found.append(0)
                return [*zip(names, found, strict=True)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def fingerprint(self, path: str) -> int:
        """A number that changes when the file does; 0 when it can't be had."""
        return fingerprint(path)

    def read(self, path: str) -> Reading | None:
        """The session in a report or what keeps it from being read; None when it is gone."""
        stored = read_bytes(path)
        if stored is None:
            return None
        fingerprint, data = stored
        return Reading(fingerprint, data if isinstance(data, Problem) else parse(path, data))


@contextmanager
def _listed(folder: Path) -> Iterator[tuple[list[str], Callable[[str], os.stat_result]]]:
    """The names in a folder, and what looks at one of them. Raises OSError."""
    if os.stat not in os.supports_dir_fd:  # as on Windows
        yield os.listdir(folder), lambda name: os.stat(f"{folder}{os.sep}{name}")  # noqa: PTH116, PTH208
        return
    # From within the folder, the system need not find the way to it for each of 100,000 files.
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        yield os.listdir(descriptor), partial(os.stat, dir_fd=descriptor)  # noqa: PTH208
    finally:
        os.close(descriptor)


def is_report(path: str) -> bool:
    """Whether a path is that of a report: a `*.json` directly in a sessions folder."""
    place = Path(path)
    return place.name.endswith(SUFFIX) and place.parent.parts[-len(FOLDER.parts) :] == FOLDER.parts


def parse(path: str, data: bytes) -> Session | Problem:
    """The session in `data`, the content that the report at `path` has or is to have."""
    from rad_lsp.core import report  # where nothing is new, no report is read

    found = report.read(data)
    return found if isinstance(found, Problem) else _session(path, found)


def read_bytes(path: str) -> tuple[int, bytes | Problem] | None:
    """A report's fingerprint and its stored bytes, or what keeps them from being read.

    None when the file is gone. Never waits, and never reads more than a report may hold.
    """
    from rad_lsp.core import report

    try:
        descriptor = os.open(path, OPEN_FLAGS)
    except OSError as error:
        return _failed(path, error)
    try:
        status = os.fstat(descriptor)
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            return _fingerprint(status), _not_a_file(status.st_mode)
        if size > report.MAX_BYTES:
            return _fingerprint(status), report.too_large(size)
        data = os.read(descriptor, size + 1)
        # Shorter or longer than it was a moment ago: it is being written in place.
        while len(data) != size and (chunk := os.read(descriptor, 1 << 20)):
            data += chunk
            if len(data) > report.MAX_BYTES:
                return _fingerprint(status), report.too_large(len(data))
    except OSError as error:
        return _failed(path, error)
    finally:
        os.close(descriptor)
    return _fingerprint(status), data


def fingerprint(path: str) -> int:
    """A number that changes when the file does; 0 when it can't be had."""
    try:
        return _fingerprint(os.stat(path))  # noqa: PTH116  (paths are text here)
    except OSError:
        return 0


def _fingerprint(status: os.stat_result) -> int:
    return hash(_marks(status))


_marks = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")


def _failed(path: str, error: OSError) -> tuple[int, Problem] | None:
    if isinstance(error, FileNotFoundError) and not os.path.lexists(path):
        return None
    if isinstance(error, PermissionError):
        if os.path.isdir(path):  # noqa: PTH112  (Path.is_dir may raise; Windows opens no folder)
            return fingerprint(path), _not_a_file(stat.S_IFDIR)
        message = "The file may not be read: permission denied"
        return fingerprint(path), Problem(problems.NO_PERMISSION, message)
    reason = (error.strerror or type(error).__name__).lower()
    return fingerprint(path), Problem(problems.UNREADABLE, f"The file can't be read: {reason}")


def _not_a_file(mode: int) -> Problem:
    kind = (
        "a folder" if stat.S_ISDIR(mode) else "a named pipe" if stat.S_ISFIFO(mode) else "a device"
    )
    return Problem(problems.NOT_A_FILE, f"It is {kind}, not a file")


def _session(path: str, found: Report) -> Session:
    from rad_lsp.core.report import nanoseconds

    metrics = found.metrics
    spending = metrics.spending or ()
    session = Session(
        id=metrics.session_id,
        source=Radium.name,
        path=path,
        start_time=metrics.start_time.astimezone(UTC),
        end_time=metrics.end_time and metrics.end_time.astimezone(UTC),
        generated_at=found.generated_at.astimezone(UTC),
        wall_time=nanoseconds(metrics.wall_time),
        agent_active_time=nanoseconds(metrics.agent_active_time),
        api_time=nanoseconds(metrics.api_time),
        tool_time=nanoseconds(metrics.tool_time),
        tool_calls=metrics.tool_calls,
        successful_tool_calls=metrics.successful_tool_calls,
        failed_tool_calls=metrics.failed_tool_calls,
        approvals_allowed=metrics.tool_approvals_allowed,
        approvals_denied=metrics.tool_approvals_denied,
        approvals_asked=metrics.tool_approvals_asked,
        lines_added=metrics.lines_added,
        lines_removed=metrics.lines_removed,
        files_changed=None if metrics.files_changed is msgspec.UNSET else metrics.files_changed,
        models=_usages(metrics.model_usage, _unpriced(spending, "model")),
        engines=_usages(metrics.engine_usage, _unpriced(spending, "engine")),
        cached_tokens=metrics.total_cached_tokens,
        cache_creation_tokens=metrics.total_cache_creation_tokens,
        cache_read_tokens=metrics.total_cache_read_tokens,
        cost=_known(metrics.total_cost, spending),
        spending=tuple(map(_spending, spending)),
        children=tuple(
            Child(child.source, child.session_id) for child in metrics.child_sessions or ()
        ),
    )
    stem = path.rpartition(os.sep)[2].removesuffix(SUFFIX)  # a Path is slow
    found_out = contradictions.find(session, stem)
    warnings = found_out + _warnings(metrics.warnings or (), found_out)
    return msgspec.structs.replace(session, problems=warnings) if warnings else session


def _spending(row: report.Spending) -> Spending:
    return Spending(
        int(row.start.timestamp()) // QUARTER,
        row.model,
        row.engine,
        row.tier,
        row.above,
        row.requests,
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.output_tokens,
        row.cost,
        row.reported,
    )


def _unpriced(rows: Iterable[report.Spending], field: str) -> dict[str, int]:
    """Requests without a known price, by model or engine. A report itself can't tell: it has 0."""
    found: dict[str, int] = {}
    for row in rows:
        if row.cost is None:
            name = getattr(row, field)
            found[name] = found.get(name, 0) + row.requests
    return found


def _known(cost: float, rows: Sequence[report.Spending]) -> float | None:
    """A report's cost; None where no price is known of any request behind it."""
    return None if rows and all(row.cost is None for row in rows) else cost


def _warnings(sentences: Iterable[str], known: Iterable[Problem]) -> tuple[Problem, ...]:
    """What a report says of itself, but for what is seen from its figures, too."""
    path = ("metrics", "warnings")
    said = {problem.message for problem in known}
    return tuple(
        Problem(problems.INCOMPLETE, sentence, "information", path)
        for sentence in sentences
        if sentence not in said
    )


def _usages(stored: dict[str, report.Usage], unpriced: dict[str, int]) -> tuple[Usage, ...]:
    """Usage per name, in the names' order: the stored order is random."""
    usages = []
    for name in sorted(stored) if len(stored) > 1 else stored:
        u = stored[name]
        usages.append(
            Usage(
                name,
                u.requests,
                u.input_tokens,
                u.output_tokens,
                u.cached_tokens,
                None if unpriced and unpriced.get(name) == u.requests else u.estimated_cost,
                unpriced.get(name, 0) if unpriced else 0,
            )
        )
    return tuple(usages)
