"""What became of tool calls, by tool: as text, Markdown and for the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rad_lsp import wire
from rad_lsp.core import wording
from rad_lsp.core.wording import count, printable
from rad_lsp.render import markdown, text
from rad_lsp.render.table import Column, cut, laid_out

if TYPE_CHECKING:
    from rad_lsp.core.tools import Tool, Tools
    from rad_lsp.render.text import Paint

NO_TOOLS: Final = "No tool calls found.\n"

_COLUMNS: Final = (
    Column("Calls", ">"),
    Column("Ok", ">", gives_way=1),
    Column("Failed", ">", gives_way=2),
    Column("Denied", ">", gives_way=5),
    Column("Unknown", ">", gives_way=6),
    Column("Success", ">", gives_way=3),
    Column("Time", ">", gives_way=4),
    Column("Median", ">", gives_way=7),
    Column("Share", ">", gives_way=8),
)
_LONGEST_NAME: Final = 40
"""Cells of a tool's name on a terminal."""

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
"""In milliseconds."""


def answer(tools: Tools) -> wire.ToolsResult:
    """The answer on the wire."""
    return wire.ToolsResult(
        tuple(
            wire.ToolRow(
                **_figures(tool),
                parts=tuple(wire.ToolFigures(**_figures(part)) for part in tool.parts),
            )
            for tool in tools.rows
        ),
        wire.ToolFigures(**_figures(tools.total)),
        as_text(tools),
        as_markdown(tools),
    )


def as_text(tools: Tools, paint: Paint = text.plain, *, width: int | None = None) -> str:
    """A row for each tool, an MCP server's below that of the server, and the total.

    `width` is the number of cells of a line; None is without limit.
    """
    if not tools.rows:
        return NO_TOOLS
    rows = [
        [label if width is None else cut(label, _LONGEST_NAME), *_cells(tool)]
        for label, tool in _labelled(tools)
    ]
    table = laid_out([Column("Tool"), *_COLUMNS], rows, width=width)
    *body, total = table.rows
    lines = [paint("title", "Tool Usage"), "", table.head, table.rule, *body, table.rule, total]
    return text.joined([*lines, *text.below(table.note)])


def as_markdown(tools: Tools) -> str:
    """The same as a table in Markdown."""
    if not tools.rows:
        return NO_TOOLS
    rows = [
        [markdown.escape(cell.strip()) for cell in (label, *_cells(tool))]
        for label, tool in _labelled(tools)
    ]
    header = ["Tool", *(column.header for column in _COLUMNS)]
    return f"## Tool usage\n\n{markdown.table(header, rows, '<' + '>' * len(_COLUMNS))}\n"


def _labelled(tools: Tools) -> list[tuple[str, Tool]]:
    """All rows in order, with what they are called."""
    rows = []
    for tool in tools.rows:
        rows.append((f"{_name(tool)} (MCP)" if tool.parts else _name(tool), tool))
        rows += [(f"  {_name(part)}", part) for part in tool.parts]
    return [*rows, ("TOTAL", tools.total)]


def _name(tool: Tool) -> str:
    return printable(tool.name) or wording.NOT_AVAILABLE


def _cells(tool: Tool) -> list[str]:
    calls = tool.calls
    counts = (calls.total, calls.ok, calls.failed, calls.denied, calls.unknown)
    return [
        *map(count, counts),
        wording.percent(calls.success_rate),
        _duration(tool.time),
        _duration(tool.median),
        wording.percent(tool.share),
    ]


def _duration(milliseconds: float | None) -> str:
    """`350ms`, `3.2s`, `2m 5s`: tools often take less than a second."""
    if milliseconds is None:
        return wording.NOT_AVAILABLE
    if milliseconds < _SECOND:
        return f"{milliseconds:.0f}ms"
    if milliseconds < _MINUTE:
        return f"{milliseconds / _SECOND:.1f}s"
    return wording.short_duration(int(milliseconds) * 1_000_000)


def _figures(tool: Tool) -> dict[str, Any]:
    """The fields of `wire.ToolFigures`."""
    calls = tool.calls
    return {
        "name": tool.name or None,
        "sessions": tool.sessions,
        "calls": calls.total,
        "ok": calls.ok,
        "failed": calls.failed,
        "denied": calls.denied,
        "unknown": calls.unknown,
        "success_rate": calls.success_rate,
        "total_seconds": None if tool.time is None else tool.time / _SECOND,
        "median_seconds": None if tool.median is None else tool.median / _SECOND,
        "share": tool.share,
    }
