"""Budgets as text and Markdown: how each is used up, how far it will go, and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import advice, period, wording
from rad_lsp.core.budget import HISTORY_DAYS, LEAST_DAYS
from rad_lsp.core.money import Money
from rad_lsp.core.wording import NOT_AVAILABLE, money, percent, printable, usd
from rad_lsp.render import markdown as marks
from rad_lsp.render import notes
from rad_lsp.render.table import Column, laid_out
from rad_lsp.render.text import below, joined, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from rad_lsp.core.budget import Outlook
    from rad_lsp.render.text import Paint
    from rad_lsp.service.budget import Budgets


def _no_budget() -> str:
    return f"No budget is set. {advice.SET_BUDGET}\n"


_COLUMNS: Final = (
    Column("Budget"),
    Column("Spent", ">"),
    Column("Limit", ">", gives_way=1),
    Column("Left", ">"),
    Column("Used", ">", gives_way=4),
    Column("Burn rate", ">", gives_way=3),
    Column("Expected", ">", gives_way=2),
    Column("Range", ">", gives_way=5),
    Column("Runs out"),
)

_AT_MOST: Final = "≤"
_MARK: Final = "⚠ "


def text(
    budgets: Budgets, zone: tzinfo | None, paint: Paint = plain, *, width: int | None = None
) -> str:
    """All budgets, and the rules by which what is expected is told.

    `width` is the number of cells of a line; None is without limit.
    """
    if not budgets.rows:
        return _no_budget()
    laid = laid_out(_COLUMNS, [_cells(row, zone) for row in budgets.rows], width=width)
    body = [
        paint("bad", line) if row.warns else line
        for row, line in zip(budgets.rows, laid.rows, strict=True)
    ]
    lines = [paint("title", "Budgets"), "", laid.head, laid.rule, *body, "", *rules(budgets)]
    return joined([*lines, *below(laid.note, _note(budgets))])


def markdown(budgets: Budgets, zone: tzinfo | None) -> str:
    """All budgets, and the rules by which what is expected is told."""
    if not budgets.rows:
        return _no_budget()
    header = [column.header for column in _COLUMNS]
    cells = [[marks.escape(cell) for cell in _cells(row, zone)] for row in budgets.rows]
    aligns = "".join(column.align for column in _COLUMNS)
    said = "\n".join(f"- {marks.escape(rule)}" for rule in rules(budgets))
    table = marks.table(header, cells, aligns)
    return f"## Budgets\n\n{table}\n\n{said}\n{marks.below(_note(budgets))}"


def summary(row: Outlook) -> str:
    """A budget in one line: `Week: $12.3000 of $50.0000 (24.6%)`."""
    share = "" if row.used is None else f" ({_least(percent(row.used), row.spent)})"
    return f"{_title(row)}: {money(row.spent)} of {usd(row.limit)}{share}"


def rules(budgets: Budgets) -> list[str]:
    """By which rules burn rate, expected figure, range and end are told, a sentence each."""
    known = [row.days for row in budgets.rows if row.within is not None]
    days = f" ({', '.join(map(str, dict.fromkeys(known)))} here)" if known else ""
    return [
        "Burn rate: what was spent by the time that has passed. Runs out: at that rate.",
        (
            "Expected: spent so far, and for each day that remains the mean of the days of history"
            f"{days}: from the first with spending among the last {HISTORY_DAYS} until yesterday. "
            f"n/a with fewer than {LEAST_DAYS}."
        ),
        "Range: the same with the quartiles of those days, widened to hold the mean.",
    ]


def _cells(row: Outlook, zone: tzinfo | None) -> list[str]:
    expected = NOT_AVAILABLE if row.expected is None else money(row.expected)
    within = NOT_AVAILABLE
    if row.low is not None and row.high is not None:
        within = f"{money(row.low)} to {usd(row.high.usd)}"
    return [
        f"{_MARK if row.warns else ''}{_title(row)}",
        money(row.spent),
        usd(row.limit),
        _bounded(usd(row.left), row.spent),
        _least(percent(row.used), row.spent),
        NOT_AVAILABLE if row.burn is None else f"{money(row.burn)}/{row.unit}",
        expected,
        within,
        _runs_out(row, zone),
    ]


def _title(row: Outlook) -> str:
    name = row.name.capitalize()
    if row.session_id:
        return f"{name} {wording.short_id(row.session_id)}"
    return f"{name}, {printable(row.project)}" if row.project else name


def _runs_out(row: Outlook, zone: tzinfo | None) -> str:
    """When a budget runs out; at the latest then, where more may have been spent."""
    if row.is_passed:
        return "passed"
    if row.runs_out is not None:
        local = wording.moment(period.local(row.runs_out, zone))
        return _bounded(local if row.unit == "hour" else local[: len("2025-12-07")], row.spent)
    if row.burn is None or row.within is None or row.spent.is_lower_bound:
        return NOT_AVAILABLE
    return "not today" if row.name == "day" else f"not this {row.name}"


def _bounded(text: str, spent: Money) -> str:
    """What is less where more was spent than is known."""
    return f"{_AT_MOST} {text}" if spent.is_lower_bound and text != NOT_AVAILABLE else text


def _least(text: str, spent: Money) -> str:
    return wording.at_least(text) if spent.is_lower_bound and text != NOT_AVAILABLE else text


def _note(budgets: Budgets) -> str:
    shown = _amounts(budgets.rows)
    requests = Money(0.0, max(one.lower_bound for one in shown), max(one.unpriced for one in shown))
    return notes.of_amounts(requests, shown)


def _amounts(rows: Sequence[Outlook]) -> list[Money]:
    return [one for row in rows for one in (row.spent, row.expected) if one is not None]
