"""Rows of the index, above all requests and tool calls, within a transaction."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from rad_lsp.core.spending import SLOT_MS, Request, billed
from rad_lsp.core.tokens import Tokens
from rad_lsp.store import names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from rad_lsp.core.price import Price
    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.transcript import RequestRecord, ToolRecord
    from rad_lsp.store.names import Names
    from rad_lsp.store.sessions import Changed

_LARGEST: Final = 2**45
"""A larger count is no agent's; sums of these still fit into SQLite's integers."""

_MANY: Final = 10_000
"""Rows that wait at most."""

_PUT_REQUEST: Final = f"INSERT OR REPLACE INTO request VALUES ({'?,' * 21}0, 1)"
_PUT_TOOL: Final = f"INSERT OR REPLACE INTO tool VALUES ({'?,' * 14}1)"


class Rows:
    """Writes the rows of one source, many at a time; `flush` writes those that wait.

    Where methods take `sessions`, these are the numbers of sessions by their ids.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        source: str,
        prices: PriceList,
        names: Names,
        changed: Changed,
    ) -> None:
        self._db = db
        self._source = source
        self._prices = prices
        self._names = names
        self._changed = changed
        self._waiting: dict[str, list[tuple[Any, ...]]] = {}
        self._count = 0

    def put(self, statement: str, *rows: tuple[Any, ...]) -> None:
        """Run a statement with each of the rows, by the next `flush` at the latest."""
        self._waiting.setdefault(statement, []).extend(rows)
        self._count += len(rows)
        if self._count > _MANY:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for statement, rows in self._waiting.items():
            self._db.executemany(statement, rows)
        self._waiting.clear()
        self._count = 0

    def put_requests(
        self,
        file: int,
        sessions: Mapping[str, int],
        records: Iterable[RequestRecord],
        *,
        goes_on: bool = False,
    ) -> list[int]:
        """Store a file's requests; returns the keys by which copies of them are found.

        `goes_on` tells that requests of the file were stored before: of a request's records in
        one file the one with the most output counts.
        """
        rows = []
        keys = []
        rule: tuple[int, str, str, str] | None = None
        price: Price | None = None
        numbers: tuple[int, int, int] = (0, 0, 0)
        for record in records:
            request, final = record.request, record.final
            session = sessions[record.session_id]
            key = self._key(record.key)
            variant = crc32(record.variant.encode())
            if key:
                keys.append(key)
            if goes_on:
                later = self._later((session, file, key, variant), request, final=final)
                if later is None:
                    continue
                request, final = later
            now = (request.time // SLOT_MS, request.model, request.engine, request.tier)
            if now != rule:  # most often it is that of the request before
                rule = now
                slot, model, engine, tier = now
                # A report's sums cost what it says: their size tells nothing of each request.
                known = record.is_sum and request.cost is not None
                price = None if known else self._prices.price(model, engine, slot, tier)
                numbers = (self._names[model], self._names[engine], self._names[tier])
            threshold, usd = billed(request, price) if record.billed else (0, None)
            counts = (request.requests, *msgspec.structs.astuple(request.tokens), request.searches)
            if sum(counts) > _LARGEST:
                counts = tuple(min(count, _LARGEST) for count in counts)
            is_reported = request.cost is not None or not record.billed
            # Plus makes a number of a boolean, which SQLite takes in a fraction of the time.
            flags = (+record.side, +final, +record.is_sum)
            place = (session, file, key, variant)
            rows.append(
                (*place, request.time, *numbers, *counts, usd, +is_reported, threshold, *flags)
            )
        self._changed.touch_keys(keys)
        self.put(_PUT_REQUEST, *rows)
        return keys

    def put_tools(
        self, file: int, sessions: Mapping[str, int], tools: Mapping[int, ToolRecord | None]
    ) -> None:
        """Store a file's tool calls by their number within it; None takes one back."""
        rows = []
        asked, request = "", 0
        for number, tool in tools.items():
            if tool is None:
                self._db.execute(
                    "DELETE FROM tool WHERE file = ? AND key = ? "
                    "AND session IN (SELECT session FROM part WHERE file = ?)",
                    (file, number, file),
                )
            else:
                place = (sessions[tool.session_id], file, number, self._names[tool.name])
                if tool.request != asked:  # several calls of one answer follow each other
                    asked = tool.request
                    request = self._key(asked)
                rows.append(
                    (
                        *place,
                        tool.start,
                        tool.duration and min(tool.duration, _LARGEST),
                        tool.outcome,
                        min(tool.calls, _LARGEST),
                        +tool.is_sum,
                        request,
                        +tool.waited,
                        min(tool.lines_added, _LARGEST),
                        min(tool.lines_removed, _LARGEST),
                        tool.changed_file,
                    )
                )
        self.put(_PUT_TOOL, *rows)

    def reprice(self) -> None:
        """Price all requests of the source anew that the price list has to do with."""
        texts = names.texts(self._db)
        rows = self._db.execute(
            "SELECT request.session, request.file, key, variant, time, model, engine, tier, "
            "requests, fresh, cache_read, cache_write_5m, cache_write_1h, output, searches "
            "FROM request JOIN session ON id = session WHERE source = ? AND NOT reported",
            (self._source,),
        )
        changes = []
        for row in rows:
            place, (time, model, engine, tier, requests, *tokens, searches) = row[:4], row[4:]
            model, engine, tier = (names.named(texts, number) for number in (model, engine, tier))
            request = Request(
                time=time, model=model, engine=engine, tier=tier,
                tokens=Tokens(*tokens), requests=requests,
                searches=searches,
            )  # fmt: skip
            slot = time // SLOT_MS
            price = self._prices.price(request.model, request.engine, slot, request.tier)
            changes.append((*billed(request, price), *place))
        self._db.executemany(
            "UPDATE request SET threshold = ?, usd = ? "
            "WHERE session = ? AND file = ? AND key = ? AND variant = ?",
            changes,
        )

    def _key(self, key: str) -> int:
        """The number by which copies of a request are found; 0 where there are none."""
        return _hash(f"{self._source} {key}") if key else 0

    def _later(
        self, place: tuple[int, int, int, int], request: Request, *, final: bool
    ) -> tuple[Request, bool] | None:
        """A request and whether it is final, with what is stored of it; None where that counts."""
        row = self._db.execute(
            "SELECT time, output, searches, final FROM request "
            "WHERE session = ? AND file = ? AND key = ? AND variant = ?",
            place,
        ).fetchone()
        if row is None:
            return request, final
        time, output, searches, was_final = row
        final = final or bool(was_final)
        if output > request.tokens.output:
            self._db.execute(
                "UPDATE request SET final = ? "
                "WHERE session = ? AND file = ? AND key = ? AND variant = ?",
                (final, *place),
            )
            return None
        most = max(searches, request.searches)
        return msgspec.structs.replace(request, time=time, searches=most), final


def _hash(text: str) -> int:
    """A number of 63 bits that stands for a text; never 0."""
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1 or 1
