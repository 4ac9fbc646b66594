"""Answers as plain text: what `rad stats` prints, laid out as in Radium's manual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from rad_lsp.core import advice, figures, wording
from rad_lsp.core.comparison import printed_difference
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.core.wording import NO_HISTORY, money, printable, signed
from rad_lsp.render import layout, notes
from rad_lsp.render.table import Column, laid_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import Savings
    from rad_lsp.core.session import Session, Usage
    from rad_lsp.core.usage import UsageTable

Role: TypeAlias = Literal["title", "good", "bad"]
Paint: TypeAlias = "Callable[[Role, str], str]"

_LABEL = 28
"""Width of the label column in a session's block."""


def plain(_role: Role, text: str) -> str:
    """Text without colour."""
    return text


def session(
    session: Session,
    now: datetime,
    paint: Paint = plain,
    *,
    savings: Savings = UNKNOWN,
    zone: tzinfo | None = None,
    width: int | None = None,
) -> str:
    """One session: the manual's block, followed by what the manual does not show.

    `zone` is that of its start and end; local time when it is None. `width` is the number of cells
    of a line; None is without limit.
    """
    succeeded, failed, *unknown = layout.outcomes(session)
    outcomes = " ".join([paint("good", succeeded), paint("bad", failed), *unknown])
    wall, active, *parts = layout.times(session, now)
    lines = [
        paint("title", "Interaction Summary"),
        field("Session ID", printable(session.id)),
        field("Tool Calls", f"{session.tool_calls} ( {outcomes} )"),
        *_fields(layout.results(session)),
        "",
        paint("title", "Performance"),
        *_fields([wall, active]),
        *(field(f"  » {title(label)}", value) for label, value in parts),
        "",
        *_session_models(session.models, paint, width),
    ]
    if approvals := layout.approvals(session):
        lines += ["", *_fields(approvals)]
    if cache := layout.cache(session, savings):
        unnamed = [(label.removeprefix("Cache "), value) for label, value in cache]
        lines += ["", paint("title", "Cache"), *_fields(unnamed)]
    if others := layout.others(session):
        lines += ["", paint("title", "Other"), *_fields(others)]
    lines += ["", *_fields([_cost(session), *layout.dates(session, zone), *layout.place(session)])]
    return joined([*lines, *below(notes.of_session(session))])


def usage(
    usage: UsageTable,
    session_id: str | None = None,
    paint: Paint = plain,
    *,
    width: int | None = None,
) -> str:
    """Usage per model or engine, of one session or of all, with a TOTAL row.

    `width` is the number of cells of a line; None is without limit.
    """
    if not usage.sessions:
        return NO_HISTORY
    kind = usage.kind.capitalize()
    if session_id is None:
        heading = f"Aggregated {kind} Usage (All Sessions)"
    else:
        heading = f"{kind} Usage (Session: {printable(session_id)})"
    rows = [
        [layout.usage_name(row), *layout.usage_cells(row)] for row in (*usage.rows, usage.total)
    ]
    table = laid_out(_usage_columns(kind), rows, 92, width)
    *body, total = table.rows
    lines = [paint("title", heading), "", table.head, table.rule, *body, table.rule, total]
    return joined([*lines, *below(table.note, notes.of_usage(usage))])


def comparison(comparison: Comparison, paint: Paint = plain) -> str:
    """Session B measured against session A, section by section."""
    a, b = comparison.a, comparison.b
    added, removed = comparison["lines_added"], comparison["lines_removed"]
    sections = {
        "Token Usage": _both(_tokens(a), _tokens(b), _delta(comparison["total_tokens"])),
        "Cost": _both(money(a.money), money(b.money), _delta(comparison["cost"])),
        "Performance": [
            _change(comparison[name], a, b) for name in ("wall_time", "agent_active_time")
        ],
        "Tool Calls": [
            *_both(str(a.tool_calls), str(b.tool_calls), _delta(comparison["tool_calls"])),
            _change(comparison["success_rate"], a, b),
        ],
        "Code Changes": _both(
            wording.changes(a.lines_added, a.lines_removed),
            wording.changes(b.lines_added, b.lines_removed),
            f"{_amount(added)} / {_amount(removed)}",
        ),
        "Other": [
            _change(metric, a, b) for metric in comparison.metrics if metric.figure in layout.OTHERS
        ],
    }
    lines = [
        paint("title", "Session Comparison"),
        "═" * 19,
        "",
        f"Session A: {printable(a.id)}",
        f"Session B: {printable(b.id)}",
    ]
    for name, body in sections.items():
        if body:
            lines += ["", paint("title", name), "─" * len(name), *(f"  {line}" for line in body)]
    return joined([*lines, *below(notes.of_sessions([a, b]), *comparison.notes)])


def line(session: Session) -> str:
    """A session in one line: `$0.1275 · 92.6% · 4h 9m · +505 -208`."""
    changes = wording.changes(session.lines_added, session.lines_removed)
    return " · ".join([*_essentials(session), changes])


def brief(session: Session, now: datetime) -> str:
    """A session as an item of a list: `$0.1275 · 92.6% · 4h 9m · gemini-3-pro-preview`."""
    cost, rate, wall = _essentials(session)
    models = wording.listed(figures.model_names(session))
    return " · ".join(filter(None, [cost, rate, wall + layout.state(session, now), models]))


def title(label: str) -> str:
    """A label with each of its words capitalised, as the manual has them."""
    return " ".join(word[:1].upper() + word[1:] for word in label.split(" "))


def field(label: str, value: str) -> str:
    """A line of a session's block: a label, and its value in the second column."""
    return f"{label}:".ljust(_LABEL) + value


def joined(lines: Sequence[str]) -> str:
    """Lines as a text that ends in a line feed."""
    return "\n".join(lines) + "\n"


def below(*notes: str) -> list[str]:
    """An empty line, and the notes that are not empty; nothing where there are none."""
    said = [note for note in notes if note]
    return ["", *said] if said else []


def _fields(lines: Sequence[layout.Line]) -> list[str]:
    return [field(title(label), value) for label, value in lines]


def _essentials(session: Session) -> tuple[str, str, str]:
    wall = wording.short_duration(session.wall_time)
    return money(session.money), wording.reading(figures.SUCCESS_RATE, session), wall


def _cost(session: Session) -> layout.Line:
    """What a session cost, with whom, and where it says how that is reached."""
    label, cost = layout.line("cost", session)
    said = [wording.listed(figures.model_names(session)), f"rates: {advice.SEE_COST}"]
    return label, f"{cost} ({'; '.join(filter(None, said))})"


def _session_models(models: Sequence[Usage], paint: Paint, width: int | None) -> list[str]:
    rows = [[printable(model.name), *layout.usage_cells(model)[:3]] for model in models]
    table = laid_out(_SESSION_MODELS, rows, 63, width)
    head = paint("title", "Model Usage") + table.head.removeprefix("Model Usage")
    return [head, table.rule, *table.rows, *filter(None, [table.note])]


_SESSION_MODELS: Final = (
    Column("Model Usage", "<", 27),
    Column("Reqs", ">", 4, gives_way=1),
    Column("Input Tokens", ">", 13),
    Column("Output Tokens", ">", 13),
)


_USAGE_WIDTHS: Final = (8, 12, 13, 13, 0)
_USAGE_GIVE_WAY: Final = (1, 3, 2, 4, 0)


def _usage_columns(kind: str) -> list[Column]:
    """The columns of `layout.USAGE`; the manual has the cost on the left of its column."""
    *counts, cost = [
        Column(title(figure.label), ">", least, gives_way)
        for figure, least, gives_way in zip(
            layout.USAGE, _USAGE_WIDTHS, _USAGE_GIVE_WAY, strict=True
        )
    ]
    return [Column(kind, "<", 29), *counts, msgspec.structs.replace(cost, align="<")]


def _tokens(session: Session) -> str:
    return (
        f"{figures.input_tokens(session)} input, {figures.output_tokens(session)} output "
        f"(total: {figures.total_tokens(session)})"
    )


def _both(a: str, b: str, delta: str) -> list[str]:
    return [f"Session A: {a}", f"Session B: {b}", f"Delta: {delta}"]


def _change(metric: Metric, a: Session, b: Session) -> str:
    label = title(metric.figure.label)
    if metric.figure.unit != "percent":
        return f"{label}: {_delta(metric)}"
    points = wording.signed_percent(printed_difference(metric.a, metric.b))
    before, after = wording.reading(metric.figure, a), wording.reading(metric.figure, b)
    return f"{label}: {before} → {after} ({points})"


def _delta(metric: Metric) -> str:
    if metric.delta is None:
        return wording.NOT_AVAILABLE
    amount = _amount(metric)
    percent = "0.0%" if amount in {"0", "0s"} else wording.signed_percent(metric.percent)
    return f"{amount} ({percent}){layout.PARTIAL * metric.partial}"


def _amount(metric: Metric) -> str:
    """A metric's delta, signed, as the manual has it: without a dollar sign and separators."""
    delta = metric.delta or 0
    if metric.figure.unit == "nanoseconds":
        return signed(wording.short_duration(int(delta)))
    return signed(f"{delta:.4f}" if metric.figure.unit == "USD" else str(delta))
