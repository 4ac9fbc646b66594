"""Answers of the wire contract: the figures, with the texts that a client shows as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rad_lsp import wire
from rad_lsp.core import figures, period, wording
from rad_lsp.core.cost import UNKNOWN
from rad_lsp.render import cost as explained
from rad_lsp.render import markdown, text
from rad_lsp.render.status_line import status_line

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from rad_lsp.core.comparison import Comparison
    from rad_lsp.core.cost import CostTable, Savings
    from rad_lsp.core.session import Session
    from rad_lsp.core.usage import UsageTable
    from rad_lsp.service import Page, StatusFigures
    from rad_lsp.store.snapshot import Snapshot


def summary(found: Session, now: datetime, zone: tzinfo | None) -> wire.SessionSummary:
    """A session as it stands in a list."""
    return wire.summary(
        found,
        now,
        brief=text.brief(found, now),
        last_activity_text=_last_activity(found, zone),
    )


def session(
    found: Session, now: datetime, zone: tzinfo | None, savings: Savings = UNKNOWN
) -> wire.SessionStats:
    """A session in full, with what the cache saved in it."""
    return wire.stats(
        found,
        now,
        savings=savings,
        brief=text.brief(found, now),
        last_activity_text=_last_activity(found, zone),
        text=text.session(found, now, savings=savings),
        markdown=markdown.session(found, now, savings=savings),
    )


def usage(found: UsageTable, session_id: str | None) -> wire.UsageResult:
    """Usage per model or engine, of one session or of all."""
    return wire.usage(
        found, text=text.usage(found, session_id), markdown=markdown.usage(found, session_id)
    )


def cost(found: CostTable, session_id: str | None) -> wire.CostResult:
    """What a cost is made of, of one session or of all."""
    return wire.cost(
        found,
        text=explained.text(found, session_id),
        markdown=explained.markdown(found, session_id),
    )


def history(page: Page, snapshot: Snapshot, now: datetime, zone: tzinfo | None) -> wire.History:
    """A page of sessions, and what was skipped."""
    sessions = tuple(summary(found, now, zone) for found in page.sessions)
    return wire.History(sessions, page.total, wire.skipped(snapshot))


def comparison(found: Comparison, now: datetime, zone: tzinfo | None) -> wire.SessionComparison:
    """Session B measured against session A."""
    return wire.comparison(
        found,
        summary(found.a, now, zone),
        summary(found.b, now, zone),
        text=text.comparison(found),
        markdown=markdown.comparison(found),
    )


def status(
    found: StatusFigures,
    workspace_uri: str,
    now: datetime,
    zone: tzinfo | None,
    *,
    template: str,
    links: str,
    savings: Savings = UNKNOWN,
) -> wire.Status:
    """What a status bar shows: its text by a template, and `links` in its tooltip."""
    return wire.status(
        found,
        workspace_uri,
        summary(found.session, now, zone) if found.session else None,
        text=status_line(found, template),
        tooltip=markdown.tooltip(found, now, links, savings=savings),
    )


def _last_activity(found: Session, zone: tzinfo | None) -> str:
    return wording.moment(period.local(figures.last_activity(found), zone))
