"""Requests of a transcript as they are stored: a column for each field, names only once."""

from __future__ import annotations

import msgspec

from rad_lsp.core.spending import Request
from rad_lsp.core.transcript import Seen


class _Piece(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Columns of equal length; `names` are pairs of a session and a rule, by their place."""

    sessions: list[str]
    rules: list[tuple[str, str, str]]
    keys: list[str]
    variants: list[str]
    names: list[tuple[int, int]]
    flags: list[int]
    times: list[int]
    numbers: list[tuple[int, int, int, int, int, int]]
    costs: list[float | None]


def pack(requests: list[Seen]) -> bytes:
    """Requests as bytes."""
    sessions: dict[str, int] = {}
    rules: dict[tuple[str, str, str], int] = {}
    names = []
    flags = []
    times = []
    numbers = []
    costs: list[float | None] = []
    for seen in requests:
        request = seen.request
        rule = (request.model, request.engine, request.tier)
        names.append(
            (
                sessions.setdefault(seen.session_id, len(sessions)),
                rules.setdefault(rule, len(rules)),
            )
        )
        flags.append(seen.side + 2 * seen.final + 4 * seen.billed)
        times.append(request.time)
        numbers.append(
            (
                request.input_tokens,
                request.cache_read_tokens,
                request.cache_write_5m_tokens,
                request.cache_write_1h_tokens,
                request.output_tokens,
                request.requests,
            )
        )
        if request.cost is not None:
            costs += [None] * (len(times) - 1 - len(costs))
            costs.append(request.cost)
    keys = [seen.key for seen in requests]
    variants = [seen.variant for seen in requests]
    return _encode(
        _Piece([*sessions], [*rules], keys, variants, names, flags, times, numbers, costs)
    )


def unpack(data: bytes) -> list[Seen]:
    """The requests in bytes that `pack` has made. Raises msgspec.DecodeError."""
    piece = _decode(data)
    costs = piece.costs + [None] * (len(piece.keys) - len(piece.costs))
    found = []
    for key, variant, (session, rule), flags, time, numbers, cost in zip(
        piece.keys,
        piece.variants,
        piece.names,
        piece.flags,
        piece.times,
        piece.numbers,
        costs,
        strict=True,
    ):
        model, engine, tier = piece.rules[rule]
        *tokens, requests = numbers
        request = Request(
            **dict(zip(_TOKENS, tokens, strict=True)),
            time=time,
            model=model,
            engine=engine,
            tier=tier,
            cost=cost,
            requests=requests,
        )
        session_id = piece.sessions[session]
        side, final, billed = bool(flags & 1), bool(flags & 2), bool(flags & 4)
        found.append(Seen(key, session_id, request, variant, side, final, billed))
    return found


_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Piece).decode
