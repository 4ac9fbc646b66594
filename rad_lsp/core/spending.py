"""Requests to models, and what they add up to: tokens and money per slot of fifteen minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from msgspec.structs import replace

from rad_lsp.core.money import Money, total
from rad_lsp.core.price import cost
from rad_lsp.core.tokens import NO_TOKENS, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.price import Price

SLOT_SECONDS: Final = 15 * 60
"""Every time zone's days begin at the start of a slot."""

SLOT_MS: Final = SLOT_SECONDS * 1000


class Request(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """One request to a model.

    `time` is in milliseconds since the epoch. `engine` is the provider's id where it is known,
    `tier` a service tier other than the standard one. `cost` is USD where the provider gives it.
    Where an agent only records sums, `requests` were made together. `searches` are those of the
    web that the provider bills by their number.
    """

    time: int
    model: str
    engine: str = ""
    tier: str = ""
    tokens: Tokens = NO_TOKENS
    cost: float | None = None
    requests: int = 1
    searches: int = 0


class Spending(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Requests of one slot to one model that are billed by one rule.

    `slot` counts slots since the epoch, in UTC. `threshold` is the number of input tokens that
    each of the requests exceeds and that makes its rates others; 0 for none. `reported` tells
    that the provider gave the amount, or that too little was recorded to compute one.
    """

    slot: int
    model: str
    engine: str
    tier: str
    threshold: int
    reported: bool
    requests: int
    tokens: Tokens
    money: Money
    searches: int = 0

    @property
    def cost(self) -> float | None:
        """USD, None where no price is known."""
        return self.money.usd


class PriceList(Protocol):
    """Where prices are looked up."""

    def price(self, model: str, engine: str, slot: int, tier: str) -> Price | None:
        """The price of a model in a slot; None when none is known."""


def billed(request: Request, price: Price | None) -> tuple[int, float | None]:
    """The threshold that a request exceeds, and USD that it costs; None where that is not known.

    Whether several requests of which only the sum is known exceed a threshold is told by their
    average. What the provider says that a request cost counts before the price list.
    """
    tokens = request.tokens
    if price is None:
        return 0, request.cost
    threshold = price.threshold(tokens.input // (request.requests or 1))
    if request.cost is not None:
        return threshold, request.cost
    fees = price.fee * request.requests + price.search_fee * request.searches
    return threshold, fees + cost(price.rates_above(threshold), tokens)


def priced(request: Request, price_list: PriceList) -> Spending:
    """One request, priced."""
    slot = request.time // SLOT_MS
    price = price_list.price(request.model, request.engine, slot, request.tier)
    threshold, usd = billed(request, price)
    return Spending(
        slot,
        request.model,
        request.engine,
        request.tier,
        threshold,
        request.cost is not None,
        request.requests,
        request.tokens,
        Money(usd, 0, request.requests if usd is None else 0),
        request.searches,
    )


def repriced(row: Spending, price: Price) -> Spending:
    """Requests at a price; their rates make it a matter of their sums."""
    rates = price.rates_above(row.threshold)
    fees = price.fee * row.requests + price.search_fee * row.searches
    usd = fees + cost(rates, row.tokens)
    return replace(row, money=Money(usd, row.money.lower_bound), reported=False)


def add_up(rows: Iterable[Spending]) -> tuple[Spending, ...]:
    """Rows of one slot, model and rule as one, in order of time."""
    groups: dict[tuple[int, str, str, str, int, bool, bool], list[Spending]] = {}
    for row in rows:
        key = (
            row.slot,
            row.model,
            row.engine,
            row.tier,
            row.threshold,
            row.reported,
            row.cost is None,
        )
        groups.setdefault(key, []).append(row)
    return tuple(_added(groups[key]) for key in sorted(groups))


def _added(rows: list[Spending]) -> Spending:
    # All amounts at once: rounded one by one, the sum would depend on the order of the rows.
    return replace(
        rows[0],
        requests=sum([row.requests for row in rows]),
        tokens=sum([row.tokens for row in rows], NO_TOKENS),
        money=total([row.money for row in rows]),
        searches=sum([row.searches for row in rows]),
    )
