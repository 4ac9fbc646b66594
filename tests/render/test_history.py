"""A page of sessions as a table."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from msgspec.structs import replace

from rad_lsp.core.session import Usage
from rad_lsp.render import history
from rad_lsp.render.table import cells
from rad_lsp.service import Page

ID = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"


@pytest.fixture
def page(session):
    """A page of two sessions of an agent, in two projects and on two branches."""

    def made(**changes):
        models = (Usage("claude-opus-5", 2, 900, 100), Usage("claude-haiku-4-5", 1, 90, 10))
        first = replace(session(ID), source="claude-code", models=models)
        second = replace(session("b"), source="claude-code", models=())
        first = replace(first, project="/home/me/shop/api", branch="main", **changes)
        second = replace(second, project="/home/me/blog/api", branch="fix/名前")
        return Page((first, second), 2, frozenset({"claude-code"}))

    return made


def test_sessions_of_an_agent_are_told_apart(page):
    header, rule, *rows = history.text(page(), zone=UTC).splitlines()[2:]
    assert re.split(" {2,}", header) == [
        "Last Active", "Session ID", "Project", "Branch", "Duration", "Model", "Tokens",
        "Tool Calls", "Success Rate", "Cost",
    ]  # fmt: skip
    assert rule == "─" * max(map(cells, [header, *rows]))
    assert [re.split(" {2,}", row) for row in rows] == [
        ["2025-12-07 13:09", "3c6ddcd3-85b6-48f1-88e1...", "shop/api", "main", "4h 9m",
         "claude-opus-5 +1", "1,100", "231", "92.6%", "$0.1275"],
        ["2025-12-07 13:09", "b", "blog/api", "fix/名前", "4h 9m", "n/a", "0", "231", "92.6%",
         "$0.1275"],
    ]  # fmt: skip


def test_a_place_that_all_have_in_common_is_not_shown(session):
    found = replace(session("a"), source="codex", project="/w", branch="main")
    header = history.text(Page((found,), 1, frozenset({"codex"}))).splitlines()[2]
    assert {"Project", "Branch", "Source"}.isdisjoint(header.split())


def test_the_columns_are_those_that_are_asked_for(page):
    names = ("branch", "requests", "files_changed", "start_time", "cache_hit_rate", "session_id")
    lines = history.text(page(), columns=names, zone=UTC).splitlines()
    assert re.split(" {2,}", lines[2]) == [
        "Branch", "Requests", "Files Changed", "Start", "Cache Hit Rate", "Session ID",
    ]  # fmt: skip
    assert re.split(" {2,}", lines[5]) == ["fix/名前", "0", "n/a", "2025-12-07 09:00", "n/a", "b"]


def test_titles_are_escaped_and_bounded(page):
    titles = {ID: "Mend\x1b[31m the \u202elogin " + "名" * 100}
    lines = history.text(page(), titles=titles, columns=("title", "cost")).splitlines()
    assert lines[4].startswith(r"Mend\x1b[31m the \u202elogin ")
    assert cells(lines[4].partition("…")[0]) < 40
    assert lines[5].startswith("n/a ")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_it_is_never_wider_than_the_terminal_and_names_what_is_left_out(page, width):
    found = page(deleted=True)
    lines = history.text(found, titles={ID: "名" * 60}, zone=UTC, width=width).splitlines()
    table = lines[2:6]
    assert max(map(cells, table)) <= width
    header = lines[2]
    left_out = [name for name in ("Branch", "Model", "Title", "Tokens") if name not in header]
    note = "\n".join(lines[6:])
    assert all(name in note for name in left_out)
    assert ("Left out" in note) == bool(left_out) or width == 40


def test_the_manuals_table_fits_eighty_columns_whole(snapshot, expected):
    from rad_lsp import service

    found = service.history(snapshot("history"), 10)
    narrow = history.text(found, width=80)
    assert max(map(cells, narrow.splitlines())) <= 80
    assert "Left out" not in narrow
    assert history.text(found, width=85) == expected("history")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/b"], ["b"]),
        (["/a/b", "/c/b", "/c/d"], ["a/b", "c/b", "d"]),
        (["/b", "/a/b"], ["/b", "a/b"]),
        (["C:\\work\\api", "/srv/web/"], ["api", "web"]),
        ([""], [""]),
    ],
)
def test_projects_have_the_shortest_names_that_differ(paths, names):
    found = history.short_names(set(paths))
    assert [found[path] for path in paths] == names
