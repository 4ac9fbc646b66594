"""The titles of sessions, read once and again when a session has gone on."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rad_lsp.service import sessions
from rad_lsp.service.titles import Titles


@pytest.fixture
def machine():
    machine = sessions.open_machine()
    yield machine
    machine.close()


@pytest.fixture
def session(machine, workspace, claude_code):
    claude_code("a").prompt().record("ai-title", aiTitle="Fix\nthe test").answer()
    return sessions.open_store(machine, workspace.root).refresh().latest()


def later(session):
    """The same session, active for longer."""
    end = session.end_time or session.generated_at
    return msgspec.structs.replace(
        session, generated_at=end + timedelta(hours=1), end_time=end + timedelta(hours=1)
    )


def test_a_title_is_read_from_the_transcript_and_only_when_it_is_asked_for(machine, session):
    titles = Titles(machine.title)
    assert titles.of(session) == ""
    assert titles.read([session])
    assert titles.of(session) == "Fix the test"


def test_a_title_is_read_once(session):
    read = []

    def title(one):
        read.append(one.id)
        return ""

    titles = Titles(title)
    assert not titles.read([session, session])
    assert not titles.read([session])
    assert titles.wait(session) is None
    assert read == ["a"]


def test_a_session_that_has_gone_on_has_its_title_until_that_is_read_again(session):
    found = iter(["before", "after"])
    titles = Titles(lambda _: next(found))
    titles.read([session])
    longer = later(session)
    assert titles.wait(longer) is not None
    assert titles.of(longer) == "before"
    while not titles.read([longer]):
        pass
    assert titles.of(longer) == "after"


def test_a_title_that_takes_long_to_read_is_not_read_each_time_that_the_session_goes_on(session):
    clock = iter([0, 10_000, 10_001])
    titles = Titles(lambda _: "title", lambda: next(clock))
    titles.read([session])
    assert titles.wait(later(session)) == 1_000_000 - 1


def test_a_report_has_no_title(session):
    titles = Titles(lambda _: pytest.fail("nothing to read"))
    report = msgspec.structs.replace(session, source="radium")
    assert titles.wait(report) is None
    assert not titles.read([report])


def test_what_is_kept_has_a_limit(session):
    titles = Titles(lambda _: "x" * 1_000_000)
    many = [msgspec.structs.replace(session, id=str(number)) for number in range(10_001)]
    titles.read(many)
    assert [titles.of(many[0]), len(titles.of(many[-1]))] == ["", 1_000]
