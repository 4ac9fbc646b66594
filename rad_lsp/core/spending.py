"""Requests to models, and what they add up to: tokens and money per quarter of an hour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from rad_lsp.core import price as prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.price import Price

QUARTER: Final = 15 * 60
"""Seconds. Every time zone's days begin at the start of such a quarter of an hour."""

_MILLISECONDS: Final = QUARTER * 1000

_Source: TypeAlias = tuple[int, str, str, str]
"""What a price is looked up by: quarter, model, engine, tier."""

_Rule: TypeAlias = tuple[int, str, str, str, int, bool, bool]
"""Of a row: its source, above, reported, and whether anything is known of its cost."""

_COST: Final = 6


class Request(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """One request to a model.

    `time` is in milliseconds since the epoch; `input_tokens` include those read from and written
    to the cache, `output_tokens` all that is billed as such. `engine` is the provider's id where
    it is known, `tier` a service tier other than the standard one. `cost` is USD where the
    provider gives it. Where an agent only tells sums, `requests` were made together.
    """

    time: int
    model: str
    engine: str = ""
    tier: str = ""
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    requests: int = 1


class Spending(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Requests of one quarter of an hour to one model that are billed by one rule.

    `quarter` counts quarters of an hour since the epoch, in UTC. `above` is the number of input
    tokens that each of the requests exceeds and that makes its rate another; 0 for none. `cost`
    is USD, None where no price is known; `reported` tells that the provider gave it, or is to:
    without a cost too little is known of the requests to tell what they cost.
    """

    quarter: int
    model: str
    engine: str
    tier: str
    above: int
    requests: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    cost: float | None
    reported: bool = False


class PriceList(Protocol):
    """Where prices are looked up."""

    def price(self, model: str, engine: str, quarter: int, tier: str) -> Price | None:
        """The price of a model in a quarter of an hour; None when none is known."""


def tally(requests: Iterable[Request], price_list: PriceList) -> tuple[Spending, ...]:
    """The requests added up, in order of time."""
    found = Tally(price_list)
    found.add(requests)
    return found.rows()


class Tally:
    """Requests being added up, in as many steps as it takes.

    Whether a rate applies that depends on a request's size is told for each by itself. What the
    provider says that it cost counts before what the `price_list` says.
    """

    def __init__(self, price_list: PriceList) -> None:
        self._price_list = price_list
        self._rows: dict[_Rule, list[Any]] = {}

    def add(self, requests: Iterable[Request]) -> None:
        """These requests were made, too."""
        source: _Source | None = None
        price: Price | None = None
        usual: list[Any] | None = None
        limit = 0.0
        for one in requests:
            now = (one.time // _MILLISECONDS, one.model, one.engine, one.tier)
            if now != source:  # as a rule it is that of the request before
                source = now
                price = self._price(source)
                usual = None
                limit = price.brackets[0] if price is not None and price.brackets else math.inf
            if one.cost is None and one.input_tokens <= limit:
                row = usual = usual or self._sums((*source, 0, False, True))
            else:
                reported = one.cost is not None
                row = self._sums((*source, _above(price, one), reported, True))
                row[_COST] += one.cost or 0.0
            _add(row, one)

    def add_unbilled(self, requests: Iterable[Request]) -> None:
        """Requests of which too little was recorded to tell what they cost."""
        for one in requests:
            quarter = one.time // _MILLISECONDS
            row = self._sums((quarter, one.model, one.engine, one.tier, 0, True, False))
            _add(row, one)

    def rows(self) -> tuple[Spending, ...]:
        """What the requests come to, in order of time."""
        return tuple(self._row(rule, sums) for rule, sums in sorted(self._rows.items()))

    def _sums(self, rule: _Rule) -> list[Any]:
        if rule not in self._rows:
            self._rows[rule] = [0, 0, 0, 0, 0, 0, 0.0]
        return self._rows[rule]

    def _price(self, source: _Source) -> Price | None:
        quarter, model, engine, tier = source
        return self._price_list.price(model, engine, quarter, tier)

    def _row(self, rule: _Rule, sums: Sequence[Any]) -> Spending:
        quarter, model, engine, tier, above, reported, is_billed = rule
        cost = sums[_COST] if reported and is_billed else None
        requests, tokens, read, short, long, output, _ = sums
        row = Spending(
            quarter, model, engine, tier, above,
            requests, tokens, read, short, long, output, cost, reported,
        )  # fmt: skip
        price = None if reported else self._price((quarter, model, engine, tier))
        return row if price is None else billed(row, price)


def _add(row: list[Any], one: Request) -> None:
    row[0] += one.requests
    row[1] += one.input_tokens
    row[2] += one.cache_read_tokens
    row[3] += one.cache_write_5m_tokens
    row[4] += one.cache_write_1h_tokens
    row[5] += one.output_tokens


def _above(price: Price | None, one: Request) -> int:
    """The limit that a request exceeds; where only sums are told, their average does."""
    if price is None or not price.brackets:
        return 0
    return price.above(one.input_tokens // (one.requests or 1))


def add_up(rows: Iterable[Spending]) -> tuple[Spending, ...]:
    """Rows of one quarter, model and rule as one, in order of time."""
    found: dict[tuple[int, str, str, str, int, bool, bool], Spending] = {}
    for row in rows:
        key = (
            row.quarter,
            row.model,
            row.engine,
            row.tier,
            row.above,
            row.cost is None,
            row.reported,
        )
        other = found.get(key)
        found[key] = row if other is None else added(other, row)
    return tuple(found[key] for key in sorted(found))


def priced(request: Request, price_list: PriceList) -> Spending:
    """One request, priced."""
    quarter = request.time // _MILLISECONDS
    price = price_list.price(request.model, request.engine, quarter, request.tier)
    row = Spending(
        quarter,
        request.model,
        request.engine,
        request.tier,
        _above(price, request),
        request.requests,
        request.input_tokens,
        request.cache_read_tokens,
        request.cache_write_5m_tokens,
        request.cache_write_1h_tokens,
        request.output_tokens,
        request.cost,
        request.cost is not None,
    )
    return row if price is None or row.reported else billed(row, price)


def billed(row: Spending, price: Price) -> Spending:
    """Requests at a price; rates make it a matter of their sums."""
    cost = price.fee * row.requests + prices.cost(
        price.rates_above(row.above),
        input_tokens=row.input_tokens,
        cache_read_tokens=row.cache_read_tokens,
        cache_write_5m_tokens=row.cache_write_5m_tokens,
        cache_write_1h_tokens=row.cache_write_1h_tokens,
        output_tokens=row.output_tokens,
    )
    return replace(row, cost=cost, reported=False)


def added(one: Spending, other: Spending) -> Spending:
    """Two rows of one quarter, model and rule as one."""
    return Spending(
        one.quarter,
        one.model,
        one.engine,
        one.tier,
        one.above,
        one.requests + other.requests,
        one.input_tokens + other.input_tokens,
        one.cache_read_tokens + other.cache_read_tokens,
        one.cache_write_5m_tokens + other.cache_write_5m_tokens,
        one.cache_write_1h_tokens + other.cache_write_1h_tokens,
        one.output_tokens + other.output_tokens,
        None if one.cost is None or other.cost is None else one.cost + other.cost,
        one.reported,
    )
