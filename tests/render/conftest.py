"""Sessions and snapshots to render."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rad_lsp.sources import radium


@pytest.fixture(scope="session")
def now():
    return datetime(2025, 12, 10, tzinfo=UTC)


@pytest.fixture(scope="session")
def session(report_bytes):
    """The session of a report with some metrics replaced."""
    return lambda session_id="s", **changes: radium.parse(
        f"/w/{session_id}.json", report_bytes(session_id=session_id, **changes)
    )


@pytest.fixture(scope="session")
def usage():
    """Usage as a report stores it."""
    return lambda requests=1, tokens_in=2, tokens_out=3, cached=4, cost=0.5: {
        "requests": requests,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cached_tokens": cached,
        "estimated_cost": cost,
    }


@pytest.fixture(scope="session")
def snapshot(golden, reports_of):
    """The snapshot of a golden workspace."""
    return lambda name: reports_of(golden(name))
