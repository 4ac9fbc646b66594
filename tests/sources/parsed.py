"""What the tests of transcripts ask of a parser."""

from __future__ import annotations

import json

from rad_lsp.core import transcript
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
        (tokens.input, tokens.cache_read, tokens.output)
        for tokens in (record.request.tokens for record in parser.requests.values())
    ]


def spending(parser):
    """All requests by slot, model and rule, by the price list."""
    return transcript.rows(parser.requests.values(), Prices())


def cost(parser):
    """USD of all requests, by the price list."""
    return sum(row.cost for row in spending(parser))


def tools(parser):
    """The tool calls that have ended and were not taken back, in the order of their numbers."""
    return [record for _, record in sorted(parser.tools.items()) if record is not None]


def calls(parser):
    """Name and outcome of each tool call."""
    return [(record.name, record.outcome) for record in tools(parser)]


def ran(parser):
    """From when to when each tool call ran of which that is known, in milliseconds."""
    return [
        (record.start, record.start + record.duration)
        for record in tools(parser)
        if record.duration is not None
    ]


def ended(parser):
    """The tool calls as a session is made of them."""
    return [transcript.tool_row(tool) for tool in tools(parser)]


def session(source, parser):
    """The only session in a transcript."""
    return transcript.session(source, "/t", [only(parser)], spending(parser), ended(parser))
