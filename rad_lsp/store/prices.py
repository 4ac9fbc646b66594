"""Prices as they were looked up last: the price list takes longer to load than all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from rad_lsp.core.price import Price

if TYPE_CHECKING:
    from rad_lsp.pricing import Prices
    from rad_lsp.store.database import Database

_Key: TypeAlias = tuple[str, str, str]


class KeptPrices:
    """A price list whose answers the index keeps, until `list_key` is another."""

    def __init__(self, database: Database, prices: Prices, list_key: str) -> None:
        self._database = database
        self._prices = prices
        self._list_key = list_key
        self._known: dict[_Key, tuple[int, dict[int, Price | None]]] | None = None

    def price(self, model: str, engine: str, quarter: int, tier: str) -> Price | None:
        """The price of a model in a quarter of an hour; None when none is known.

        Must be asked within a transaction, in which what is new is kept.
        """
        if self._known is None:
            self._known = self._load()
        key = (model, engine, tier)
        quarters, known = self._known.get(key, (0, {}))
        if quarters and quarter // quarters in known:
            return known[quarter // quarters]
        found = self._prices.price(model, engine, quarter, tier)
        quarters = self._prices.quarters(model, engine, tier)
        known = self._known.setdefault(key, (quarters, {}))[1]
        known[quarter // quarters] = found
        if quarters > 1:  # a price by the hour would be too many
            self._database.connection.execute(
                "INSERT OR REPLACE INTO price VALUES (?,?,?,?,?,?,?)",
                (self._list_key, *key, quarters, quarter // quarters, _to_bytes(found)),
            )
        return found

    def _load(self) -> dict[_Key, tuple[int, dict[int, Price | None]]]:
        found: dict[_Key, tuple[int, dict[int, Price | None]]] = {}
        db = self._database.connection
        db.execute("DELETE FROM price WHERE list <> ?", (self._list_key,))
        for *key, quarters, number, price in db.execute(
            "SELECT model, engine, tier, quarters, number, price FROM price"
        ):
            model, engine, tier = key
            known = found.setdefault((model, engine, tier), (quarters, {}))[1]
            known[number] = _to_price(price)
        return found


_to_bytes: Final = msgspec.msgpack.Encoder().encode
_to_price: Final = msgspec.msgpack.Decoder(Price | None).decode
