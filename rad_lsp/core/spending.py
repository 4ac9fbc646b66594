"""Requests to models, and what they add up to: tokens and money per quarter of an hour."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from rad_lsp.core import price as prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rad_lsp.core.price import Price

QUARTER: Final = 15 * 60
"""Seconds. Every time zone's days begin at the start of such a quarter of an hour."""

_MILLISECONDS: Final = QUARTER * 1000


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
    """The requests added up, in order of time.

    Whether a rate applies that depends on a request's size is told for each by itself. What the
    provider says that it cost counts before what the price list says.
    """
    found: dict[tuple[int, str, str, str], Price | None] = {}
    rows: dict[tuple[int, str, str, str, int, bool], list[Any]] = {}
    for request in requests:
        source = (request.time // _MILLISECONDS, request.model, request.engine, request.tier)
        if source in found:
            price = found[source]
        else:
            quarter, model, engine, tier = source
            price = found[source] = price_list.price(model, engine, quarter, tier)
        above = 0
        if price is not None and price.brackets:
            above = price.above(request.input_tokens // (request.requests or 1))
        rule = (*source, above, request.cost is not None)
        row = rows.get(rule)
        if row is None:
            row = rows[rule] = [0, 0, 0, 0, 0, 0, 0.0]
        row[0] += request.requests
        row[1] += request.input_tokens
        row[2] += request.cache_read_tokens
        row[3] += request.cache_write_5m_tokens
        row[4] += request.cache_write_1h_tokens
        row[5] += request.output_tokens
        if request.cost is not None:
            row[6] += request.cost
    return tuple(
        _row(rule, row, found[rule[:4]]) for rule, row in sorted(rows.items(), key=_by_rule)
    )


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
    above = 0
    if price is not None and price.brackets:
        above = price.above(request.input_tokens // (request.requests or 1))
    return _row(
        (quarter, request.model, request.engine, request.tier, above, request.cost is not None),
        (
            request.requests,
            request.input_tokens,
            request.cache_read_tokens,
            request.cache_write_5m_tokens,
            request.cache_write_1h_tokens,
            request.output_tokens,
            request.cost or 0.0,
        ),
        price,
    )


def billed(row: Spending, price: Price) -> Spending:
    """Requests at another price than they were billed at."""
    rule = (row.quarter, row.model, row.engine, row.tier, row.above, False)
    sums = (
        row.requests,
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.output_tokens,
        None,
    )
    return _row(rule, sums, price)


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


def _row(
    rule: tuple[int, str, str, str, int, bool], row: Sequence[Any], price: Price | None
) -> Spending:
    """What requests that are billed by one rule come to; rates make it a matter of their sums."""
    requests, tokens, read, short, long, output, cost = row
    *_, above, reported = rule
    if not reported:
        cost = None
        if price is not None:
            cost = price.fee * requests + prices.cost(
                price.rates_above(above),
                input_tokens=tokens,
                cache_read_tokens=read,
                cache_write_5m_tokens=short,
                cache_write_1h_tokens=long,
                output_tokens=output,
            )
    return Spending(*rule[:5], requests, tokens, read, short, long, output, cost, reported)


_by_rule = itemgetter(0)
