"""What was spent and done by hour, day, week or month: as text, Markdown, CSV and for the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rad_lsp import wire
from rad_lsp.core import wording
from rad_lsp.core.trend import Part
from rad_lsp.core.wording import NO_HISTORY, count, printable
from rad_lsp.render import export, markdown, text
from rad_lsp.render.bars import bar
from rad_lsp.render.history import short_names
from rad_lsp.render.notes import Notes
from rad_lsp.render.table import Column, cells, cut, laid_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.core.trend import Figures, Row, Trend
    from rad_lsp.render.text import Paint

_HEADERS: Final = {"hour": "Hour", "day": "Day", "week": "Week of", "month": "Month"}
_ADJECTIVES: Final = {"hour": "Hourly", "day": "Daily", "week": "Weekly", "month": "Monthly"}
_COLUMNS: Final = (
    Column("Cost", ">"),
    Column("Sessions", ">", gives_way=3),
    Column("Requests", ">", gives_way=4),
    Column("Input", ">", gives_way=6),
    Column("Cache Read", ">", gives_way=2),
    Column("Cache Write", ">", gives_way=9),
    Column("Output", ">", gives_way=1),
    Column("Tool Calls", ">", gives_way=5),
    Column("Success", ">", gives_way=7),
    Column("Cache Hit", ">", gives_way=8),
    Column("Savings", ">", gives_way=10),
    Column("Lines", ">", gives_way=11),
)
_LONGEST_NAME: Final = 28
"""Cells of a part's name on a terminal."""

_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def answer(trend: Trend) -> wire.TrendResult:
    """The answer on the wire."""
    return wire.TrendResult(
        trend.unit,
        trend.split,
        tuple(map(_row, trend.rows)),
        _row(trend.total),
        as_text(trend),
        as_markdown(trend),
        trend.older,
    )


def as_text(trend: Trend, paint: Paint = text.plain, *, width: int | None = None) -> str:
    """A row for each span, with rows for its parts, and the total.

    `width` is the number of cells of a terminal's line; on a terminal there are also bars, and a
    line of them all. None is anywhere else.
    """
    if not trend.rows:
        return NO_HISTORY
    names = _names(trend)
    peak = max(_size(row.figures) for row in trend.rows)
    totals = 1 + len(trend.total.parts)
    shown = list(_shown(trend))
    rows = []
    for number, one in enumerate(shown):
        label, *values = _cells(one, names)
        if width is not None:
            is_total = number >= len(shown) - totals
            drawn = "" if is_total else bar(_size(one.figures), peak)
            label, values = cut(label, _LONGEST_NAME), [values[0], drawn, *values[1:]]
        rows.append([label, *values])
    columns = [Column(_header(trend)), *_COLUMNS]
    if width is not None:
        columns.insert(2, Column(""))
    table = laid_out(columns, rows, width=width)
    lines = [paint("title", f"{_ADJECTIVES[trend.unit]} Usage"), ""]
    if width is not None:
        lines += [_sparkline(trend, peak, width), ""]
    lines += [table.head, table.rule, *table.rows[:-totals], table.rule, *table.rows[-totals:]]
    return text.joined([*lines, *text.below(table.note, *_notes(trend))])


def as_markdown(trend: Trend) -> str:
    """The same as a table in Markdown."""
    if not trend.rows:
        return NO_HISTORY
    names = _names(trend)
    rows = [[markdown.escape(cell.strip()) for cell in _cells(one, names)] for one in _shown(trend)]
    header = [_header(trend), *(column.header for column in _COLUMNS)]
    table = markdown.table(header, rows, "<" + ">" * len(_COLUMNS))
    notes = "".join(markdown.below(note) for note in _notes(trend))
    return f"## {_ADJECTIVES[trend.unit]} usage\n\n{table}\n{notes}"


def as_csv(trend: Trend) -> Iterator[bytes]:
    """A row for each span, or for each part of a span where it is split; without the total."""
    parts = [trend.split] if trend.split else []
    figures = wire.TrendFigures.__struct_fields__
    rows = []
    for row in map(_row, trend.rows):
        span = (row.begin, row.end, row.label)
        for one in row.parts if trend.split else (row,):
            name = (one.name,) if isinstance(one, wire.TrendPart) else ()
            rows.append([*span, *name, *(getattr(one, figure) for figure in figures)])
    return export.csv_table(["begin", "end", "label", *parts, *figures], rows)


def _row(row: Row) -> wire.TrendRow:
    return wire.TrendRow(
        begin=row.span.begin,
        end=row.span.end,
        label=row.span.label,
        parts=tuple(
            wire.TrendPart(
                name=part.name or None,
                cost_text=_cost(part.figures),
                **_figures(part.figures),
            )
            for part in row.parts
        ),
        **_figures(row.figures),
    )


def _cost(figures: Figures) -> str:
    spent = figures.spent
    return wording.money(spent.money) if spent else wording.NOT_AVAILABLE


def _figures(figures: Figures) -> dict[str, Any]:
    """The fields of `wire.TrendFigures`."""
    found: dict[str, Any] = dict.fromkeys(wire.TrendFigures.__struct_fields__)
    found |= {"cost_is_lower_bound": False, "unpriced": 0, "sessions": figures.sessions}
    if spent := figures.spent:
        tokens = spent.tokens
        found |= {
            "requests": spent.requests,
            "input_tokens": tokens.input,
            "fresh_tokens": tokens.fresh,
            "cache_read_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "cache_write_hour_tokens": tokens.cache_write_1h,
            "output_tokens": tokens.output,
            "cost": spent.money.usd,
            "cost_is_lower_bound": spent.money.is_lower_bound,
            "unpriced": spent.money.unpriced,
            "savings": spent.savings.usd,
            "cache_hit_rate": spent.cache_hit_rate,
        }
    if calls := figures.calls:
        found |= {
            "tool_calls": calls.total,
            "failed_tool_calls": calls.failed,
            "denied_tool_calls": calls.denied,
            "unknown_tool_calls": calls.unknown,
            "success_rate": calls.success_rate,
        }
    if lines := figures.lines:
        found |= {"lines_added": lines.added, "lines_removed": lines.removed}
    return found


def _shown(trend: Trend) -> Iterator[Row | Part]:
    """Each span with its parts below it, and the total with its own."""
    for row in (*trend.rows, trend.total):
        yield row
        yield from row.parts


def _header(trend: Trend) -> str:
    header = _HEADERS[trend.unit]
    return f"{header} / {trend.split.capitalize()}" if trend.split else header


def _cells(one: Row | Part, names: dict[str, str]) -> list[str]:
    """The label, and the cells of `_COLUMNS`."""
    label = f"  {names[one.name]}" if isinstance(one, Part) else one.span.label
    return [label, *_values(one.figures)]


def _values(figures: Figures) -> list[str]:
    unknown = wording.NOT_AVAILABLE
    spent, calls, lines = figures.spent, figures.calls, figures.lines
    tokens = spent and spent.tokens
    return [
        _cost(figures),
        count(figures.sessions),
        count(spent.requests) if spent else unknown,
        *(
            [count(tokens.fresh), count(tokens.cache_read), count(tokens.cache_write)]
            if tokens
            else [unknown] * 3
        ),
        count(tokens.output) if tokens else unknown,
        count(calls.total) if calls else unknown,
        wording.percent(calls.success_rate if calls else None),
        wording.percent(spent.cache_hit_rate if spent else None),
        wording.usd(spent.savings.usd if spent else None),
        wording.changes(lines.added, lines.removed) if lines else unknown,
    ]


def _names(trend: Trend) -> dict[str, str]:
    """How parts are called."""
    names = {part.name for part in trend.total.parts}
    shown = short_names(names) if trend.split == "project" else {name: name for name in names}
    return {name: printable(text) or wording.NOT_AVAILABLE for name, text in shown.items()}


def _size(figures: Figures) -> float:
    """The cost, which is what a bar shows."""
    return (figures.spent and figures.spent.money.usd) or 0.0


def _sparkline(trend: Trend, peak: float, width: int) -> str:
    """The costs of all spans, the last ones where there is no room for more."""
    begin = f"{wording.usd(peak)} at most  "
    sizes = [_size(row.figures) for row in trend.rows][-max(width - cells(begin), 1) :]
    top = len(_HEIGHTS) - 1
    bars = [_HEIGHTS[round(top * max(size, 0.0) / peak) if peak > 0 else 0] for size in sizes]
    return f"{begin}{''.join(bars)}"


def _notes(trend: Trend) -> list[str]:
    """Why figures are minima, are not known or leave something out."""
    notes = Notes()
    shown = [one.figures for one in _shown(trend)]
    total = trend.total.figures
    if total.spent:
        notes.counted(total.spent.money)
        notes.shown(figures.spent.money for figures in shown if figures.spent)
    if total.calls:
        notes.tool_calls(total.calls.unknown)
    said = [notes.line]
    if total.spent and (without := total.spent.savings.left_out):
        said.append(f"savings: no price is known for {wording.listed(without)}")
    return list(filter(None, ["; ".join(filter(None, said))]))
