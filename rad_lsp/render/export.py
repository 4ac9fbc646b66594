"""Sessions as JSON, NDJSON, CSV and Markdown, piece by piece: memory does not grow with them."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp import service, wire
from rad_lsp.core import report
from rad_lsp.core.errors import SessionUnreadable
from rad_lsp.render import answers, layout, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from rad_lsp.core.session import Session, Usage

_FORMULA: Final = re.compile(
    r"""(?:^|(?<=[;|\t\r\n]))(?=[ "]*[=+\-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"""
    r"""\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}])"""
)
"""Where what begins would be taken for a formula, and run, by a spreadsheet.

Not only at the beginning of a cell: where the list separator is a semicolon or a tab, quotes in the
middle of a line mean nothing, and cells begin behind each of these characters.
"""

_PLACE: Final = ("project", "branch")
"""The last columns; a cell is empty where that is not known."""

_ROWS: Final = 100
"""Rows of CSV in one piece."""


def chunks(
    sessions: Iterable[Session],
    kind: wire.Format,
    now: datetime,
    *,
    single: bool,
    left_out: Callable[[SessionUnreadable], None],
    per_model: bool = False,
    zone: tzinfo | None = None,
) -> Iterator[bytes]:
    """An export piece by piece. With `single`, of exactly one session.

    Markdown has its start and end in `zone`, or in local time when that is None.

    A report that was deleted or damaged after it was listed is left out, and `left_out` is called
    with the error. With `single`, SessionUnreadable is raised instead.
    """
    if kind == "json":
        return map(json_one, sessions) if single else json(_stored(sessions, left_out))
    if kind == "ndjson":
        return ndjson(_stored(sessions, left_out))
    if kind == "markdown":
        pages = (markdown.session(session, now, zone=zone) for session in sessions)
        return (page.encode("utf-8") for page in (pages if single else markdown.history(sessions)))
    return csv_models(sessions, now) if per_model else csv_sessions(sessions, now)


def json(reports: Iterable[bytes]) -> Iterator[bytes]:
    """An array of reports, their values unchanged."""
    separator = b"[\n"
    for data in reports:
        yield separator
        yield report.reformat(data)
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def json_one(session: Session) -> bytes:
    """One report as `service.stored` has it. Raises SessionUnreadable."""
    return report.reformat(service.stored(session)) + b"\n"


def ndjson(reports: Iterable[bytes]) -> Iterator[bytes]:
    """Reports, their values unchanged, one per line."""
    for data in reports:
        yield report.reformat(data, indent=-1)
        yield b"\n"


def csv_sessions(sessions: Iterable[Session], now: datetime) -> Iterator[bytes]:
    """A row per session: the fields of `wire.SessionRow`, the models' names, and the place."""
    header = [*wire.SessionRow.__struct_fields__, "models", *_PLACE]

    def row(session: Session) -> list[Any]:
        figures = msgspec.structs.astuple(answers.row(session, now))
        models = ";".join(model.name for model in session.models)
        return [*figures, models, session.project, session.branch]

    return csv_table(header, map(row, sessions))


def csv_models(sessions: Iterable[Session], now: datetime) -> Iterator[bytes]:
    """A row per session and model."""
    shared = ["session_id", "source", "start_time", "end_time", "last_activity", "running"]
    columns = [figure.name for figure in layout.USAGE]
    header = [*shared, "model", *columns, *_PLACE]

    def row(session: Session, model: Usage) -> list[Any]:
        figures = answers.row(session, now)
        usage = [getattr(model, name) for name in columns]
        place = (session.project, session.branch)
        return [*(getattr(figures, name) for name in shared), model.name, *usage, *place]

    return csv_table(
        header, (row(session, model) for session in sessions for model in session.models)
    )


def _stored(
    sessions: Iterable[Session], left_out: Callable[[SessionUnreadable], None]
) -> Iterator[bytes]:
    for session in sessions:
        try:
            yield service.stored(session)
        except SessionUnreadable as error:
            left_out(error)


def csv_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """A table as CSV by RFC 4180: commas, quotes where needed, CRLF."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows, 1):
        writer.writerow(map(_cell, row))
        if number % _ROWS == 0:
            yield buffer.getvalue().encode("utf-8")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return _FORMULA.sub("'", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return "" if value is None else value
