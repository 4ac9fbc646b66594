"""`rad stats budget`: what is left of each budget, and how far it will go."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import click

from rad_lsp.cli.options import json_option, workspace_options
from rad_lsp.cli.output import emit, emit_data, note, painter, width
from rad_lsp.core.errors import NoWorkspace, RadError

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.service.budget import Budgets

_EXIT_PASSED: Final = 1


class _NotTold(click.ClickException):
    """It can't be told whether a budget is passed."""

    exit_code = 2


@click.command()
@workspace_options
@click.option(
    "--fail-over",
    is_flag=True,
    help="Exit with 1 when more than a budget was spent, and with 2 when that can't be told.",
)
@json_option
def budget(context: Context, *, fail_over: bool, as_json: bool) -> None:
    """Show each budget: what was spent and is left, and how far it will go.

    Budgets are set in the settings. Those of a session, day, week and month are about the sessions
    of the workspace, or of all projects with --all-projects. Those of projects are always shown.

    Example: rad stats budget --fail-over
    """
    try:
        budgets = _budgets(context)
    except (RadError, OSError) as error:
        if not fail_over:
            raise
        raise _NotTold(str(error)) from error
    _print(context, budgets, as_json=as_json)
    if fail_over and budgets.passed:
        _name_passed(budgets)
        click.get_current_context().exit(_EXIT_PASSED)


def _budgets(context: Context) -> Budgets:
    from rad_lsp import service
    from rad_lsp.service import budget, sessions

    settings = context.settings
    period = service.status_period(context.now, settings.zone, settings.budget, settings.week_start)
    recent = sessions.recent(period, "")
    with contextlib.suppress(NoWorkspace):  # a budget of which nothing was spent is an answer
        context.snapshot(recent)
    store = context.store(recent)
    return budget.overview(store, store.recall(), context.workspace.root, settings, context.now)


def _print(context: Context, budgets: Budgets, *, as_json: bool) -> None:
    if as_json:
        from rad_lsp.render import answers, rows

        emit_data([rows.encode(rows.answer(answers.budget(budgets, context.settings.zone)))])
    else:
        from rad_lsp.render import budget as outlooks

        emit(outlooks.text(budgets, context.settings.zone, painter(), width=width()))


def _name_passed(budgets: Budgets) -> None:
    from rad_lsp.core import wording
    from rad_lsp.core.budget import Passed

    for row in budgets.passed:
        passed = Passed(row.name, row.spent, row.limit, project=row.project)
        note(f"{wording.passed(passed)}.")
