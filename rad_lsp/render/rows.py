"""Answers in the shapes of Radium's own `--json`, as plain values with snake_case keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rad_lsp import wire
from rad_lsp.core.report import NANOS_PER_SECOND

if TYPE_CHECKING:
    from rad_lsp.core.comparison import Comparison, Metric
    from rad_lsp.core.cost import CostTable
    from rad_lsp.core.usage import UsageTable


def usage(found: UsageTable) -> list[dict[str, Any]]:
    """A row per model or engine."""
    return [
        {
            found.kind: row.name,
            "requests": row.requests,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "cached_tokens": row.cached_tokens,
            "estimated_cost": row.cost,
        }
        for row in found.rows
    ]


def cost(found: CostTable) -> dict[str, Any]:
    """The wire's answer in snake_case, without its text."""
    answer = wire.cost(found, text="", markdown="")
    plain: dict[str, Any] = _snake(answer)
    return {key: value for key, value in plain.items() if key not in {"text", "markdown"}}


def status(found: wire.Status) -> dict[str, Any]:
    """The wire's status in snake_case, without its tooltip."""
    plain: dict[str, Any] = _snake(found)
    return {key: value for key, value in plain.items() if key != "tooltip"}


def comparison(found: Comparison) -> dict[str, Any]:
    """B against A: signed deltas, percentages of A (null from 0), times in seconds."""
    tokens, cost, wall = found["totalTokens"], found["cost"], found["wallTime"]
    return {
        "session_a": found.a.id,
        "session_b": found.b.id,
        "token_delta": tokens.delta,
        "token_percentage_change": tokens.percent,
        "cost_delta": cost.delta,
        "cost_percentage_change": cost.percent,
        "wall_time_delta_secs": _seconds(wall),
        "wall_time_percentage_change": wall.percent,
        "agent_active_time_delta_secs": _seconds(found["agentActiveTime"]),
        "tool_calls_delta": found["toolCalls"].delta,
        "success_rate_delta": found["successRate"].delta,
        "lines_added_delta": found["linesAdded"].delta,
        "lines_removed_delta": found["linesRemoved"].delta,
    }


def _snake(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _snake(getattr(value, name)) for name in value.__struct_fields__}
    return [_snake(item) for item in value] if isinstance(value, tuple) else value


def encode(value: Any, *, indent: int = 2) -> bytes:
    """JSON with an indent and a line feed; on one line when `indent` is -1."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"


def _seconds(metric: Metric) -> float:
    """A delta in seconds, whole where it is."""
    nanoseconds = int(metric.delta or 0)
    seconds, rest = divmod(nanoseconds, NANOS_PER_SECOND)
    return nanoseconds / NANOS_PER_SECOND if rest else seconds
