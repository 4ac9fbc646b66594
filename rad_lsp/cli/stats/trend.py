"""`rad stats hourly`, `daily`, `weekly` and `monthly`: what was spent and done over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, spending_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, note, painter, width
from rad_lsp.core import period
from rad_lsp.core.trend import DEFAULT_COUNT, MOST_COUNTED, SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.core.trend import Split, Trend, Unit
    from rad_lsp.service import Sums


def _command(name: str, unit: Unit, example: str) -> click.Command:
    """The command that shows the spans of a unit."""

    @click.command(
        name,
        help=f"""Show cost, tokens, tool calls and lines by {unit}, in your time zone.

        Without --since, these are the last {DEFAULT_COUNT[unit]} {unit}s. Requests and tool calls
        count at their own time, changed lines at the last activity of their session.

        Example: {example}
        """,
    )
    @workspace_options
    @click.option(
        "--split",
        type=click.Choice(SPLITS),
        help=f"What each {unit} is made of. Tool calls have no model, requests no tool.",
    )
    @click.option(
        "-n",
        "--limit",
        "count",
        metavar="N",
        type=click.IntRange(1, MOST_COUNTED),
        help=f"How many {unit}s, up to now or to --until; --since goes before it.",
    )
    @spending_options
    @json_option
    @click.option("--csv", "as_csv", is_flag=True, help=f"Print CSV, a row per {unit} or part.")
    def command(
        context: Context,
        split: Split | None,
        count: int | None,
        within: Period,
        *,
        as_json: bool,
        as_csv: bool,
    ) -> None:
        if as_json and as_csv:
            raise click.UsageError("--json and --csv exclude each other.")
        question = _question(context, unit, split, count, within)
        trend = context.ask(question, _print_json if as_json else None)
        _show(trend, as_json=as_json, as_csv=as_csv)
        if trend.older is not None:
            day = period.local(trend.older, context.settings.zone).date()
            note(f"There are older sessions: --since {day} goes back to {day}.")

    return command


hourly = _command("hourly", "hour", "rad stats hourly --since 24h")
daily = _command("daily", "day", "rad stats daily --split project")
weekly = _command("weekly", "week", "rad stats weekly -n 4 --split model")
monthly = _command("monthly", "month", "rad stats monthly --since 2026-01-01 --csv")


def _question(
    context: Context, unit: Unit, split: Split | None, count: int | None, within: Period
) -> Callable[[Sums], Trend]:
    from rad_lsp.service import trend

    settings = context.settings
    question = trend.Question(
        unit, context.now, settings.zone, within, count, split, settings.week_start
    )
    return lambda sums: trend.ask(sums, question, context.prices)


def _show(trend: Trend, *, as_json: bool, as_csv: bool) -> None:
    from rad_lsp.render import trend as rendered

    if as_json:
        _print_json(trend)
    elif as_csv:
        emit_data(rendered.as_csv(trend))
    else:
        emit(rendered.as_text(trend, painter(), width=width()))


def _print_json(trend: Trend) -> None:
    from rad_lsp.render import rows
    from rad_lsp.render import trend as rendered

    emit_data([rows.encode(rows.answer(rendered.answer(trend)))])
