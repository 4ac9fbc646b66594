"""Sessions of Radium, and those we track ourselves: reports in `.radium/_internals/sessions/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from rad_lsp import places
from rad_lsp.core import contradictions, figures, problems, tool_calls
from rad_lsp.core.problems import Problem
from rad_lsp.core.spending import SLOT_MS, SLOT_SECONDS, Request
from rad_lsp.core.transcript import RequestRecord, ToolRecord
from rad_lsp.sources import RADIUM, Parser, Progress, Source, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.core.session import Session

SUFFIX: Final = ".json"
FOLDER: Final = Path(".radium", "_internals", "sessions")
"""Where the reports lie below a workspace. Its subfolders hold other things."""

_MOST_WARNINGS: Final = 100
"""Of those that a report has; ours have fewer."""
_LEADS_OUT: Final = Problem(
    problems.LINK, "It is a link that leads out of the workspace: it is not followed"
)

_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_ROUNDING: Final = 1e-9
"""USD that a sum may differ by, because amounts are no decimal numbers."""


class Radium(Source):
    """The reports of one workspace."""

    name: ClassVar[str] = RADIUM
    label: ClassVar[str] = "Radium"
    keeps_deleted: ClassVar[bool] = False
    is_flat: ClassVar[bool] = True

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.folders: tuple[Path, ...] = (workspace / FOLDER,)
        above = list(FOLDER.parents)[:-1]
        self._may_be_links = [str(workspace / folder) for folder in (*above, FOLDER)]

    def paths(self) -> Iterator[str]:
        """Every `*.json` directly in the folder; none when that is missing.

        The folder itself where a link leads to one outside the workspace. Raises OSError when the
        folder can't be read.
        """
        (folder,) = self.folders
        if self.refuses(str(folder)):
            yield str(folder)
            return
        try:
            names = os.listdir(folder)  # noqa: PTH208  (a Path each would slow a scan)
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from [f"{folder}{os.sep}{name}" for name in names if name.endswith(SUFFIX)]

    def stands_alone(self, path: str) -> bool:
        """Whether it is a `*.json` directly in the folder."""
        folder, _, name = path.rpartition(os.sep)
        return folder == str(self.folders[0]) and name.endswith(SUFFIX)

    def by_line(self, path: str) -> bool:  # noqa: ARG002
        """Never: a report is replaced as a whole."""
        return False

    def refuses(self, path: str) -> Problem | None:
        """The problem of a link that leads out: another workspace's reports are none of this."""
        # Where each really is takes as long to find out as to read it. Windows has other links.
        if os.name != "nt" and not any(map(os.path.islink, (*self._may_be_links, path))):
            return None
        return _LEADS_OUT if places.outside(path, self.workspace) else None

    def parser(self, path: str, state: bytes | None = None) -> ReportParser:  # noqa: ARG002
        """A parser for a report."""
        return ReportParser(path)


class ReportParser(Parser):
    """Reads a report: a session as a whole, and its sums as requests and tool calls."""

    def __init__(self, path: str) -> None:
        super().__init__(State(Progress()))
        self._path = path

    def feed(self, data: bytes) -> None:
        """Read the report. Raises nothing, whatever the bytes."""
        self.report = parse(self._path, data)
        if not isinstance(self.report, Problem):
            self.requests = {
                ("", str(number)): RequestRecord(
                    "", self.report.id, request, str(number), billed=billed, is_sum=True
                )
                for number, (request, billed) in enumerate(_requests(self.report))
            }
            self.tools = dict(enumerate(_tools(self.report)))

    def state(self) -> bytes:
        """Nothing: a report is always read from its beginning."""
        return b""


def is_report(path: str) -> bool:
    """Whether a path is that of a report: a `*.json` directly in a sessions folder."""
    place = Path(path)
    return place.name.endswith(SUFFIX) and place.parent.parts[-len(FOLDER.parts) :] == FOLDER.parts


def refusal(path: str) -> Problem | None:
    """Why a report is not read although it is there; None of a file that is no report."""
    return Radium(Path(path).parents[len(FOLDER.parts)]).refuses(path) if is_report(path) else None


def parse(path: str, data: bytes) -> Session | Problem:
    """The session in `data`, the content that the report at `path` has or is to have."""
    from rad_lsp.core import report  # where nothing is new, no report is read

    stored = report.read(data)
    if isinstance(stored, Problem):
        return stored
    session = report.session_of(stored, RADIUM, path)
    stem = path.rpartition(os.sep)[2].removesuffix(SUFFIX)  # a Path is slow
    found = contradictions.find(session, stem)
    warnings = found + _warnings(stored.metrics.warnings or (), found)
    return msgspec.structs.replace(session, problems=warnings) if warnings else session


def _requests(session: Session) -> Iterator[tuple[Request, bool]]:
    """The report's requests by model and slot, or by model at its last activity.

    With each, whether its cost is known. A report's cost need not be the sum of its models'; the
    difference is of no model.
    """
    from rad_lsp.core.cost import rows_of

    rows = rows_of(session)
    for row in rows:
        request = Request(
            time=row.slot * SLOT_MS,
            model=row.model,
            engine=row.engine,
            tier=row.tier,
            tokens=row.tokens,
            cost=row.cost,
            requests=row.requests,
        )
        yield request, row.cost is not None
    rest = (session.cost or 0.0) - sum([row.cost or 0.0 for row in rows])
    if abs(rest) > _ROUNDING:
        yield Request(time=_last(session), model="", cost=rest, requests=0), True


def _last(session: Session) -> int:
    """The last activity, in milliseconds since the epoch."""
    return int(figures.last_activity(session).timestamp() * 1000)


def _tools(session: Session) -> Iterator[ToolRecord]:
    """The report's tool calls by slot, name and outcome.

    Those that it does not name have no name, and count at its last activity; so do all of them
    where those that it names contradict its totals.
    """
    last = _last(session)
    first = int(session.start_time.timestamp()) // SLOT_SECONDS
    left = tool_calls.outcomes(session)
    for row in session.calls_by_tool if tool_calls.excess(session) is None else ():
        start = min(max(row.slot, first) * SLOT_MS, last)
        duration: int | None = row.duration // _NANOSECONDS
        for outcome in left:
            if calls := getattr(row, outcome, 0):
                left[outcome] -= calls
                yield ToolRecord(session.id, row.name, start, duration, outcome, calls, is_sum=True)
                duration = None  # it is that of the whole row
    for outcome, calls in left.items():
        if calls:
            yield ToolRecord(session.id, "", last, None, outcome, calls, is_sum=True)


def _warnings(sentences: Iterable[str], known: Iterable[Problem]) -> tuple[Problem, ...]:
    """What a report says of itself, but for what is seen from its figures, too."""
    path = ("metrics", "warnings")
    said = {problem.message for problem in known}
    new = [sentence for sentence in sentences if sentence not in said]
    if len(new) > _MOST_WARNINGS:
        new[_MOST_WARNINGS:] = [f"The report has {len(new) - _MOST_WARNINGS:,} more warnings"]
    return tuple(Problem(problems.INCOMPLETE, sentence, "information", path) for sentence in new)


AGENT: Final = Radium
