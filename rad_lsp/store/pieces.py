"""Requests of a transcript as they are stored: a column for each field, names only once."""

from __future__ import annotations

from operator import attrgetter
from typing import TypeVar

import msgspec

from rad_lsp.core import decoders
from rad_lsp.core.spending import Request
from rad_lsp.core.transcript import Seen

T = TypeVar("T")


class _Piece(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Columns of equal length; of each request the places of its session and of its rule.

    A column is left out where it would hold nothing but zeros, or no cost.
    """

    sessions: list[str]
    rules: list[tuple[str, str, str]]
    keys: list[str]
    variants: list[str]
    session_of: list[int]
    rule_of: list[int]
    flags: list[int]
    times: list[int]
    numbers: list[tuple[int, int, int, int, int, int]]
    costs: list[float | None]


def pack(requests: list[Seen]) -> bytes:
    """Requests as bytes."""
    told = [seen.request for seen in requests]
    rules = [(one.model, one.engine, one.tier) for one in told]
    session_ids = [seen.session_id for seen in requests]
    different_sessions, session_of = _places(session_ids)
    different_rules, rule_of = _places(rules)
    costs = [one.cost for one in told]
    return _encode(
        _Piece(
            sessions=different_sessions,
            rules=different_rules,
            keys=[seen.key for seen in requests],
            variants=[seen.variant for seen in requests],
            session_of=session_of,
            rule_of=rule_of,
            flags=[seen.side + 2 * seen.final + 4 * seen.billed for seen in requests],
            times=[one.time for one in told],
            numbers=[*map(_numbers, told)],
            costs=costs if costs.count(None) < len(costs) else [],
        )
    )


def names(data: bytes) -> list[tuple[str, str]]:
    """Key and variant of each request in bytes that `pack` has made. Raises msgspec.DecodeError."""
    piece = _PIECE.decode(data)
    return [*zip(piece.keys, piece.variants, strict=True)]


def unpack(data: bytes) -> list[Seen]:
    """The requests in bytes that `pack` has made. Raises msgspec.DecodeError."""
    piece = _PIECE.decode(data)
    count = len(piece.keys)
    costs = piece.costs or [None] * count
    found = []
    for key, variant, session, rule, flags, time, numbers, cost in zip(
        piece.keys,
        piece.variants,
        piece.session_of or [0] * count,
        piece.rule_of or [0] * count,
        piece.flags,
        piece.times,
        piece.numbers,
        costs,
        strict=True,
    ):
        model, engine, tier = piece.rules[rule]
        fresh, read, short, long, output, requests = numbers
        request = Request(
            time=time,
            model=model,
            engine=engine,
            tier=tier,
            input_tokens=fresh,
            cache_read_tokens=read,
            cache_write_5m_tokens=short,
            cache_write_1h_tokens=long,
            output_tokens=output,
            cost=cost,
            requests=requests,
        )
        session_id = piece.sessions[session]
        side, final, billed = bool(flags & 1), bool(flags & 2), bool(flags & 4)
        found.append(Seen(key, session_id, request, variant, side, final, billed))
    return found


def _places(values: list[T]) -> tuple[list[T], list[int]]:
    """The different values, and the place of each value among them where there are several."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return [*places], [places[value] for value in values] if len(places) > 1 else []


_numbers = attrgetter(
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "requests",
)
_encode = msgspec.msgpack.Encoder().encode
_PIECE = decoders.msgpack(_Piece)
