"""Answers of the wire contract, with their texts."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from rad_lsp import service
from rad_lsp.render import answers, markdown, text
from rad_lsp.store.snapshot import Snapshot


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        (UTC, "2025-12-07 13:09"),
        (ZoneInfo("Europe/Berlin"), "2025-12-07 14:09"),
        (ZoneInfo("Asia/Tokyo"), "2025-12-07 22:09"),
    ],
)
def test_last_activity_is_told_in_the_users_zone(session, now, zone, told):
    assert answers.summary(session(), now, zone).last_activity_text == told


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_last_activity_is_told_at_the_ends_of_time(session, now, year):
    for zone in ("Asia/Tokyo", "America/New_York"):
        found = answers.summary(session(end_time=year), now, ZoneInfo(zone))
        assert len(found.last_activity_text) == len("2025-12-07 13:09")


def test_every_answer_lists_a_session_alike(snapshot, now):
    current = snapshot("history")
    newer, older = current.sessions()
    listed = answers.summary(newer, now, UTC)
    assert listed.brief == text.brief(newer, now)
    page = answers.history(service.history(current, 10), current, now, UTC)
    assert page.sessions == (listed, answers.summary(older, now, UTC))
    assert (page.total, page.skipped) == (2, ())
    compared = answers.comparison(service.compare(current, None, "latest"), now, UTC)
    assert (compared.session_a, compared.session_b) == (page.sessions[1], listed)
    figures = service.status(current, now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="L")
    assert status.session == listed
    full = answers.session(newer, now, UTC)
    assert (full.brief, full.last_activity_text) == (listed.brief, listed.last_activity_text)
    assert full.model_names == listed.model_names


def test_texts_are_those_of_the_commands(snapshot, now):
    current = snapshot("history")
    latest = current.latest()
    full = answers.session(latest, now, UTC)
    assert (full.text, full.markdown) == (text.session(latest, now), markdown.session(latest, now))
    table = service.usage(current, "model", latest.id)
    usage = answers.usage(table, latest.id)
    assert usage.text == text.usage(table, latest.id)
    assert usage.markdown == markdown.usage(table, latest.id)
    comparison = service.compare(current, None, "latest")
    compared = answers.comparison(comparison, now, UTC)
    assert compared.text == text.comparison(comparison)
    assert compared.markdown == markdown.comparison(comparison)
    figures = service.status(current, now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="L")
    assert (status.text, status.tooltip) == ("$0.1250", markdown.tooltip(figures, now, "L"))


def test_a_status_without_sessions_has_none(now):
    figures = service.status(Snapshot(), now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="")
    assert (status.session, status.text) == (None, "no sessions")
