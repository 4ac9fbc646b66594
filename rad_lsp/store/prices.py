"""Prices that were looked up before: loading the price list takes longer than most updates."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core import decoders
from rad_lsp.core.price import Price
from rad_lsp.store.database import decoded

if TYPE_CHECKING:
    from rad_lsp.pricing import Prices
    from rad_lsp.store.database import Database


class KnownPrices:
    """The prices of a list, those remembered that the index has from the same list.

    `list_key` tells one list from another.
    """

    def __init__(self, database: Database, prices: Prices, list_key: str) -> None:
        self._database = database
        self._prices = prices
        self._list_key = list_key
        self._spans: dict[tuple[str, str, str], int] | None = None
        self._known: dict[tuple[str, str, str, int], Price | None] = {}
        self._new: dict[tuple[str, str, str, int], Price | None] = {}

    def price(self, model: str, engine: str, quarter: int, tier: str = "") -> Price | None:
        """The price of a model in a quarter of an hour; None when none is known."""
        if self._spans is None:
            self._spans = self._load()
        rule = (model, engine, tier)
        span = self._spans.get(rule)
        if span is not None:
            key = (*rule, quarter // span)
            if key in self._known:
                return self._known[key]
        found = self._prices.price(model, engine, quarter, tier)
        span = self._spans[rule] = self._prices.span(model, engine, tier)
        key = (*rule, quarter // span)
        self._known[key] = self._new[key] = found
        return found

    def save(self, db: sqlite3.Connection) -> None:
        """Remember what was looked up, within a transaction. Raises sqlite3.Error."""
        spans = self._spans or {}
        db.execute("DELETE FROM price WHERE list <> ?", (self._list_key,))
        db.executemany(
            "INSERT OR REPLACE INTO price VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (self._list_key, *key, spans[key[:3]], _to_bytes(price))
                for key, price in self._new.items()
            ),
        )
        self._new.clear()

    def _load(self) -> dict[tuple[str, str, str], int]:
        spans: dict[tuple[str, str, str], int] = {}
        with contextlib.suppress(sqlite3.DatabaseError):
            for model, engine, tier, part, span, price in self._database.connection.execute(
                "SELECT model, engine, tier, part, span, price FROM price WHERE list = ?",
                (self._list_key,),
            ):
                self._known[model, engine, tier, part] = decoded(_PRICE, price)
                spans[model, engine, tier] = span
        return spans


_to_bytes = msgspec.msgpack.Encoder().encode
_PRICE: Final = decoders.msgpack(Price | None)
