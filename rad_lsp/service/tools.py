"""What became of tool calls by the name of the tool, from sums that the index makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rad_lsp.core import figures, tools
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.tools import Called, Tools
from rad_lsp.core.trend import Calls
from rad_lsp.store.totals import When

if TYPE_CHECKING:
    from rad_lsp.core.session import Session
    from rad_lsp.store.totals import Sums


def ask(sums: Sums, within: Period = ALWAYS, session: Session | None = None) -> Tools:
    """The tools that were called in a period, or in one session.

    What an agent's session did as part of a tracked one counts with that while it ran, unless the
    tracked one tells its calls by itself.
    """
    when = When(within)
    if session is not None:
        own = sums.of(replace(session, children=()))
        if session.children and not own.tools([], when):
            sums = sums.of(session)
            when = When(Period(session.start_time, figures.interrupted_at(session)))
        else:
            sums = own
    called = [
        Called(
            str(total.key[0]),
            total.numbers,
            Calls(total.ok, total.failed, total.denied, total.unknown),
            total.duration or 0,
        )
        for total in sums.tools(["tool"], when)
    ]
    return tools.table(called, sums.durations(when))
