"""Sessions made from reports."""

from __future__ import annotations

import pytest

from rad_lsp.sources import radium


@pytest.fixture(scope="session")
def session(report_bytes):
    """The session of a report with that id and some metrics replaced."""
    return lambda session_id, **changes: radium.parse(
        f"/w/{session_id}.json", report_bytes(session_id=session_id, **changes)
    )
