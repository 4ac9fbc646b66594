"""Counts of tokens by the class that they are billed as."""

from __future__ import annotations

from typing import Final

import msgspec


class Tokens(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Tokens of one or more requests; no token is in two classes.

    `fresh` input tokens were neither read from the cache nor written to it. Written ones are kept
    there for five minutes or for an hour. `output` is all that is billed as output.
    """

    fresh: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0

    @property
    def cache_write(self) -> int:
        """Tokens written to the cache."""
        return self.cache_write_5m + self.cache_write_1h

    @property
    def input(self) -> int:
        """All input tokens, those read from and written to the cache included."""
        return self.fresh + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.fresh + other.fresh,
            self.cache_read + other.cache_read,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.output + other.output,
        )


NO_TOKENS: Final = Tokens()


def of_input(
    input_tokens: int, cache_read: int, cache_write_5m: int, cache_write_1h: int, output: int
) -> Tokens:
    """Tokens of a source whose input tokens include those read from and written to the cache.

    Where fewer input than cached tokens are told, there are no fresh ones: that is no credit.
    """
    fresh = input_tokens - cache_read - cache_write_5m - cache_write_1h
    return Tokens(max(fresh, 0), cache_read, cache_write_5m, cache_write_1h, output)
