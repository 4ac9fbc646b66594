"""A session with round figures, to change."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, settings

from rad_lsp.core.session import Session, Usage

# A busy machine is no failure, and no test leaves anything in the checkout.
settings.register_profile(
    "unhurried", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

SECOND = 1_000_000_000

_SESSION = Session(
    id="s",
    source="radium",
    path="/w/.radium/_internals/sessions/s.json",
    start_time=datetime(2025, 12, 7, 9, tzinfo=UTC),
    end_time=datetime(2025, 12, 7, 10, tzinfo=UTC),
    generated_at=datetime(2025, 12, 9, tzinfo=UTC),
    wall_time=3600 * SECOND,
    agent_active_time=1000 * SECOND,
    api_time=400 * SECOND,
    tool_time=600 * SECOND,
    tool_calls=10,
    successful_tool_calls=8,
    failed_tool_calls=2,
    approvals_allowed=0,
    approvals_denied=0,
    approvals_asked=0,
    lines_added=50,
    lines_removed=20,
    files_changed=None,
    models=(Usage("a", 3, 700, 70, 100, 0.75), Usage("b", 1, 300, 30, 50, 0.25)),
    engines=(Usage("e", 4, 1000, 100, 150, 1.0),),
    cached_tokens=150,
    cache_creation_tokens=40,
    cache_read_tokens=110,
    cost=1.0,
)


@pytest.fixture(scope="session")
def session():
    """The session with some fields replaced."""
    return lambda **changes: msgspec.structs.replace(_SESSION, **changes)
