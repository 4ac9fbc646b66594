"""`workspace/executeCommand`, for editors that do not have our own client.

Each command takes one object: the params of the request of the same name. It returns the answer
to that request, and shows a summary of it to the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from lsprotocol import types

from rad_lsp import wire
from rad_lsp.server.features import stats
from rad_lsp.server.registry import command

if TYPE_CHECKING:
    from rad_lsp.server.context import Context

SESSION: Final = "rad.session"
COMPARE: Final = "rad.compare"
EXPORT: Final = "rad.export"


@command(SESSION, wire.SessionParams)
async def session(context: Context, params: wire.SessionParams) -> wire.SessionStats:
    """One session in full."""
    result = await stats.session(context, params)
    _show(context, f"{result.label}: {_line(result)}")
    return result


@command(COMPARE, wire.CompareParams)
async def compare(context: Context, params: wire.CompareParams) -> wire.SessionComparison:
    """Session B against session A."""
    result = await stats.compare(context, params)
    _show(context, _verdict(result))
    return result


@command(EXPORT, wire.ExportParams)
async def export(context: Context, params: wire.ExportParams) -> wire.Export:
    """Sessions written to a file, or returned."""
    result = await stats.export(context, params)
    if not isinstance(result.uri, msgspec.UnsetType):
        _show(context, f"Exported {result.sessions:,} sessions to {result.uri}")
    return result


def _show(context: Context, message: str) -> None:
    context.editor.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))


def _line(summary: wire.SessionSummary) -> str:
    """Cost and success rate, as `brief` begins with."""
    return " · ".join(summary.brief.split(" · ")[:2])


def _verdict(comparison: wire.SessionComparison) -> str:
    """What got better and what worse, in one line."""
    better = [metric.label for metric in comparison.metrics if metric.verdict == "improved"]
    worse = [metric.label for metric in comparison.metrics if metric.verdict == "regressed"]
    a, b = comparison.session_a, comparison.session_b
    return (
        f"{b.label} ({_line(b)}) against {a.label} ({_line(a)}): "
        f"improved: {', '.join(better) or 'nothing'}; regressed: {', '.join(worse) or 'nothing'}"
    )
