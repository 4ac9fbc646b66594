"""Answers as Radium's own `--json` has them: plain values with snake_case keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core.report import NANOS_PER_SECOND
from rad_lsp.render import answers, layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp import wire
    from rad_lsp.core.comparison import Comparison
    from rad_lsp.core.cost import CostTable
    from rad_lsp.core.usage import UsageTable


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
    """A row per model or engine."""
    keys = ("requests", "input_tokens", "output_tokens", "cached_tokens", "estimated_cost")
    return [
        {table.kind: row.name, **dict(zip(keys, layout.usage_values(row), strict=True))}
        for row in table.rows
    ]


def cost(table: CostTable) -> dict[str, Any]:
    """The wire's answer with snake_case keys, without its texts."""
    return _snake(answers.cost(table, None), without=("text", "markdown"))


def status(status: wire.Status) -> dict[str, Any]:
    """The wire's status with snake_case keys, without its tooltip."""
    return _snake(status, without=("tooltip",))


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
    return row


def encode(value: Any, *, indent: int = 2) -> bytes:
    """JSON with an indent and a line feed; on one line when `indent` is -1."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"


def _snake(answer: msgspec.Struct, without: Sequence[str] = ()) -> dict[str, Any]:
    names = [name for name in answer.__struct_fields__ if name not in without]
    return {name: _plain(getattr(answer, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _snake(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _seconds(nanoseconds: float | None) -> float | None:
    """Seconds, as a whole number where possible."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(int(nanoseconds), NANOS_PER_SECOND)
    return nanoseconds / NANOS_PER_SECOND if rest else seconds
