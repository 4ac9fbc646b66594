"""Requests to models, and what they add up to: tokens and money per quarter of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from rad_lsp.core import price as prices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.price import Price

QUARTER: Final = 15 * 60
"""Seconds. Every time zone's days begin at the start of such a quarter of an hour."""

_MILLISECONDS: Final = QUARTER * 1000


class Request(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """One request to a model.

    `time` is in milliseconds since the epoch; `input_tokens` include those read from and written
    to the cache, `output_tokens` all that is billed as such. `engine` is the provider's id where
    it is known, `tier` a service tier other than the standard one. `cost` is USD where the
    provider gives it.
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


class Spending(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Requests of one quarter of an hour to one model that are billed by one rule.

    `quarter` counts quarters of an hour since the epoch, in UTC. `above` is the number of input
    tokens that each of the requests exceeds and that makes its rate another; 0 for none. `cost`
    is USD, None where no price is known; `reported` tells that the provider gave it.
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

    Each is priced by itself, because a rate may depend on its size. What the provider says that
    it cost counts before what the price list says.
    """
    rows: dict[tuple[int, str, str, str, int, bool, bool], Spending] = {}
    for request in requests:
        row = priced(request, price_list)
        key = (
            row.quarter,
            row.model,
            row.engine,
            row.tier,
            row.above,
            row.cost is None,
            row.reported,
        )
        other = rows.get(key)
        rows[key] = row if other is None else added(other, row)
    return tuple(rows[key] for key in sorted(rows))


def priced(request: Request, price_list: PriceList) -> Spending:
    """One request, priced."""
    quarter = request.time // _MILLISECONDS
    price = price_list.price(request.model, request.engine, quarter, request.tier)
    above = 0
    cost = request.cost
    if price is not None:
        above = price.above(request.input_tokens)
        if cost is None:
            cost = price.fee + prices.cost(
                price.rates_above(above),
                input_tokens=request.input_tokens,
                cache_read_tokens=request.cache_read_tokens,
                cache_write_5m_tokens=request.cache_write_5m_tokens,
                cache_write_1h_tokens=request.cache_write_1h_tokens,
                output_tokens=request.output_tokens,
            )
    return Spending(
        quarter,
        request.model,
        request.engine,
        request.tier,
        above,
        1,
        request.input_tokens,
        request.cache_read_tokens,
        request.cache_write_5m_tokens,
        request.cache_write_1h_tokens,
        request.output_tokens,
        cost,
        request.cost is not None,
    )


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
