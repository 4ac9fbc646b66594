"""A cost explained: tokens of each class, their rate, the rule behind it, as text and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp.core import wording
from rad_lsp.core.price import LOCAL
from rad_lsp.core.wording import NO_HISTORY, count, money, printable, rate
from rad_lsp.render import markdown as marks
from rad_lsp.render.text import columns, field, joined, plain

if TYPE_CHECKING:
    from rad_lsp.core.cost import CostRow, CostTable, TokenClass
    from rad_lsp.render.text import Paint

_CLASSES: Final[dict[TokenClass, str]] = {
    "input": "input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write, 5 min",
    "cache_write_1h": "cache write, 1 h",
    "output": "output",
}


def text(found: CostTable, session_id: str | None = None, paint: Paint = plain) -> str:
    """What the cost of one session is made of, or that of all."""
    if not found.sessions:
        return f"{NO_HISTORY}\n"
    scope = "All Sessions" if session_id is None else f"Session: {printable(session_id)}"
    table: list[list[str]] = [["Model", "Tokens", "USD per M", "Cost"]]
    rules: dict[int, list[str]] = {}
    for row in found.rows:
        table.append([f"{printable(row.model)}, {_requests(row)}", "", "", money(row.computed)])
        table += [
            [f"  {_CLASSES[c.token_class]}", count(c.tokens), rate(c.rate), money(c.cost)]
            for c in row.charges
            if row.price
        ]
        rules[len(table) - 1] = [f"  {sentence}" for sentence in _rule(row)]
    lines, rule = columns(table, aligns="<>><", widths=[32, 14, 10, 0], gap=2, rule=74)
    body = [line for n, text in enumerate(lines) for line in (text, *rules.get(n, ()))]
    totals = [field(label, value) for label, value in _totals(found)]
    return joined([paint("title", f"Cost ({scope})"), "", body[0], rule, *body[1:], rule, *totals])


def markdown(found: CostTable, session_id: str | None = None) -> str:
    """What the cost of one session is made of, or that of all."""
    scope = "all sessions" if session_id is None else f"session {marks.escape(session_id)}"
    rows: list[tuple[str, ...]] = []
    rules: list[str] = []
    for row in found.rows:
        name = f"**{marks.escape(row.model)}**, {_requests(row)}"
        rows.append((name, "", "", f"**{money(row.computed)}**"))
        rows += [
            (_CLASSES[c.token_class], count(c.tokens), rate(c.rate), money(c.cost))
            for c in row.charges
            if row.price
        ]
        said = " ".join(f"{marks.escape(sentence)}." for sentence in _rule(row))
        rules.append(f"- {marks.escape(row.model)}: {said}")
    parts = [
        f"## Cost of {scope}",
        marks.table(["", "Tokens", "USD per M", "Cost"], rows, "<>>>"),
        "\n".join(dict.fromkeys(rules)),
        marks.table(["", ""], list(_totals(found)), "<>"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def brief(found: CostTable, model: str | None = None) -> str:
    """Markdown on where a cost comes from, a line per rule: of one model, or of all."""
    lines = []
    for row in found.rows:
        if model not in {None, row.model}:
            continue
        sum_of = " + ".join(
            f"{count(c.tokens)} {_CLASSES[c.token_class]} at {rate(c.rate)}" for c in row.charges
        )
        computed = f": {sum_of} per M = {money(row.computed)}" if row.price else ""
        said = "; ".join(map(marks.escape, _rule(row)))
        lines.append(f"{marks.escape(row.model)}{computed}  \n*{said}*")
    if found.estimated:
        lines.append("*An estimate: the report holds sums, not requests*")
    return "  \n".join(lines)


def _requests(row: CostRow) -> str:
    limit = f" over {count(row.above)} input tokens" if row.above else ""
    tier = f", {printable(row.tier)} tier" if row.tier else ""
    return f"{wording.counted(row.requests, 'request')}{limit}{tier}"


def _rule(row: CostRow) -> list[str]:
    price = row.price
    if price is None:
        said = ["No price is known: set one in the settings"]
    elif price.origin == LOCAL:
        said = ["Local model: costs nothing"]
    else:
        by = "/".join(filter(None, (price.provider, price.model)))
        since = f", since {price.since}" if price.since else ""
        fee = f", {money(price.fee)} a request" if price.fee else ""
        said = [f"By {printable(by)} of {price.origin}{since}{fee}"]
        if row.tier and price.tier != row.tier:
            said.append(f"No price of the {printable(row.tier)} tier is known: the standard one")
    if row.reported:
        said.append(f"Reported {money(row.cost)}, which counts")
    return said


def _totals(found: CostTable) -> list[tuple[str, str]]:
    rows = [("Cost", money(found.cost))]
    if found.reported is not None:
        rows.append(("Reported", money(found.reported)))
    computed = money(found.computed)
    rows.append(("Computed", f"{computed} (estimated from sums)" if found.estimated else computed))
    if found.unpriced:
        rows.append(("Without a price", wording.counted(found.unpriced, "request")))
    return rows
