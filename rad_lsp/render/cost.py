"""What a cost consists of, as text and Markdown: tokens of each class, their rates and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from rad_lsp.core import wording
from rad_lsp.core.money import Money, total
from rad_lsp.core.price import LOCAL, SETTINGS
from rad_lsp.core.wording import NO_HISTORY, count, money, printable, rate, usd
from rad_lsp.render import markdown as marks
from rad_lsp.render import notes
from rad_lsp.render.table import Column, folded, laid_out
from rad_lsp.render.text import below, field, joined, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.core.cost import CostRow, CostTable, TokenClass
    from rad_lsp.render.text import Paint

_CLASSES: Final[dict[TokenClass, str]] = {
    "input": "input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write, 5 min",
    "cache_write_1h": "cache write, 1 h",
    "output": "output",
}

_COLUMNS: Final = (
    Column("Model", "<", 32),
    Column("Tokens", ">", 14),
    Column("USD per M", ">", 10),
    Column("Computed"),
)

_BRIEF: Final = 10
"""The largest number of rows that `brief` explains."""


def text(
    costs: CostTable,
    session_id: str | None = None,
    paint: Paint = plain,
    *,
    width: int | None = None,
) -> str:
    """What the cost of one session, or of all, consists of.

    `width` is the number of cells of a line; None is without limit.
    """
    if not costs.sessions:
        return NO_HISTORY
    scope = "All Sessions" if session_id is None else f"Session: {printable(session_id)}"
    table: list[list[str]] = []
    rules: dict[int, list[str]] = {}
    for row in costs.rows:
        table.append([printable(_requests(row)), "", "", money(_computed(row))])
        table += [[f"  {cells[0]}", *cells[1:]] for cells in _parts(row)]
        rules[len(table) - 1] = [
            line for said in _rule(row) for line in folded(printable(said), width, "  ")
        ]
    laid = laid_out(_COLUMNS, table, 74, width)
    body: list[str] = []
    for number, (line, (name, *_)) in enumerate(zip(laid.rows, table, strict=True)):
        body.append(line)
        if not line.startswith(name):  # cut, it would not tell what is explained
            body += folded(name, width, "  ")
        body += rules.get(number, ())
    totals = [field(label, value) for label, value in _totals(costs)]
    lines = [paint("title", f"Cost ({scope})"), "", laid.head, laid.rule, *body, laid.rule]
    return joined([*lines, *totals, *below(laid.note, _note(costs))])


def markdown(costs: CostTable, name: str | None = None) -> str:
    """What the cost of the session of that name, or of all, consists of."""
    scope = "all sessions" if name is None else marks.escape(name)
    rows: list[tuple[str, ...]] = []
    rules = []
    for row in costs.rows:
        name = marks.escape(_requests(row))
        rows.append((f"**{name}**", "", "", f"**{money(_computed(row))}**"))
        rows += _parts(row)
        said = " ".join(f"{marks.escape(sentence)}." for sentence in _rule(row))
        rules.append(f"- {name}: {said}")
    parts = [
        f"## Cost of {scope}",
        marks.table(["Model", "Tokens", "USD per M", "Computed"], rows, "<>>>"),
        "\n".join(rules),
        marks.table(["", ""], list(_totals(costs)), "<>"),
    ]
    return "\n\n".join(filter(None, parts)) + "\n" + marks.below(_note(costs))


def brief(rows: Sequence[CostRow], *, estimated: bool) -> str:
    """Markdown on where a cost comes from: two lines for each of the first `rows`.

    `estimated` tells that the rows come from a report's sums.
    """
    lines = []
    for row in rows[:_BRIEF]:
        computed = money(_computed(row))
        if row.price and (row.charges or row.searches):
            computed = f"{' + '.join(_summands(row))} = {computed}"
        said = "; ".join(map(marks.escape, _rule(row)))
        lines.append(f"{marks.escape(_requests(row))}: {computed}  \n*{said}*")
    if len(rows) > _BRIEF:
        lines.append(f"… and {wording.counted(len(rows) - _BRIEF, 'line')} more")
    if estimated and rows:
        lines.append("*An estimate: the report holds sums, not requests*")
    return "  \n".join(lines)


def _requests(row: CostRow) -> str:
    """`claude-opus-4-6, 3 requests over 200,000 input tokens, batch tier`, not escaped."""
    limit = f" over {count(row.threshold)} input tokens" if row.threshold else ""
    tier = f", {row.tier} tier" if row.tier else ""
    return f"{row.model}, {wording.counted(row.requests, 'request')}{limit}{tier}"


def _computed(row: CostRow) -> Money:
    return Money(row.computed, row.money.lower_bound)


def _all_computed(costs: CostTable) -> Money:
    lower_bound = sum(row.money.lower_bound for row in costs.rows)
    return Money(costs.computed, lower_bound, costs.unpriced)


def _note(costs: CostTable) -> str:
    """The line below a cost: a price may be missing of what counts, or of what is computed."""
    unpriced = max(costs.money.unpriced, costs.unpriced)
    shown = [costs.money, *map(_computed, costs.rows)]
    if costs.rows:
        shown.append(_all_computed(costs))
    return notes.of_amounts(replace(costs.money, unpriced=unpriced), shown)


def _charges(row: CostRow) -> list[tuple[str, str, str, str]]:
    return [
        (_CLASSES[charge.token_class], count(charge.tokens), rate(charge.rate), usd(charge.cost))
        for charge in row.charges
    ]


def _parts(row: CostRow) -> list[tuple[str, str, str, str]]:
    """The lines of a row: tokens by class, and searches of the web."""
    if not row.searches:
        return _charges(row)
    number = f"{count(row.searches)} \N{MULTIPLICATION SIGN}"
    return [*_charges(row), ("web search", number, _search_fee(row), usd(row.search_cost))]


def _summands(row: CostRow) -> list[str]:
    """What a row's cost is the sum of, in words."""
    charges = _charges(row)
    said = [f"{tokens} {name} at {at}" for name, tokens, at, _ in charges]
    if charges:
        said[-1] += " per M"
    if row.searches:
        number = f"{count(row.searches)} web search{'' if row.searches == 1 else 'es'}"
        said.append(f"{number} at {_search_fee(row)}")
    return said


def _search_fee(row: CostRow) -> str:
    return usd(None if row.search_cost is None else row.search_cost / row.searches)


def _rule(row: CostRow) -> list[str]:
    price = row.price
    if row.reported and row.cost is None:
        return ["Too little is recorded to tell the cost"]
    if price is None:
        said = ["No price is known: set one in the settings"]
    elif price.origin == LOCAL:
        said = ["Local model: costs nothing"]
    elif price.origin == SETTINGS:
        said = ["Priced by your settings"]
    else:
        since = f", since {price.since}" if price.since else ""
        fee = f", {usd(price.fee)} a request" if price.fee else ""
        rules = f" ({', '.join(price.rules)})" if price.rules else ""
        said = [f"Priced as {price.provider}/{price.model} by {price.origin}{rules}{since}{fee}"]
        known = price.tier.split("+")
        if unknown := "+".join(tier for tier in row.tier.split("+") if tier not in known):
            said.append(f"No price of the {unknown} tier is known: the standard one")
    if price is not None and row.search_cost is None:
        said.append("No price of its web searches is known: they are left out")
    if row.reported:
        said.append(f"Reported {money(row.money)}, which counts")
    return said


def _totals(costs: CostTable) -> list[tuple[str, str]]:
    rows = [("Cost", money(costs.money))]
    if costs.reported is not None:
        reported = total(row.money for row in costs.rows if row.reported)
        rows.append(("Reported", money(replace(reported, usd=costs.reported))))
    computed = money(_all_computed(costs))
    rows.append(("Computed", f"{computed} (estimated from sums)" if costs.estimated else computed))
    unexplained = usd(costs.unexplained)
    if unexplained != usd(0):
        rows.append(("Not in these lines", unexplained))
    if costs.unpriced:
        rows.append(("Without a price", wording.counted(costs.unpriced, "request")))
    return rows
