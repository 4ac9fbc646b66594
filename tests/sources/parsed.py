"""What the tests of transcripts ask of a parser."""

from __future__ import annotations

import json

from rad_lsp.core.spending import tally
from rad_lsp.pricing import Prices


def encoded(*lines):
    """Records as lines of a transcript; bytes are taken as they are."""
    return b"".join(
        entry if isinstance(entry, bytes) else json.dumps(entry).encode() + b"\n" for entry in lines
    )


def only(parser):
    """The facts of a transcript with one session."""
    (facts,) = parser.facts.values()
    return facts


def requests(parser):
    """Input, cached and output tokens of each request."""
    return [
        (r.input_tokens, r.cache_read_tokens, r.output_tokens)
        for r in (seen.request for seen in parser.requests.values())
    ]


def cost(parser):
    """USD of all requests, by the price list."""
    rows = tally((seen.request for seen in parser.requests.values()), Prices())
    return sum(row.cost for row in rows)
