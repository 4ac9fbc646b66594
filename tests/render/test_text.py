"""Answers as plain text, column for column as the manual has them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from rad_lsp import service
from rad_lsp.core import comparison
from rad_lsp.core import usage as usages
from rad_lsp.core.money import Money
from rad_lsp.core.session import Usage
from rad_lsp.render import history, text
from rad_lsp.render.table import cells
from rad_lsp.service import Page
from rad_lsp.store.snapshot import Snapshot

A = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
B = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def marked(role, painted):
    return f"<{role}>{painted}</{role}>"


def test_a_session_prints_as_in_the_manual_and_more_below(snapshot, expected, now):
    found = replace(snapshot("session").latest(), project="")
    assert text.session(found, now, zone=UTC) == expected("session") + (
        "\n"
        "Approvals:                  40 allowed, 2 denied, 9 asked\n"
        "\n"
        "Cache\n"
        "Hit Rate:                   0.0%\n"
        "Cached Tokens:              17,000\n"
        "Created / Read:             4,000 / 13,000\n"
        "Savings:                    n/a\n"
        "\n"
        "Cost:                       $0.1275 (gemini-3-pro-preview, gemini-2.5-flash-lite; "
        "rates: rad stats cost)\n"
        "Start:                      2025-12-07 09:00\n"
        "End:                        2025-12-07 13:09\n"
        "Source:                     radium\n"
    )


def test_a_session_ends_with_its_project_and_branch_where_they_are_known(session, now):
    found = replace(session(), project="/srv/quilt\n", branch="main")
    assert text.session(found, now, zone=UTC).endswith(
        "\nEnd:                        2025-12-07 13:09\n"
        "Project:                    /srv/quilt\\n\n"
        "Branch:                     main\n"
        "Source:                     radium\n"
    )


def test_usage_of_all_sessions_prints_as_in_the_manual(snapshot, expected):
    assert text.usage(service.usage(snapshot("session"), "model")) == expected("model")


def test_history_prints_as_in_the_manual(snapshot, expected):
    assert history.text(service.history(snapshot("history"), 10)) == expected("history")


def test_a_comparison_prints_as_in_the_manual(snapshot, expected):
    assert text.comparison(service.compare(snapshot("compare"), A, B)) == expected("compare")


def test_usage_of_one_session_and_of_engines_has_its_own_title(snapshot):
    found = snapshot("session")
    assert text.usage(service.usage(found, "engine")).startswith(
        "Aggregated Engine Usage (All Sessions)\n\nEngine                         Requests  Input"
    )
    assert text.usage(service.usage(found, "engine", A), A).startswith(
        f"Engine Usage (Session: {A})\n"
    )
    assert text.usage(service.usage(found, "model", A), A).startswith(
        f"Model Usage (Session: {A})\n"
    )


def test_figures_that_are_not_there_are_not_available(snapshot, now):
    printed = text.session(snapshot("edge").resolve("no-tool-calls"), now)
    assert "Success Rate:               n/a\n" in printed
    printed = text.session(snapshot("edge").resolve("still-running"), now)
    assert "  » API Time:               0s (n/a)\n" in printed


@pytest.mark.parametrize(
    ("zone", "start"), [("Europe/Berlin", "2025-12-07 10:00"), ("Asia/Tokyo", "2025-12-07 18:00")]
)
def test_start_and_end_are_those_of_the_users_zone(snapshot, now, zone, start):
    printed = text.session(snapshot("session").latest(), now, zone=ZoneInfo(zone))
    assert f"\nStart:                      {start}\nEnd:  " in printed


def test_a_session_without_an_end_says_when_it_was_last_active(snapshot, now):
    printed = text.session(snapshot("edge").resolve("still-running"), now, zone=UTC)
    assert "\nEnd:                        n/a, last active 2025-12-02 01:00\n" in printed


@pytest.fixture
def doubtful(session):
    """A session of which three requests were not finished, one has no price, and two of nine tool
    calls have no outcome."""

    def made(session_id="s", **changes):
        found = session(session_id, tool_calls=9, successful_tool_calls=9, failed_tool_calls=0)
        models = (Usage("new", 1, 2, 3, 0, Money(None, 0, 1)), *found.models)
        money = Money(0.1275, 3, 1)
        return replace(found, money=money, models=models, unknown_tool_calls=2, **changes)

    return made


NOTES = (
    "≥: 3 requests have no final usage recorded, 1 request{} has no known price; "
    "success rate: the outcome of 2 tool calls is not recorded\n"
)


def test_a_session_says_what_is_not_sure_and_why(doubtful, now):
    printed = text.session(doubtful(), now)
    assert "\nTool Calls:                 9 ( ✓ 7 x 0 ? 2 )\n" in printed
    assert "\nSuccess Rate:               100.0% of 7 known\n" in printed
    assert "\nCost:                       ≥ $0.1275 (" in printed
    assert printed.endswith("\n\n" + NOTES.format(" to new"))


def test_a_history_says_what_is_not_sure_and_why(doubtful, session):
    found = doubtful("sure-not", deleted=True), session("sure")
    printed = history.text(Page(found, 2))
    assert printed.splitlines()[4:] == [
        f"sure-not{' ' * 20}4h 9m (deleted)     9             100.0% of 7 known  ≥ $0.1275",
        f"sure{' ' * 24}4h 9m               231           92.6%              $0.1275",
        "",
        NOTES.format("").rstrip() + "; deleted: the transcript is gone, its last figures are shown",
    ]


def test_usage_says_what_is_not_sure_and_why(doubtful):
    printed = text.usage(usages.table([doubtful()], "model")).splitlines()
    assert printed[4].endswith("  $0.1250")
    assert printed[6].endswith("  n/a")
    assert printed[8].endswith("  ≥ $0.1275")
    assert printed[9:] == ["", "≥ and n/a: 1 request to new has no known price"]


def test_a_comparison_says_what_is_not_sure_and_why(doubtful, session):
    found = comparison.between(doubtful("a", api_time_measured=False), session("b", total_cost=1))
    printed = text.comparison(found)
    assert "  Session A: ≥ $0.1275\n  Session B: $1.0000\n" in printed
    assert "  Delta: +0.8725 (+684.3%) of what is known\n" in printed
    assert "  Success Rate: 100.0% of 7 known → 92.6% (-7.4%)\n" in printed
    assert printed.endswith(
        "\n\n" + NOTES.format("") + "API time is measured in session B, and active time less tool "
        "time in session A: the two can't be compared\n"
    )


def test_lists_and_lines_say_what_is_not_sure(doubtful, now):
    found = doubtful(deleted=True)
    assert text.line(found).startswith("≥ $0.1275 · 100.0% of 7 known · ")
    assert text.brief(found, now).startswith("≥ $0.1275 · 100.0% of 7 known · 4h 9m (deleted) · ")


def test_sections_with_nothing_to_say_are_left_out(snapshot, now):
    printed = text.session(snapshot("edge").resolve("no-tool-calls"), now)
    assert "Approvals" not in printed
    assert "Cache" not in printed


@pytest.mark.parametrize(("minute", "state"), [(5, " (running)"), (30, " (no end recorded)")])
def test_a_session_without_an_end_says_so(snapshot, minute, state):
    found = snapshot("edge").resolve("still-running")
    printed = text.session(found, datetime(2025, 12, 2, 1, minute, tzinfo=UTC))
    assert f"Wall Time:                  59m 59s{state}\n" in printed


def test_the_number_of_files_follows_the_lines(session, now):
    printed = text.session(session(files_changed=4), now)
    assert "Code Changes:               +505 -208 (4 files)\n" in printed


def test_tokens_that_are_not_split_all_count_as_read(session, now):
    found = session(total_cache_creation_tokens=0, total_cache_read_tokens=0)
    assert "Created / Read:             0 / 17,000\n" in text.session(found, now)


def test_control_characters_from_files_are_escaped(session, usage, now):
    found = session("\x1b[2J", model_usage={"\x07\n": usage()}, engine_usage={"\r": usage()})
    answers = [
        text.session(found, now),
        text.usage(usages.table([found], "engine"), found.id),
        text.usage(usages.table([found], "model")),
        history.text(Page((found,), 1)),
        text.comparison(comparison.between(found, found)),
    ]
    for printed in answers:
        assert all(line.isprintable() for line in printed.split("\n"))
        assert "\\x1b[2J" in printed or "\\x07\\n" in printed


@pytest.mark.parametrize(
    "name",
    [
        "a-model-with-a-name-that-is-longer-than-its-column",
        "\u540d\u524d" * 12,
        "\U0001f600" * 20,
        "\U0001f469\u200d\U0001f4bb" * 20,
        "e\u0301" * 40,
        "m\u00e8le/\u03b2",
    ],
    ids=["long", "chinese", "emoji", "joined-emoji", "combined", "short"],
)
def test_columns_line_up_whatever_the_names(session, usage, name):
    found = session(model_usage={name: usage(), "short": usage(tokens_in=10**18)})
    printed = text.usage(usages.table([found], "model"))
    _, _, header, rule, *rows, last_rule, total = printed.splitlines()
    edge = cells(header.rpartition("  Cost")[0])
    for row in (*rows, total):
        assert cells(row.rpartition("  $")[0]) == edge
    assert rule == last_rule == "─" * max(92, *map(cells, (header, *rows, total)))


def test_a_long_model_name_widens_the_sessions_table(session, usage, now):
    found = session(model_usage={"\u540d" * 20: usage(1, 2, 3), "b": usage(28, 60389, 2422)})
    assert (
        "Model Usage                               Reqs   Input Tokens  Output Tokens\n"
        "────────────────────────────────────────────────────────────────────────────\n"
        "b                                           28         60,389          2,422\n"
        "\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d\u540d"
        "\u540d\u540d\u540d\u540d\u540d     1              2              3\n"
    ) in text.session(found, now)


def test_history_shows_short_ids_whole_and_cuts_long_ones(session):
    page = Page((session("x" * 26), session("x" * 27), session("\u540d" * 26)), 3)
    _, _, header, rule, whole, cut, wide = history.text(page).splitlines()
    assert whole.startswith("x" * 26 + "                            4h 9m")
    assert cut.startswith("x" * 23 + "...                            4h 9m")
    assert wide.startswith("\u540d" * 26 + "  4h 9m")
    assert header.startswith("Session ID" + " " * 44 + "Duration")
    assert rule == "─" * cells(wide)


def test_an_empty_page_is_a_header():
    assert history.text(Page((), 5)) == (
        "Recent Session Summaries\n\n"
        "Session ID                  Duration            Tool Calls    Success Rate    Cost\n"
        "─────────────────────────────────────────────────────────────────────────────────────\n"
    )


def test_the_largest_counts_print_in_full(session, usage):
    found = session(tool_calls=2**64 - 1, model_usage={"m": usage(tokens_in=2**64 - 1)})
    assert "18446744073709551615" in history.text(Page((found,), 1))
    assert "18,446,744,073,709,551,615" in text.usage(usages.table([found], "model"))


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        ({}, {}, "  Delta: 0 (0.0%)\n"),
        ({}, {}, "  Wall Time: 0s (0.0%)\n"),
        ({}, {}, "  Delta: 0 / 0\n"),
        ({}, {}, "  Success Rate: 92.6% → 92.6% (0.0%)\n"),
        ({"tool_calls": 0}, {"tool_calls": 5}, "  Delta: +5 (n/a)\n"),
        ({"tool_calls": 0}, {}, "  Success Rate: n/a → 92.6% (n/a)\n"),
        ({"total_cost": 1.0}, {"total_cost": 0.985}, "  Delta: -0.0150 (-1.5%)\n"),
        ({"total_cost": 1.0}, {"total_cost": 1.00001}, "  Delta: 0 (0.0%)\n"),
        ({"total_cost": -0.015}, {}, "  Session A: -$0.0150\n"),
        ({"total_cost": 1.0}, {"total_cost": 2001.0}, "  Delta: +2000.0000 (+200000.0%)\n"),
        ({"wall_time": [1, 0]}, {"wall_time": [1, 999999999]}, "  Wall Time: 0s (0.0%)\n"),
        ({"wall_time": [0, 0]}, {"wall_time": [7200, 0]}, "  Wall Time: +2h 0m (n/a)\n"),
        ({"lines_added": 5}, {"lines_added": -5}, "  Delta: -10 / 0\n"),
        ({"lines_removed": -3}, {}, "  Session A: +505 +3\n"),
    ],
)
def test_deltas_of_a_comparison(session, a, b, line):
    printed = text.comparison(comparison.between(session("a", **a), session("b", **b)))
    assert line in printed


def test_paint_marks_titles_and_results_and_nothing_else(snapshot, expected, now):
    found = snapshot("session")
    session = text.session(found.latest(), now, marked)
    assert "<title>Interaction Summary</title>\n" in session
    assert "<title>Model Usage</title>                  Reqs" in session
    assert "231 ( <good>✓ 214</good> <bad>x 17</bad> )" in session
    sessions = history.text(service.history(snapshot("history"), 10), marked)
    assert sessions == expected("history").replace(
        "Recent Session Summaries", "<title>Recent Session Summaries</title>"
    )


def test_a_list_has_a_line_of_each_session_with_its_models(snapshot, session, usage, now):
    assert text.brief(snapshot("session").latest(), now) == (
        "$0.1275 · 92.6% · 4h 9m · gemini-3-pro-preview, gemini-2.5-flash-lite"
    )
    assert text.brief(session(model_usage={}, tool_calls=0), now) == "$0.1275 · n/a · 4h 9m"
    assert text.brief(session(model_usage={"a\n": usage()}), now).endswith(" · 4h 9m · a\\n")


def test_a_list_says_which_session_is_running(session, now):
    running = session(end_time=None, generated_at=now.isoformat())
    assert text.brief(running, now).startswith("$0.1275 · 92.6% · 4h 9m (running) · ")
    later = now.replace(day=11)
    assert text.brief(running, later).startswith("$0.1275 · 92.6% · 4h 9m (no end recorded) · ")


def test_usage_of_no_sessions_says_so():
    assert text.usage(service.usage(Snapshot(), "model")) == "No session history found.\n"
