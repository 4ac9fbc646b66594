"""Answers as Radium's own `--json` has them: plain values with snake_case keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.render import answers, layout

if TYPE_CHECKING:
    from rad_lsp import wire
    from rad_lsp.core.comparison import Comparison
    from rad_lsp.core.cost import CostTable
    from rad_lsp.core.session import Usage
    from rad_lsp.core.usage import UsageTable

_CAPITAL: Final = re.compile("[A-Z]")

_COMPARED: Final = {
    "total_tokens": True,
    "cost": True,
    "wall_time": True,
    "agent_active_time": False,
    "tool_calls": False,
    "success_rate": False,
    "lines_added": False,
    "lines_removed": False,
}
"""The figures of a comparison, and whether Radium also has the percentage of their change."""


def usage(table: UsageTable) -> list[dict[str, Any]]:
    """A row per model or engine.

    One whose name is not known has a null, and the ids of its sessions; one that several spellings
    have in common has them.
    """
    return [_usage(table, row) for row in table.rows]


def _usage(table: UsageTable, usage: Usage) -> dict[str, Any]:
    names = {"name": table.kind, "cost": "estimated_cost"}
    row = _snake(msgspec.to_builtins(answers.usage_row(usage)))
    row = {names.get(key, key): value for key, value in row.items()}
    row[table.kind] = usage.name or None
    if spellings := table.spellings.get(usage.name):
        row["spellings"] = spellings
    if not usage.name and table.without_engine:
        row["sessions"] = table.without_engine
    return row


def cost(table: CostTable) -> dict[str, Any]:
    """The wire's answer with snake_case keys, without its texts."""
    row: dict[str, Any] = _snake(msgspec.to_builtins(answers.cost(table, None)))
    del row["text"], row["markdown"]
    return row


def answer(
    result: wire.TrendResult | wire.ToolsResult | wire.BudgetResult,
) -> dict[str, Any]:
    """A wire's answer with snake_case keys, without its texts."""
    row: dict[str, Any] = _snake(msgspec.to_builtins(result))
    del row["text"], row["markdown"]
    return row


def status(status: wire.Status) -> dict[str, Any]:
    """The wire's status with snake_case keys, without its tooltip."""
    row: dict[str, Any] = _snake(msgspec.to_builtins(status))
    del row["tooltip"]
    return row


def limits(limits: wire.LimitsResult) -> dict[str, Any]:
    """The wire's limits with snake_case keys, without their texts."""
    row: dict[str, Any] = _snake(msgspec.to_builtins(limits))
    del row["text"], row["markdown"]
    return row


def part(of_answer: msgspec.Struct) -> dict[str, Any]:
    """A part of a wire's answer with snake_case keys."""
    row: dict[str, Any] = _snake(msgspec.to_builtins(of_answer))
    return row


def comparison(comparison: Comparison) -> dict[str, Any]:
    """B against A: signed deltas, percentages of A (null where A is 0), times in seconds."""
    row: dict[str, Any] = {"session_a": comparison.a.id, "session_b": comparison.b.id}
    for name in (*_COMPARED, *(figure.name for figure in layout.OTHERS if figure.better)):
        metric = comparison[name]
        prefix = "token" if name == "total_tokens" else name
        if metric.figure.unit == "nanoseconds":
            row[f"{prefix}_delta_secs"] = _seconds(metric.delta)
        else:
            row[f"{prefix}_delta"] = metric.delta
        if _COMPARED.get(name):
            row[f"{prefix}_percentage_change"] = metric.percent
    if comparison.notes:
        row["notes"] = comparison.notes
    return row


def encode(value: Any, *, indent: int = 2) -> bytes:
    """JSON with an indent and a line feed; on one line when `indent` is -1."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {_CAPITAL.sub(r"_\g<0>", key).lower(): _snake(item) for key, item in value.items()}
    return [_snake(item) for item in value] if isinstance(value, (list, tuple)) else value


def _seconds(nanoseconds: float | None) -> float | None:
    """Seconds, as a whole number where possible."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(int(nanoseconds), NANOS_PER_SECOND)
    return nanoseconds / NANOS_PER_SECOND if rest else seconds
