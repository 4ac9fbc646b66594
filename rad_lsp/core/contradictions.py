"""Figures of a session that contradict each other: shown as written, and pointed out."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from rad_lsp.core import figures, problems, tool_calls, wording
from rad_lsp.core.problems import Problem
from rad_lsp.core.wording import usd

if TYPE_CHECKING:
    from rad_lsp.core.document import Path
    from rad_lsp.core.session import Session

_COST_TOLERANCE = 0.01
"""Share by which a total may differ from the sum of the models before it is pointed out."""

_OUTCOMES = {"ok": "successful", "failed": "failed", "denied": "denied"}


def find(session: Session, stem: str) -> tuple[Problem, ...]:
    """The warnings about a session read from a report named `stem`.json."""
    found: list[Problem] = []
    ended = session.failed_tool_calls + session.successful_tool_calls
    if ended > session.tool_calls:
        message = (
            f"{session.successful_tool_calls:,} successful and {session.failed_tool_calls:,} "
            f"failed tool calls are more than the {session.tool_calls:,} tool calls counted"
        )
        found.append(_warning(problems.TOOL_CALLS_MISMATCH, message, "tool_calls"))
    if outcome := tool_calls.excess(session):
        message = (
            f"The {_OUTCOMES[outcome]} tool calls by name are more than the total: "
            "none are counted by name"
        )
        found.append(_warning(problems.TOOL_CALLS_MISMATCH, message, "calls_by_tool"))
    if session.end_time is not None and session.end_time < session.start_time:
        message = "The session ends before it starts"
        found.append(_warning(problems.END_BEFORE_START, message, "end_time"))
    models = figures.models_cost(session)
    if session.models and models is not None and session.cost is not None:
        larger = max(abs(models), abs(session.cost))
        if abs(models - session.cost) > _COST_TOLERANCE * larger:
            message = (
                f"The total cost of {usd(session.cost)} differs from the models' "
                f"{usd(models)} by over 1%"
            )
            found.append(_warning(problems.COST_MISMATCH, message, "total_cost"))
    if unpriced := wording.unpriced(session.models):
        path: Path = ("metrics", "model_usage")
        found.append(Problem(problems.UNPRICED, unpriced, "information", path))
    # File systems may store a name decomposed that was written composed.
    if session.id != stem and unicodedata.normalize("NFC", stem) != session.id:
        message = "The file is not named after its session id"
        found.append(_warning(problems.ID_MISMATCH, message, "session_id"))
    return tuple(found)


def _warning(code: str, message: str, key: str) -> Problem:
    path: Path = ("metrics", key)
    return Problem(code, message, "warning", path)
