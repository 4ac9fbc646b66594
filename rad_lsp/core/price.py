"""What a model's tokens cost: rates, the brackets they depend on, and the arithmetic.

Where the rates come from is not known here; see `rad_lsp.pricing`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, TypeAlias

import msgspec

LOCAL: Final = "local"
"""The origin of the price of a model that runs on the user's own machine."""

SETTINGS: Final = "settings"
"""The origin of a price that the user has set."""

MILLION: Final = 1_000_000

Rate: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
"""USD per million tokens."""


class Rates(msgspec.Struct, frozen=True, gc=False):
    """USD per million tokens of each class. `input` is for tokens that no cache has to do with."""

    input: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    output: float


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's own price, in USD per million tokens.

    A class without a rate is billed as the one that it is part of: tokens read from the cache
    and written to it as input, those written for an hour as those written for five minutes.
    """

    input: Rate
    output: Rate
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None

    @property
    def rates(self) -> Rates:
        """A rate for each class."""
        read = self.input if self.cache_read is None else self.cache_read
        short = self.input if self.cache_write_5m is None else self.cache_write_5m
        long = short if self.cache_write_1h is None else self.cache_write_1h
        return Rates(self.input, read, short, long, self.output)


class Price(msgspec.Struct, frozen=True):
    """A model's price on a day, and where it comes from.

    `rates[0]` holds up to `brackets[0]` input tokens of a request, cached ones included;
    `rates[1]`, for all of its tokens, above that; and so on. `model` and `provider` are the price
    list's names, `tier` is the service tier that was found in it, `since` the day from which
    the price holds, where the list has one. `fee` is USD for each request.
    """

    model: str
    provider: str
    origin: str
    rates: tuple[Rates, ...]
    brackets: tuple[int, ...] = ()
    tier: str = ""
    since: date | None = None
    fee: float = 0.0

    def above(self, input_tokens: int) -> int:
        """The limit that a request with so many input tokens in all exceeds; 0 for none."""
        found = 0
        for limit in self.brackets:
            if input_tokens > limit:
                found = limit
        return found

    def rates_above(self, limit: int) -> Rates:
        """The rates of requests that exceed a limit, one that `above` returned."""
        return self.rates[self.brackets.index(limit) + 1 if limit in self.brackets else 0]


def cost(
    rates: Rates,
    *,
    input_tokens: int,
    cache_read_tokens: int,
    cache_write_5m_tokens: int,
    cache_write_1h_tokens: int,
    output_tokens: int,
) -> float:
    """USD for tokens; `input_tokens` includes those read from and written to the cache."""
    fresh = input_tokens - cache_read_tokens - cache_write_5m_tokens - cache_write_1h_tokens
    return (
        # Where a source has more cached than input tokens, that is no credit.
        max(fresh, 0) * rates.input
        + cache_read_tokens * rates.cache_read
        + cache_write_5m_tokens * rates.cache_write_5m
        + cache_write_1h_tokens * rates.cache_write_1h
        + output_tokens * rates.output
    ) / MILLION
