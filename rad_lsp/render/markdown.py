"""Answers as Markdown: exports, hovers, tooltips and an editor's documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rad_lsp.core import comparison as comparisons
from rad_lsp.core import figures, wording
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.core.wording import NO_HISTORY, NOT_AVAILABLE, count, money, percent, printable
from rad_lsp.render.text import saved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import Savings
    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import StatusFigures

_VERDICTS = {"improved": "✓ improved", "regressed": "✗ regressed", "changed": "", "unchanged": ""}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def escape(text: str) -> str:
    """Text from a file as Markdown shows it literally, on one line."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def plain(text: str) -> str:
    """Short Markdown of ours as it reads without marks, for clients that show none."""
    without = re.sub(r"\\(.)|\*+", lambda found: found[1] or "", text)
    return without.replace("  \n", "\n")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], aligns: str) -> str:
    """Cells as a table; `aligns` has `<` or `>` for each column."""
    rule = ["---:" if align == ">" else "---" for align in aligns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def session(found: Session, now: datetime, *, savings: Savings = UNKNOWN) -> str:
    """One session in full."""
    api, tool = percent(figures.api_share(found)), percent(figures.tool_share(found))
    state = wording.state(figures.state(found, now))
    rows = [
        ("Cost", money(found.cost)),
        (
            "Tool calls",
            (
                f"{count(found.tool_calls)} (✓ {count(found.successful_tool_calls)}, "
                f"✗ {count(found.failed_tool_calls)})"
            ),
        ),
        ("Success rate", percent(figures.success_rate(found))),
        (
            "Code changes",
            wording.changes(found.lines_added, found.lines_removed, found.files_changed),
        ),
        ("Wall time", wording.duration(found.wall_time) + state),
        ("Agent active", wording.duration(found.agent_active_time)),
        ("API time", f"{wording.duration(found.api_time)} ({api})"),
        ("Tool time", f"{wording.duration(found.tool_time)} ({tool})"),
    ]
    if found.approvals_allowed or found.approvals_denied or found.approvals_asked:
        rows.append(
            (
                "Approvals",
                (
                    f"{count(found.approvals_allowed)} allowed, {count(found.approvals_denied)} "
                    f"denied, {count(found.approvals_asked)} asked"
                ),
            )
        )
    if figures.has_cache(found):
        rows += [
            ("Cache hit rate", percent(figures.cache_hit_rate(found))),
            ("Cached tokens", count(found.cached_tokens)),
            (
                "Cache created / read",
                f"{count(found.cache_creation_tokens)} / {count(figures.cache_read_tokens(found))}",
            ),
            ("Cache savings", escape(saved(savings))),
        ]
    parts = [f"## Session {escape(found.id)}", table(["", ""], rows, "<>")]
    if found.models:
        parts.append(_usage("Model", found.models))
    if found.engines:
        parts.append(_usage("Engine", found.engines))
    if found.problems:
        parts.append(
            "\n".join(f"- {_mark(problem)} {escape(problem.message)}" for problem in found.problems)
        )
    return "\n\n".join(parts) + "\n"


def usage(found: UsageTable, session_id: str | None = None) -> str:
    """Usage per model or engine, of one session or of all, with their total."""
    if not found.sessions:
        return NO_HISTORY
    what = found.kind.capitalize()
    if session_id is None:
        of = wording.counted(found.sessions, "session")
    else:
        of = f"session {escape(session_id)}"
    unpriced = wording.unpriced(found.rows)
    note = f"\n{escape(unpriced)}.\n" if unpriced else ""
    return f"## {what} usage of {of}\n\n{_usage(what, found.rows, found.total)}\n{note}"


def history(sessions: Iterable[Session]) -> Iterable[str]:
    """The table of sessions, line by line."""
    yield "| Session ID | Duration | Tool Calls | Success Rate | Cost |\n"
    yield "| --- | ---: | ---: | ---: | ---: |\n"
    for found in sessions:
        row = [
            escape(found.id),
            wording.short_duration(found.wall_time),
            str(found.tool_calls),
            percent(figures.success_rate(found)),
            money(found.cost),
        ]
        yield f"| {' | '.join(row)} |\n"


def comparison(found: Comparison) -> str:
    """Session B measured against session A, a row per figure."""
    rows = [
        (
            metric.label,
            _value(metric, metric.a),
            _value(metric, metric.b),
            _difference(metric),
            _VERDICTS[metric.verdict],
        )
        for metric in found.metrics
    ]
    return "\n\n".join(
        [
            "## Session comparison",
            f"A: {escape(found.a.id)}  \nB: {escape(found.b.id)}",
            table(["", "A", "B", "Change", ""], rows, "<>>><"),
            "",
        ]
    )


def tooltip(
    found: StatusFigures, now: datetime, links: str = "", *, savings: Savings = UNKNOWN
) -> str:
    """What a status bar shows when pointed at; `links` are those to what can be done."""
    session = found.session
    parts: list[str] = []
    if session is None:
        parts.append("No sessions yet.")
    else:
        state = wording.state(figures.state(session, now))
        changes = wording.changes(session.lines_added, session.lines_removed)
        today = wording.counted(found.today.sessions, "session")
        every = wording.counted(found.totals.sessions, "session")
        parts += [
            f"**Session {escape(wording.short_id(session.id))}**{state}",
            (
                f"{money(session.cost)} · {percent(figures.success_rate(session))} of "
                f"{count(session.tool_calls)} tool calls · "
                f"{wording.short_duration(session.wall_time)} · {changes}"
            ),
            (
                f"Today: {money(found.today.cost)} in {today}  \n"
                f"All: {money(found.totals.cost)} in {every}, "
                f"{percent(found.totals.success_rate)} of "
                f"{count(found.totals.tool_calls)} tool calls"
            ),
        ]
        if figures.has_cache(session):
            created = count(session.cache_creation_tokens)
            read = count(figures.cache_read_tokens(session))
            parts.append(
                f"Cache: {percent(figures.cache_hit_rate(session))} hit rate, {created} created, "
                f"{read} read, {escape(saved(savings))} saved"
            )
        parts += [f"{_mark(problem)} {escape(problem.message)}" for problem in session.problems]
    parts += [
        f"⚠ The {passed.name}'s budget of {money(passed.limit)} is passed: {money(passed.spent)}"
        for passed in found.passed
    ]
    if found.skipped:
        parts.append(f"⚠ {wording.counted(found.skipped, 'file')} skipped: see `rad doctor`")
    if links:
        parts.append(links)
    return "\n\n".join(parts)


def _mark(problem: Problem) -> str:
    return "Note:" if problem.severity == "information" else "⚠"


def _value(metric: Metric, value: float | None) -> str:
    if value is None:
        return NOT_AVAILABLE
    if metric.unit == "percent":
        return percent(value)
    if metric.unit == "USD":
        return money(value)
    if metric.unit == "nanoseconds":
        return wording.duration(int(value))
    return count(int(value))


def _difference(metric: Metric) -> str:
    if metric.delta is None:
        return NOT_AVAILABLE
    if metric.verdict == "unchanged":
        return "="
    if metric.unit == "percent":
        points = comparisons.printed_difference(metric.a, metric.b)
        return wording.signed_percent(points).replace("%", " points")
    value = _value(metric, abs(metric.delta))
    sign = "-" if metric.delta < 0 else "+"
    return f"{sign}{value} ({wording.signed_percent(metric.percent)})"


def _usage(title: str, rows: Sequence[Usage], total: Usage | None = None) -> str:
    header = [title, "Requests", "Input tokens", "Output tokens", "Cached tokens", "Cost"]
    listed = [_usage_row(escape(row.name), row) for row in rows]
    if total is not None:
        listed.append(_usage_row("**Total**", total))
    return table(header, listed, "<>>>>>")


def _usage_row(name: str, row: Usage) -> list[str]:
    tokens = row.input_tokens, row.output_tokens, row.cached_tokens
    return [name, count(row.requests), *map(count, tokens), money(row.cost)]
