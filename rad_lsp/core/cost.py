"""What a cost is made of: tokens of each class, their rate, and what the cache saved.

Where a session's requests are known, each was priced by itself. A report that only holds sums is
an estimate: its totals of cached tokens are shared out by its models' cached tokens, and a rate
that depends on the size of a request can't be applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from rad_lsp.core import figures
from rad_lsp.core.price import MILLION, Price
from rad_lsp.core.spending import QUARTER, Spending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import PriceList

TokenClass: TypeAlias = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
TOKEN_CLASSES: Final[tuple[TokenClass, ...]] = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
)
"""What tokens are billed as; `input` are those that no cache has to do with."""


class Charge(msgspec.Struct, frozen=True):
    """Tokens of one class at their rate: USD per million; `cost` is USD."""

    token_class: TokenClass
    tokens: int
    rate: float
    cost: float


class CostRow(msgspec.Struct, frozen=True):
    """Requests to one model that are billed by one rule.

    `above` is the number of input tokens that each of them exceeds and that makes the rates
    others; 0 for none. `cost` is what counts, `computed` what `charges` and the requests' fee
    come to, both in USD and None without a price. `reported` tells that the cost is the
    provider's or the report's own.
    """

    model: str
    engine: str
    tier: str
    above: int
    requests: int
    charges: tuple[Charge, ...]
    price: Price | None
    cost: float | None
    computed: float | None
    reported: bool


class CostTable(msgspec.Struct, frozen=True):
    """The costs of `sessions` sessions, dearest row first.

    `cost` is what counts, `computed` what the price list makes of it, `reported` that part of the
    cost which providers and reports say themselves: USD, None where nothing is known of it.
    `unpriced` requests have no known price. `estimated` tells that some rows come from sums.
    """

    sessions: int
    rows: tuple[CostRow, ...]
    cost: float | None
    computed: float | None
    reported: float | None
    unpriced: int
    estimated: bool


class Savings(msgspec.Struct, frozen=True):
    """What the cache saved in USD, negative when it cost more; None when no price is known.

    `left_out` are the models with cached tokens but without a known price.
    """

    usd: float | None
    left_out: tuple[str, ...] = ()


UNKNOWN: Final = Savings(None)
"""Savings where no price is known."""


def table(sessions: Iterable[Session], price_list: PriceList) -> CostTable:
    """The costs of all `sessions`, by model and rule."""
    count = 0
    estimated = False
    known: list[float | None] = []
    groups: dict[tuple[str, str, str, int, bool, Price | None], list[Spending]] = {}
    for session in sessions:
        count += 1
        estimated |= not session.spending and bool(session.models)
        known.append(session.cost)
        for row in rows_of(session):
            price = _price(row, price_list)
            key = (row.model, row.engine, row.tier, row.above, row.reported, price)
            groups.setdefault(key, []).append(row)
    rows = [_row(group, key[-1]) for key, group in groups.items()]
    rows.sort(key=lambda row: (-(row.cost or 0), row.model, row.engine, row.tier, row.above))
    return CostTable(
        sessions=count,
        rows=tuple(rows),
        cost=figures.total_cost(known),
        computed=figures.total_cost(row.computed for row in rows),
        reported=figures.total_cost(row.cost for row in rows if row.reported)
        if any(row.reported for row in rows)
        else None,
        unpriced=sum(row.requests for row in rows if row.computed is None),
        estimated=estimated,
    )


def savings(session: Session, price_list: PriceList) -> Savings:
    """What tokens read from the cache saved, less what writing them to it cost in addition.

    Read tokens by the difference of the input and the read rate, written ones by that of the
    write and the input rate (session format, "Derived figures").
    """
    amounts: list[float] = []
    left_out: dict[str, None] = {}
    for row in rows_of(session):
        if not (row.cache_read_tokens or row.cache_write_5m_tokens or row.cache_write_1h_tokens):
            continue
        price = _price(row, price_list)
        if price is None:
            left_out[row.model] = None
            continue
        rates = price.rates_above(row.above)
        amounts.append(
            (
                row.cache_read_tokens * (rates.input - rates.cache_read)
                - row.cache_write_5m_tokens * (rates.cache_write_5m - rates.input)
                - row.cache_write_1h_tokens * (rates.cache_write_1h - rates.input)
            )
            / MILLION
        )
    return Savings(sum(amounts) if amounts else None, tuple(left_out))


def rows_of(session: Session) -> Sequence[Spending]:
    """The session's requests as they were billed; of a report that holds sums, a row per model."""
    if session.spending or not session.models:
        return session.spending
    quarter = int(figures.last_activity(session).timestamp()) // QUARTER
    engine = session.engines[0].name if len(session.engines) == 1 else ""
    weights = [usage.cached_tokens or 0 for usage in session.models]
    if not any(weights):
        weights = [usage.input_tokens for usage in session.models]
    read = _shared(figures.cache_read_tokens(session), weights)
    written = _shared(session.cache_creation_tokens, weights)
    rows = []
    for number, usage in enumerate(session.models):
        # Figures of a report may contradict each other: no part is more than the whole.
        from_cache = min(read[number], usage.input_tokens)
        to_cache = min(written[number], usage.input_tokens - from_cache)
        rows.append(
            Spending(
                quarter,
                usage.name,
                engine,
                "",
                0,
                usage.requests,
                usage.input_tokens,
                from_cache,
                to_cache,
                0,
                usage.output_tokens,
                usage.cost,
                reported=True,
            )
        )
    return rows


def tokens_of(row: Spending) -> tuple[int, ...]:
    """The tokens of a row, by `TOKEN_CLASSES`."""
    cached = row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens
    return (
        row.input_tokens - cached,
        row.cache_read_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.output_tokens,
    )


def _price(row: Spending, price_list: PriceList) -> Price | None:
    return price_list.price(row.model, row.engine, row.quarter, row.tier)


def _row(group: list[Spending], price: Price | None) -> CostRow:
    first = group[0]
    requests = sum(row.requests for row in group)
    tokens = [sum(part) for part in zip(*map(tokens_of, group), strict=True)]
    rates = price.rates_above(first.above) if price else None
    charges = tuple(
        Charge(name, amount, rate := getattr(rates, name, 0.0), amount * rate / MILLION)
        for name, amount in zip(TOKEN_CLASSES, tokens, strict=True)
        if amount
    )
    computed = (
        figures.total_cost([price.fee * requests, *(charge.cost for charge in charges)])
        if price
        else None
    )
    return CostRow(
        model=first.model,
        engine=first.engine,
        tier=first.tier,
        above=first.above,
        requests=requests,
        charges=charges,
        price=price,
        cost=figures.total_cost(row.cost for row in group),
        computed=computed,
        reported=first.reported,
    )


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    """A whole number in shares by weight; they add up to it. Nothing where nothing weighs."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = []
    rest, left = total, whole
    for weight in weights:
        share = rest * weight // left if left else 0
        shares.append(share)
        rest -= share
        left -= weight
    return shares
