"""Answers as Markdown: exports, hovers, tooltips and an editor's documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rad_lsp.core import advice, figures, wording
from rad_lsp.core.comparison import printed_difference
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.core.wording import NO_HISTORY, NOT_AVAILABLE, count, money, percent, printable
from rad_lsp.render import layout, notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import Savings
    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import StatusFigures

_VERDICTS = {"improved": "✓ improved", "regressed": "✗ regressed", "changed": "", "unchanged": ""}
_WARNINGS = 5
"""How many warnings of a session a tooltip has."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def escape(text: str) -> str:
    """Text from a file, escaped so that Markdown shows it literally and on one line."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def plain(text: str) -> str:
    """Short Markdown as plain text, for clients that do not show Markdown."""
    without = re.sub(r"\\(.)|\*+", lambda found: found[1] or "", text)
    return without.replace("  \n", "\n")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], aligns: str) -> str:
    """A table of cells; `aligns` has `<` (left) or `>` (right) for each column."""
    rule = ["---:" if align == ">" else "---" for align in aligns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def below(note: str) -> str:
    """A note as the paragraph below a table; empty where there is none."""
    return f"\n{escape(note)}.\n" if note else ""


def session(
    session: Session,
    now: datetime,
    *,
    name: str = "",
    savings: Savings = UNKNOWN,
    zone: tzinfo | None = None,
) -> str:
    """One session in full, under its label as its `name`, else under its id.

    `zone` is that of its start and end; local time when it is None.
    """
    tool_calls, total = layout.line("tool_calls", session)
    outcomes = ", ".join(layout.outcomes(session)).replace("x", "✗")
    lines = [
        *([("Session ID", printable(session.id))] if name else []),
        layout.line("cost", session),
        (tool_calls, f"{total} ({outcomes})"),
        *layout.results(session),
        *layout.times(session, now),
        *layout.dates(session, zone),
        *layout.approvals(session),
        *layout.cache(session, savings),
        *layout.others(session),
    ]
    rows = [(label, escape(value)) for label, value in lines]
    heading = escape(name) or f"Session {escape(session.id)}"
    parts = [f"## {heading}", table(["", ""], rows, "<>")]
    if session.models:
        parts.append(_usage("Model", session.models))
    if session.engines:
        parts.append(_usage("Engine", session.engines))
    if note := notes.of_session(session):
        parts.append(f"{escape(note)}.")
    if others := [problem for problem in session.problems if problem.code not in notes.TOLD]:
        parts.append("\n".join(f"- {_warning(problem)}" for problem in others))
    return "\n\n".join(parts) + "\n"


def usage(usages: UsageTable, name: str | None = None) -> str:
    """Usage per model or engine, of the session of that name or of all, with their total."""
    if not usages.sessions:
        return NO_HISTORY
    kind = usages.kind.capitalize()
    scope = wording.counted(usages.sessions, "session") if name is None else escape(name)
    body = f"{_usage(kind, usages.rows, usages.total)}\n{below(notes.of_usage(usages))}"
    return f"## {kind} usage of {scope}\n\n{body}"


def history(sessions: Iterable[Session]) -> Iterator[str]:
    """The table of sessions, line by line."""
    shown = notes.Notes()
    yield table(layout.HISTORY, [], "<>>>>") + "\n"
    for session in sessions:
        shown.session(session)
        yield f"| {' | '.join([escape(session.id), *layout.history_cells(session)])} |\n"
    yield below(shown.line)


def comparison(comparison: Comparison, names: Sequence[str] = ()) -> str:
    """Session B measured against session A, a row per figure; they have `names`, else their ids."""
    rows = []
    for metric in comparison.metrics:
        figure = metric.figure
        a, b = (wording.reading(figure, session) for session in (comparison.a, comparison.b))
        rows.append((figure.label, a, b, _difference(metric), _VERDICTS[metric.verdict]))
    a, b = map(escape, names or (comparison.a.id, comparison.b.id))
    body = table(["", "A", "B", "Change", ""], rows, "<>>><")
    said = [notes.of_sessions([comparison.a, comparison.b]), *comparison.notes]
    return f"## Session comparison\n\nA: {a}  \nB: {b}\n\n{body}\n\n{''.join(map(below, said))}"


def tooltip(
    status: StatusFigures,
    now: datetime,
    links: str = "",
    *,
    name: str = "",
    savings: Savings = UNKNOWN,
    origins: Sequence[str] = (),
    folder: str = "",
) -> str:
    """The tooltip of a status bar, which names the `folder` that it is about if that is given.

    `links` is Markdown with the actions it offers. `name` is the session's label; without it, its
    id is shown. `origins` tell what set which settings.
    """
    parts = [f"Folder: {escape(printable(folder))}"] if folder else []
    parts += _sessions(status, now, name, savings)
    parts += [f"⚠ {escape(wording.passed(passed))}" for passed in status.passed]
    if status.skipped:
        parts.append(f"⚠ {wording.counted(status.skipped, 'file')} skipped: {advice.SEE_SKIPPED}")
    if origins:
        parts.append("  \n".join(["Settings from", *map(escape, origins)]))
    if links:
        parts.append(links)
    return "\n\n".join(parts)


def _sessions(status: StatusFigures, now: datetime, name: str, savings: Savings) -> list[str]:
    """The paragraphs of the tooltip about the most recent session, and about all sessions."""
    session = status.session
    if session is None:
        return ["No sessions yet."]
    changes = wording.changes(session.lines_added, session.lines_removed)
    rate = figures.success_rate(session)
    succeeded = _succeeded(rate, session.tool_calls, session.unknown_tool_calls)
    totals = status.totals
    today = wording.counted(status.today.sessions, "session")
    every = wording.counted(totals.sessions, "session")
    parts = [
        f"**{escape(name or wording.short_id(session.id))}**{layout.state(session, now)}",
        (
            f"{money(session.money)} · {succeeded} · "
            f"{wording.short_duration(session.wall_time)} · {changes}"
        ),
        (
            f"Today: {money(status.today.money)} in {today}  \n"
            f"All: {money(totals.money)} in {every}, "
            f"{_succeeded(totals.success_rate, totals.tool_calls, totals.unknown_tool_calls)}"
        ),
    ]
    if figures.has_cache(session):
        created = count(session.cache_creation_tokens)
        read = count(figures.cache_read_tokens(session))
        parts.append(
            f"Cache: {percent(figures.cache_hit_rate(session))} hit rate, {created} created, "
            f"{read} read, {escape(wording.saved(savings))} saved"
        )
    parts += [_warning(problem) for problem in session.problems[:_WARNINGS]]
    more = len(session.problems) - _WARNINGS
    return [*parts, f"… and {more:,} more: {advice.SEE_SESSION}"] if more > 0 else parts


def _succeeded(rate: float | None, calls: int, unknown: int) -> str:
    """`92.6% of 231 tool calls`, or `100.0% of 7 known, 9 tool calls`."""
    if not unknown:
        return f"{percent(rate)} of {count(calls)} tool calls"
    return f"{wording.of_known(percent(rate), calls - unknown)}, {count(calls)} tool calls"


def _warning(problem: Problem) -> str:
    mark = "Note:" if problem.severity == "information" else "⚠"
    return f"{mark} {escape(problem.message)}"


def _difference(metric: Metric) -> str:
    if metric.delta is None:
        return NOT_AVAILABLE
    if metric.verdict == "unchanged":
        return "="
    if metric.figure.unit == "percent":
        points = printed_difference(metric.a, metric.b)
        return wording.signed_percent(points).replace("%", " points")
    sign = "-" if metric.delta < 0 else "+"
    value = wording.quantity(abs(metric.delta), metric.figure.unit)
    percent = wording.signed_percent(metric.percent)
    return f"{sign}{value} ({percent}){layout.PARTIAL * metric.partial}"


def _usage(title: str, rows: Sequence[Usage], total: Usage | None = None) -> str:
    header = [title, *(figure.label for figure in layout.USAGE)]
    cells = [[escape(layout.usage_name(row)), *layout.usage_cells(row)] for row in rows]
    if total is not None:
        cells.append(["**Total**", *layout.usage_cells(total)])
    return table(header, cells, "<>>>>>")
