"""Prices that were looked up before: loading the price list takes longer than most updates."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Protocol

import msgspec

from rad_lsp.core.price import Price
from rad_lsp.store import seals
from rad_lsp.store.index import checksum, decoded

if TYPE_CHECKING:
    from collections.abc import Collection

    from rad_lsp.store.index import Index


class Prices(Protocol):
    """A price list; `key` changes when another one is installed."""

    @property
    def key(self) -> str:
        """What changes when another list is installed."""

    def price(self, model: str, engine: str, slot: int, tier: str = "") -> Price | None:
        """The price of a model in a slot; None when none is known."""

    def span(self, model: str, engine: str, tier: str = "") -> int:
        """For how many slots since the epoch, at a time, a model has one price."""


class KnownPrices:
    """The prices of a list, those included that the index has from the same list.

    Those of the models in `own` are the user's, and not remembered.
    """

    def __init__(self, index: Index, prices: Prices, own: Collection[str] = ()) -> None:
        self._own = {model.lower() for model in own}
        self.key = prices.key
        self._index = index
        self._prices = prices
        self._spans: dict[tuple[str, str, str], int] | None = None
        self._known: dict[tuple[str, str, str, int], Price | None] = {}
        self._new: dict[tuple[str, str, str, int], Price | None] = {}

    def price(self, model: str, engine: str, slot: int, tier: str = "") -> Price | None:
        """The price of a model in a slot; None when none is known."""
        if model.lower() in self._own:
            return self._prices.price(model, engine, slot, tier)
        if self._spans is None:
            self._spans = self._load()
        rule = (model, engine, tier)
        span = self._spans.get(rule)
        if span is not None:
            key = (*rule, slot // span)
            if key in self._known:
                return self._known[key]
        price = self._prices.price(model, engine, slot, tier)
        span = self._spans[rule] = self._prices.span(model, engine, tier)
        key = (*rule, slot // span)
        self._known[key] = self._new[key] = price
        return price

    def span(self, model: str, engine: str, tier: str = "") -> int:
        """For how many slots since the epoch, at a time, a model has one price."""
        if self._spans is None:
            self._spans = self._load()
        known = None if model.lower() in self._own else self._spans.get((model, engine, tier))
        return self._prices.span(model, engine, tier) if known is None else known

    @property
    def has_new(self) -> bool:
        """Whether something was looked up that the index does not have."""
        return bool(self._new)

    def save(self, db: sqlite3.Connection) -> None:
        """Remember what was looked up, within a transaction. Raises sqlite3.Error."""
        spans = self._spans or {}
        db.execute("DELETE FROM price WHERE list <> ?", (self.key,))
        db.executemany(
            "INSERT OR REPLACE INTO price VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (*row, checksum(*row))
                for key, price in self._new.items()
                for row in [(*key, self.key, spans[key[:3]], _to_bytes(price))]
            ),
        )
        self._new.clear()

    def _load(self) -> dict[tuple[str, str, str], int]:
        spans: dict[tuple[str, str, str], int] = {}
        # One that is damaged is looked up anew.
        with contextlib.suppress(sqlite3.DatabaseError):
            for row in self._index.connection.execute(
                f"SELECT {seals.PRICE}, checksum FROM price WHERE list = ?", (self.key,)
            ):
                if seals.is_whole(row):
                    model, engine, tier, part, _, span, price, _ = row
                    self._known[model, engine, tier, part] = decoded(price, Price | None)
                    spans[model, engine, tier] = span
        return spans


_to_bytes = msgspec.msgpack.Encoder().encode
