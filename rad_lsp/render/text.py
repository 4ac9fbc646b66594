"""Answers as plain text: what `rad stats` prints, column for column as Radium's manual has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from rad_lsp.core import comparison as comparisons
from rad_lsp.core import figures, wording
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.core.wording import NO_HISTORY, count, money, percent, printable, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import Savings
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import Page

Role: TypeAlias = Literal["title", "good", "bad"]
Paint: TypeAlias = "Callable[[Role, str], str]"

Align: TypeAlias = Literal["<", ">"]

_LABEL = 28
"""Width of the label column in a session's block."""


def plain(_role: Role, text: str) -> str:
    """Text without colour."""
    return text


def session(
    found: Session, now: datetime, paint: Paint = plain, *, savings: Savings = UNKNOWN
) -> str:
    """One session: the manual's block, and below it what else there is to say."""
    good = paint("good", f"✓ {found.successful_tool_calls}")
    bad = paint("bad", f"x {found.failed_tool_calls}")
    api = f"{wording.duration(found.api_time)}{_share(figures.api_share(found))}"
    wall = wording.duration(found.wall_time) + wording.state(figures.state(found, now))
    tool = f"{wording.duration(found.tool_time)}{_share(figures.tool_share(found))}"
    lines = [
        paint("title", "Interaction Summary"),
        field("Session ID", printable(found.id)),
        field("Tool Calls", f"{found.tool_calls} ( {good} {bad} )"),
        field("Success Rate", percent(figures.success_rate(found))),
        field(
            "Code Changes",
            wording.changes(found.lines_added, found.lines_removed, found.files_changed),
        ),
        "",
        paint("title", "Performance"),
        field("Wall Time", wall),
        field("Agent Active", wording.duration(found.agent_active_time)),
        field("  » API Time", api),
        field("  » Tool Time", tool),
        "",
        *_session_models(found.models, paint),
    ]
    if found.approvals_allowed or found.approvals_denied or found.approvals_asked:
        approvals = (
            f"{count(found.approvals_allowed)} allowed, {count(found.approvals_denied)} denied, "
            f"{count(found.approvals_asked)} asked"
        )
        lines += ["", field("Approvals", approvals)]
    if figures.has_cache(found):
        created, read = count(found.cache_creation_tokens), count(figures.cache_read_tokens(found))
        lines += [
            "",
            paint("title", "Cache"),
            field("Hit Rate", percent(figures.cache_hit_rate(found))),
            field("Cached Tokens", count(found.cached_tokens)),
            field("Created / Read", f"{created} / {read}"),
            field("Savings", saved(savings)),
        ]
    return joined(lines)


def usage(found: UsageTable, session_id: str | None = None, paint: Paint = plain) -> str:
    """Usage per model or engine, of one session or of all, with a TOTAL row."""
    if not found.sessions:
        return NO_HISTORY
    what = found.kind.capitalize()
    if session_id is None:
        title = f"Aggregated {what} Usage (All Sessions)"
    else:
        title = f"{what} Usage (Session: {printable(session_id)})"
    header = [what, "Requests", "Input Tokens", "Output Tokens", "Cached Tokens", "Cost"]
    lines, rule = columns(
        [header, *map(_usage_row, found.rows), _usage_row(found.total)],
        aligns="<>>>><",
        widths=[29, 8, 12, 13, 13, 0],
        gap=2,
        rule=92,
    )
    head, *rows, total = lines
    unpriced = wording.unpriced(found.rows)
    notes = ["", unpriced] if unpriced else []
    return joined([paint("title", title), "", head, rule, *rows, rule, total, *notes])


def history(page: Page, paint: Paint = plain) -> str:
    """A page of sessions, newest first."""
    title = paint("title", "Recent Session Summaries")
    return joined([title, "", *history_table(page.sessions, page.sources)])


def history_table(sessions: Sequence[Session], sources: Collection[str] = frozenset()) -> list[str]:
    """The lines of the table of sessions: header, rule, a row each.

    Where there is more than one source, a column tells which.
    """
    rows = [["Session ID", "Duration", "Tool Calls", "Success Rate", "Cost"]]
    rows += map(_history_row, sessions)
    widths, shortest = [26, 18, 12, 14, 0], 85
    if len(sources) > 1:
        names = ["Source", *(session.source for session in sessions)]
        rows = [[name, *row] for name, row in zip(names, rows, strict=True)]
        widths, shortest = [11, *widths], 98
    lines, rule = columns(rows, aligns="<" * len(widths), widths=widths, gap=2, rule=shortest)
    return [lines[0], rule, *lines[1:]]


def _history_row(session: Session) -> list[str]:
    return [
        wording.short_id(session.id),
        wording.short_duration(session.wall_time),
        str(session.tool_calls),
        percent(figures.success_rate(session)),
        money(session.cost),
    ]


def comparison(found: Comparison, paint: Paint = plain) -> str:
    """Session B measured against session A, section by section."""
    a, b = found.a, found.b
    title = "Session Comparison"
    rate = comparisons.printed_difference(figures.success_rate(a), figures.success_rate(b))
    added, removed = found["linesAdded"], found["linesRemoved"]
    sections = [
        (
            "Token Usage",
            [
                f"Session A: {_tokens(a)}",
                f"Session B: {_tokens(b)}",
                f"Delta: {_delta(found['totalTokens'])}",
            ],
        ),
        (
            "Cost",
            [
                f"Session A: {money(a.cost)}",
                f"Session B: {money(b.cost)}",
                f"Delta: {_delta(found['cost'])}",
            ],
        ),
        (
            "Performance",
            [
                f"Wall Time: {_delta(found['wallTime'])}",
                f"Agent Active: {_delta(found['agentActiveTime'])}",
            ],
        ),
        (
            "Tool Calls",
            [
                f"Session A: {a.tool_calls}",
                f"Session B: {b.tool_calls}",
                f"Delta: {_delta(found['toolCalls'])}",
                (
                    f"Success Rate: {percent(figures.success_rate(a))} → "
                    f"{percent(figures.success_rate(b))} ({wording.signed_percent(rate)})"
                ),
            ],
        ),
        (
            "Code Changes",
            [
                f"Session A: {wording.changes(a.lines_added, a.lines_removed)}",
                f"Session B: {wording.changes(b.lines_added, b.lines_removed)}",
                f"Delta: {_amount(added)} / {_amount(removed)}",
            ],
        ),
    ]
    lines = [
        paint("title", title),
        "═" * 19,
        "",
        f"Session A: {printable(a.id)}",
        f"Session B: {printable(b.id)}",
    ]
    for name, body in sections:
        lines += ["", paint("title", name), "─" * len(name), *(f"  {line}" for line in body)]
    return joined(lines)


def line(found: Session) -> str:
    """A session in one line: `$0.1275 · 92.6% · 4h 9m · +505 -208`."""
    return " · ".join(
        [
            money(found.cost),
            percent(figures.success_rate(found)),
            wording.short_duration(found.wall_time),
            wording.changes(found.lines_added, found.lines_removed),
        ]
    )


def brief(found: Session, now: datetime) -> str:
    """A session as an item of a list: `$0.1275 · 92.6% · 4h 9m · gemini-3-pro-preview`."""
    state = wording.state(figures.state(found, now))
    parts = [
        money(found.cost),
        percent(figures.success_rate(found)),
        wording.short_duration(found.wall_time) + state,
        ", ".join(map(printable, figures.model_names(found))),
    ]
    return " · ".join(filter(None, parts))


def saved(savings: Savings) -> str:
    """What the cache saved, and which models' part in it is not known: `$0.0306`."""
    if savings.usd is None or not savings.left_out:
        return money(savings.usd)
    return f"{money(savings.usd)} (without {', '.join(map(printable, savings.left_out))})"


def cells(text: str) -> int:
    """The terminal cells that a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    import wcwidth

    return max(wcwidth.wcswidth(text), 0)


def columns(
    rows: Sequence[Sequence[str]], aligns: str, widths: Sequence[int], gap: int, rule: int
) -> tuple[list[str], str]:
    """Rows in columns at least as wide as `widths`, and the rule as long as the longest row."""
    widths = [
        max(width, *map(cells, column))
        for width, column in zip(widths, zip(*rows, strict=True), strict=True)
    ]
    lines = []
    for row in rows:
        padded = []
        for text, width, align in zip(row, widths, aligns, strict=True):
            space = " " * (width - cells(text))
            padded.append(text + space if align == "<" else space + text)
        lines.append((" " * gap).join(padded).rstrip())
    return lines, "─" * max(rule, *map(cells, lines))


def field(label: str, value: str) -> str:
    """A line of a session's block: a label, and its value in the second column."""
    return f"{label}:".ljust(_LABEL) + value


def joined(lines: Sequence[str]) -> str:
    """Lines as a text that ends in a line feed."""
    return "\n".join(lines) + "\n"


def _session_models(models: Sequence[Usage], paint: Paint) -> list[str]:
    rows = [
        [
            printable(model.name),
            count(model.requests),
            count(model.input_tokens),
            count(model.output_tokens),
        ]
        for model in models
    ]
    header = ["Model Usage", "Reqs", "Input Tokens", "Output Tokens"]
    lines, rule = columns([header, *rows], aligns="<>>>", widths=[27, 4, 13, 13], gap=2, rule=63)
    return [paint("title", "Model Usage") + lines[0].removeprefix("Model Usage"), rule, *lines[1:]]


def _usage_row(row: Usage) -> list[str]:
    return [
        printable(row.name),
        count(row.requests),
        count(row.input_tokens),
        count(row.output_tokens),
        count(row.cached_tokens),
        money(row.cost),
    ]


def _share(value: float | None) -> str:
    return f" ({percent(value)})"


def _tokens(found: Session) -> str:
    return (
        f"{figures.input_tokens(found)} input, {figures.output_tokens(found)} output "
        f"(total: {figures.total_tokens(found)})"
    )


def _delta(metric: Metric) -> str:
    if metric.delta is None:
        return wording.NOT_AVAILABLE
    amount = _amount(metric)
    if amount in {"0", "0s"}:
        return f"{amount} (0.0%)"
    return f"{amount} ({wording.signed_percent(metric.percent)})"


def _amount(metric: Metric) -> str:
    """A metric's delta, signed, as compare prints it: no dollar and no separators."""
    delta = metric.delta or 0
    if metric.unit == "nanoseconds":
        return signed(wording.short_duration(int(delta)))
    return signed(f"{delta:.4f}" if metric.unit == "USD" else str(delta))
