"""Plan limits as text and Markdown: what is used, how fast, and when it runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rad_lsp import sources
from rad_lsp.core import advice, wording
from rad_lsp.core.period import local
from rad_lsp.core.wording import NOT_AVAILABLE, count, money, percent, printable
from rad_lsp.render import label, notes
from rad_lsp.render import markdown as marks
from rad_lsp.render.table import Column, laid_out
from rad_lsp.render.text import below, joined, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from rad_lsp.core.limits import Block, Limit, Overview
    from rad_lsp.render.text import Paint

_LIMITS: Final = (
    Column("Source"),
    Column("Window"),
    Column("Used", ">"),
    Column("Per Hour", ">", 0, 2),
    Column("Runs Out", "<", 0, 1),
    Column("Resets"),
    Column("Recorded", "<", 0, 3),
    Column("Plan", "<", 0, 4),
)

_BLOCKS: Final = (
    Column("Source"),
    Column("Since"),
    Column("Until", "<", 0, 1),
    Column("Requests", ">", 0, 2),
    Column("Tokens", ">"),
    Column("Cost", ">"),
)

_ESTIMATE: Final = "Estimate: the Running 5-Hour Block"
_RULE: Final = (
    "No current limit is recorded for these sources, so this is an estimate, from the requests in "
    "their transcripts. A block begins at the full hour (UTC) of the first request after the block "
    "before, and lasts 5 hours. How much of a plan that is, is not known."
)


def _none() -> str:
    return (
        "No plan limits are recorded. Codex writes them into its transcripts; Claude Code tells "
        f"them {advice.RECORD_LIMITS}"
    )


def text(
    overview: Overview,
    zone: tzinfo | None,
    paint: Paint = plain,
    *,
    width: int | None = None,
) -> str:
    """All limits, then estimates. `width` is the number of cells of a line; None is no limit."""
    parts = []
    if overview.limits:
        rows = [[printable(cell) for cell in _limit(one, zone)] for one in overview.limits]
        laid = laid_out(_LIMITS, rows, 0, width)
        parts.append([paint("title", "Plan Limits"), "", *laid.lines, *below(laid.note)])
    else:
        parts.append([_none()])
    if overview.blocks:
        laid = laid_out(_BLOCKS, [_block(one, zone) for one in overview.blocks], 0, width)
        said = below(laid.note, _uncertain(overview))
        parts.append([paint("title", _ESTIMATE), "", *laid.lines, *said, _RULE])
    parts += [[printable(sentence)] for sentence in _notes(overview)]
    return joined([line for part in parts for line in ("", *part)][1:])


def markdown(overview: Overview, zone: tzinfo | None) -> str:
    """The same as Markdown."""
    parts = ["## Plan limits"]
    if overview.limits:
        rows = [[marks.escape(cell) for cell in _limit(one, zone)] for one in overview.limits]
        parts.append(marks.table([column.header for column in _LIMITS], rows, "<<>><<<<"))
    else:
        parts.append(_none())
    if overview.blocks:
        rows = [_block(one, zone) for one in overview.blocks]
        parts += [
            f"### {_ESTIMATE}",
            marks.table([column.header for column in _BLOCKS], rows, "<<<>>>"),
            _RULE,
        ]
        if uncertain := _uncertain(overview):
            parts.append(f"{marks.escape(uncertain)}.")
    parts += [marks.escape(sentence) for sentence in _notes(overview)]
    return "\n\n".join(parts) + "\n"


def summary(limit: Limit, now: datetime, zone: tzinfo | None) -> str:
    """A limit in one line: `Claude Code 5h: 37.0% used, resets 15:00`."""
    window = limit.window
    name = printable(f"{sources.label(window.source)} {_window(limit)}")
    if limit.state == "reset":
        return f"{name}: reset"
    said = f"{name}: {percent(limit.used_percent)} used"
    if limit.runs_out_at is not None and not window.used_up:
        return f"{said}, runs out {label.moment(limit.runs_out_at, now, zone)}"
    if window.ends_at is not None:
        return f"{said}, resets {label.moment(window.ends_at, now, zone)}"
    return said


def _window(limit: Limit) -> str:
    window = limit.window
    is_one_of_several = window.limit not in {"", window.source}
    return f"{window.name} ({window.limit})" if is_one_of_several else window.name


def _limit(limit: Limit, zone: tzinfo | None) -> list[str]:
    window = limit.window
    burn = limit.burn_rate
    credit = f"credits: {window.credits}" if window.credits else ""
    recorded = f"{percent(window.used_percent)} at {_moment(window.recorded_at, zone)}"
    return [
        window.source,
        _window(limit),
        "reset" if limit.state == "reset" else percent(limit.used_percent),
        NOT_AVAILABLE if burn is None else percent(burn),
        _runs_out(limit, zone),
        _moment(window.ends_at, zone),
        recorded,
        ", ".join(filter(None, [window.plan, credit])) or NOT_AVAILABLE,
    ]


def _runs_out(limit: Limit, zone: tzinfo | None) -> str:
    if limit.runs_out_at is not None:
        return "used up" if limit.window.used_up else _moment(limit.runs_out_at, zone)
    return NOT_AVAILABLE if limit.burn_rate is None else "after reset"


def _block(block: Block, zone: tzinfo | None) -> list[str]:
    return [
        block.source,
        _moment(block.since, zone),
        _moment(block.until, zone),
        count(block.requests),
        count(block.tokens.input + block.tokens.output),
        money(block.money),
    ]


def _moment(moment: datetime | None, zone: tzinfo | None) -> str:
    return NOT_AVAILABLE if moment is None else wording.moment(local(moment, zone))


def _uncertain(overview: Overview) -> str:
    """Why the money of the blocks may be more."""
    amounts = notes.Notes()
    for block in overview.blocks:
        amounts.counted(block.money)
    amounts.shown(block.money for block in overview.blocks)
    return amounts.line


def _notes(overview: Overview) -> Iterator[str]:
    """Sentences on sources without a limit, and on what was left out."""
    if any(limit.state == "unknown" for limit in overview.limits):
        yield "Used is n/a where it is not recorded when the window is reset."
    if overview.idle:
        yield f"No current limit and no running 5-hour block: {', '.join(overview.idle)}."
    if overview.ignored:
        yield f"Ignored: {wording.listed(overview.ignored)}."
