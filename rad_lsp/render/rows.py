"""What commands print as JSON: plain values with snake_case keys, Radium's where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rad_lsp.core.report import NANOS_PER_SECOND, Report
from rad_lsp.render import layout, outputs

if TYPE_CHECKING:
    from rad_lsp import wire
    from rad_lsp.core.comparison import Comparison
    from rad_lsp.core.session import Usage
    from rad_lsp.core.usage import UsageTable


def usage(table: UsageTable) -> list[dict[str, Any]]:
    """A row per model or engine; `outputs` tells what its keys mean."""
    return [_usage(table, row) for row in table.rows]


def _usage(table: UsageTable, usage: Usage) -> dict[str, Any]:
    row: dict[str, Any] = {table.kind: usage.name or None}
    row |= {figure.name: getattr(usage, figure.name) for figure in layout.USAGE[:-1]}
    row |= {"estimated_cost": usage.cost, "cost": usage.cost}
    row["cost_is_lower_bound"] = usage.money.is_lower_bound
    if table.kind == "model":
        row["spellings"] = table.spellings.get(usage.name, ())
    else:
        row["sessions"] = None if usage.name else table.without_engine
    return row


def answer(result: msgspec.Struct) -> dict[str, Any]:
    """An answer of the wire as output; `outputs` tells what that changes."""
    row: dict[str, Any] = msgspec.to_builtins(outputs.of(result))
    return row


def session(stored: bytes, summary: wire.SessionSummary) -> dict[str, Any]:
    """A report value for value, with our keys beside its own.

    Ours take the place of keys that no report of Radium has: `stored` may come from anyone.
    """
    report = msgspec.json.decode(stored, type=dict[str, msgspec.Raw])
    ours = answer(summary)
    return report | {key: ours[key] for key in ours if key not in Report.__struct_fields__}


def comparison(comparison: Comparison) -> dict[str, Any]:
    """B against A: signed deltas, percentages of A (null where A is 0), times in seconds."""
    row: dict[str, Any] = {"session_a": comparison.a.id, "session_b": comparison.b.id}
    for delta in outputs.DELTAS:
        value = getattr(comparison[delta.figure], delta.field)
        row[delta.key] = _seconds(value) if delta.is_time else value
    row["cost_is_lower_bound"] = comparison["cost"].partial
    row["notes"] = comparison.notes
    return row


def encode(value: Any, *, indent: int = 2) -> bytes:
    """JSON with an indent and a line feed; on one line when `indent` is -1."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"


def _seconds(nanoseconds: float | None) -> float | None:
    """Seconds, as a whole number where possible."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(int(nanoseconds), NANOS_PER_SECOND)
    return nanoseconds / NANOS_PER_SECOND if rest else seconds
