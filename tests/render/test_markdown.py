"""Answers as Markdown."""

from __future__ import annotations

from datetime import UTC

import pytest
from msgspec.structs import replace

from rad_lsp import service
from rad_lsp.core import usage as usages
from rad_lsp.core.budget import Budget
from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.render import markdown
from rad_lsp.store.snapshot import Snapshot


def test_a_session_in_full(snapshot, now):
    assert markdown.session(snapshot("session").latest(), now, zone=UTC) == (
        "## Session 3c6ddcd3-85b6-48f1-88e1-f428ca458337\n"
        "\n"
        "|  |  |\n"
        "| --- | ---: |\n"
        "| Cost | $0.1275 |\n"
        "| Tool calls | 231 (✓ 214, ✗ 17) |\n"
        "| Success rate | 92.6% |\n"
        "| Code changes | +505 -208 |\n"
        "| Wall time | 4h 9m 54s |\n"
        "| Agent active | 2h 53m 17s |\n"
        "| API time | 1h 9m 42s (40.2%) |\n"
        "| Tool time | 1h 43m 35s (59.8%) |\n"
        "| Start | 2025-12-07 09:00 |\n"
        "| End | 2025-12-07 13:09 |\n"
        "| Approvals | 40 allowed, 2 denied, 9 asked |\n"
        "| Cache hit rate | 0.0% |\n"
        "| Cached tokens | 17,000 |\n"
        "| Cache created / read | 4,000 / 13,000 |\n"
        "| Cache savings | n/a |\n"
        "\n"
        "| Model | Requests | Input tokens | Output tokens | Cached tokens | Cost |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| gemini-2.5-flash-lite | 28 | 60,389 | 2,422 | 5,000 | $0.0025 |\n"
        "| gemini-3-pro-preview | 168 | 31,056,954 | 44,268 | 12,000 | $0.1250 |\n"
        "\n"
        "| Engine | Requests | Input tokens | Output tokens | Cached tokens | Cost |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| gemini | 196 | 31,117,343 | 46,690 | 17,000 | $0.1275 |\n"
    )


def test_what_a_session_lacks_is_left_out(snapshot, now):
    printed = markdown.session(snapshot("edge").resolve("still-running"), now)
    assert "| Wall time | 59m 59s (no end recorded) |\n" in printed
    for section in ("Approvals", "Cache", "| Model |", "| Engine |", "⚠"):
        assert section not in printed


def test_warnings_close_a_session(session, now):
    printed = markdown.session(session(failed_tool_calls=99), now)
    assert printed.endswith(
        "\n\n- ⚠ 214 successful and 99 failed tool calls are more than the 231 tool calls counted\n"
    )


def test_history_is_a_table(snapshot):
    assert "".join(markdown.history(snapshot("history").sessions())) == (
        "| Session ID | Duration | Tool Calls | Success Rate | Cost |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| 3c6ddcd3-85b6-48f1-88e1-f428ca458337 | 4h 9m | 231 | 92.6% | $0.1250 |\n"
        "| a1b2c3d4-e5f6-7890-abcd-ef1234567890 | 2h 15m | 145 | 95.2% | $0.0850 |\n"
    )


def test_usage_is_a_table_with_a_total(snapshot):
    assert markdown.usage(service.usage(snapshot("session"), "model")) == (
        "## Model usage of 1 session\n"
        "\n"
        "| Model | Requests | Input tokens | Output tokens | Cached tokens | Cost |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| gemini-3-pro-preview | 168 | 31,056,954 | 44,268 | 12,000 | $0.1250 |\n"
        "| gemini-2.5-flash-lite | 28 | 60,389 | 2,422 | 5,000 | $0.0025 |\n"
        "| **Total** | 196 | 31,117,343 | 46,690 | 17,000 | $0.1275 |\n"
    )


def test_usage_is_titled_by_what_it_is_of(snapshot):
    one = service.usage(snapshot("history"), "engine", "3c6")
    assert markdown.usage(one, "a|b").startswith("## Engine usage of a\\|b\n\n| Engine |")
    both = service.usage(snapshot("history"), "engine")
    assert markdown.usage(both).startswith("## Engine usage of 2 sessions\n")
    assert markdown.usage(service.usage(Snapshot(), "model")) == "No session history found.\n"


def test_a_comparison_is_a_row_per_figure(snapshot):
    found = service.compare(snapshot("compare"), "3c6", "a1b")
    assert markdown.comparison(found) == (
        "## Session comparison\n"
        "\n"
        "A: 3c6ddcd3-85b6-48f1-88e1-f428ca458337  \n"
        "B: a1b2c3d4-e5f6-7890-abcd-ef1234567890\n"
        "\n"
        "|  | A | B | Change |  |\n"
        "| --- | ---: | ---: | ---: | --- |\n"
        "| Total tokens | 52,000 | 46,800 | -5,200 (-10.0%) | ✓ improved |\n"
        "| Input tokens | 50,000 | 45,000 | -5,000 (-10.0%) | ✓ improved |\n"
        "| Output tokens | 2,000 | 1,800 | -200 (-10.0%) |  |\n"
        "| Cached tokens | 0 | 0 | = |  |\n"
        "| Cache hit rate | 0.0% | 0.0% | = |  |\n"
        "| Cost | $0.1250 | $0.1100 | -$0.0150 (-12.0%) | ✓ improved |\n"
        "| Wall time | 4h 6m 45s | 2h 12m 45s | -1h 54m 0s (-46.2%) | ✓ improved |\n"
        "| Agent active | 3h 0m 11s | 1h 40m 11s | -1h 20m 0s (-44.4%) | ✓ improved |\n"
        "| API time | 1h 0m 0s | 40m 0s | -20m 0s (-33.3%) | ✓ improved |\n"
        "| Tool time | 2h 0m 11s | 1h 0m 11s | -1h 0m 0s (-49.9%) | ✓ improved |\n"
        "| Tool calls | 231 | 145 | -86 (-37.2%) |  |\n"
        "| Success rate | 92.6% | 95.2% | +2.6 points | ✓ improved |\n"
        "| Lines added | 505 | 320 | -185 (-36.6%) |  |\n"
        "| Lines removed | 208 | 150 | -58 (-27.9%) |  |\n"
        "\n"
    )


def test_a_figure_that_one_session_lacks_is_not_available(session):
    from rad_lsp.core import comparison

    printed = markdown.comparison(comparison.between(session(tool_calls=0), session()))
    assert "| Success rate | n/a | 92.6% | n/a |  |\n" in printed


def test_a_tooltip_sums_up(snapshot, now):
    found = service.status(snapshot("history"), now.replace(day=7, hour=20), UTC)
    assert markdown.tooltip(found, now) == (
        "**3c6ddcd3-85b6-48f1-88e1...**\n"
        "\n"
        "$0.1250 · 92.6% of 231 tool calls · 4h 9m · +505 -208\n"
        "\n"
        "Today: $0.1250 in 1 session  \n"
        "All: $0.2100 in 2 sessions, 93.6% of 376 tool calls\n"
        "\n"
        "Cache: 0.0% hit rate, 2,000 created, 10,000 read, n/a saved"
    )


def test_a_tooltip_ends_with_its_links(snapshot, now):
    found = service.status(snapshot("history"), now, UTC)
    assert markdown.tooltip(found, now, "[Export](command:x)").endswith("\n\n[Export](command:x)")


def test_a_tooltip_without_sessions_says_so(now):
    assert markdown.tooltip(service.status(Snapshot(), now, UTC), now) == "No sessions yet."


@pytest.mark.parametrize("skipped", [1, 2])
def test_a_tooltip_tells_of_what_wants_a_look(workspace, now, skipped, reports_of):
    workspace.add("a", failed_tool_calls=99)
    for number in range(skipped):
        workspace.raw(f"{number}.json", b"")
    found = service.status(reports_of(workspace.root), now, UTC)
    printed = markdown.tooltip(found, now)
    assert "⚠ 214 successful and 99 failed tool calls" in printed
    files = "1 file" if skipped == 1 else "2 files"
    assert printed.endswith(f"⚠ {files} skipped: rad doctor")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain-name 1.5", "plain-name 1.5"),
        ("a|b", "a\\|b"),
        ("*b* _i_ `c` ~s~", "\\*b\\* \\_i\\_ \\`c\\` \\~s\\~"),
        ("[l](u) <b> #h &amp; {x}", "\\[l\\](u) \\<b\\> \\#h \\&amp; \\{x\\}"),
        ("a\nb", "a\\\\nb"),
        ("\u540d\u524d", "\u540d\u524d"),
    ],
)
def test_text_from_files_shows_literally(text, escaped):
    assert markdown.escape(text) == escaped


def test_names_cannot_break_out_of_a_table(session, usage, now):
    found = session("a|b\n", model_usage={"x|y\n\n# z": usage()})
    for printed in (markdown.session(found, now), "".join(markdown.history([found]))):
        assert "a\\|b\\\\n" in printed
    assert "| x\\|y\\\\n\\\\n\\# z | 1 |" in markdown.session(found, now)


def test_usage_without_a_price_is_counted_below_the_table(session, usage, stored_row):
    found = session(model_usage={"a|b": usage(cost=0)}, spending=[stored_row(model="a|b")])
    printed = markdown.usage(usages.table([found], "model"))
    assert "| a\\|b | 1 | 2 | 3 | 4 | n/a |" in printed
    assert printed.endswith("|\n\nn/a: 1 request to a\\|b has no known price.\n")
    priced = markdown.usage(usages.table([session()], "model"))
    assert "no known price" not in priced


@pytest.fixture
def doubtful(session):
    """A session with a request that was not finished, and two tool calls without an outcome."""

    def made(session_id="s", **changes):
        found = session(session_id, tool_calls=9, successful_tool_calls=9, failed_tool_calls=0)
        sure = [Problem("lower-bound", "Told by the line", "information"), *found.problems]
        return replace(
            found, money=Money(0.1275, 1), unknown_tool_calls=2, problems=tuple(sure), **changes
        )

    return made


NOTE = (
    "\n\n≥: 1 request has no final usage recorded; "
    "success rate: the outcome of 2 tool calls is not recorded.\n"
)


def test_a_session_says_what_is_not_sure_and_why(doubtful, now):
    printed = markdown.session(doubtful(), now)
    assert "| Cost | ≥ $0.1275 |\n" in printed
    assert "| Tool calls | 9 (✓ 7, ✗ 0, ? 2) |\n" in printed
    assert "| Success rate | 100.0% of 7 known |\n" in printed
    assert printed.endswith(NOTE)


def test_a_history_says_what_is_not_sure_and_why(doubtful):
    printed = "".join(markdown.history([doubtful(deleted=True)]))
    assert "| s | 4h 9m (deleted) | 9 | 100.0% of 7 known | ≥ $0.1275 |\n" in printed
    end = "; deleted: the transcript is gone, its last figures are shown.\n"
    assert printed.endswith(NOTE.removesuffix(".\n") + end)


def test_a_comparison_says_what_is_not_sure_and_why(doubtful, session):
    from rad_lsp.core import comparison

    found = comparison.between(session("a"), doubtful("b", api_time_measured=False))
    printed = markdown.comparison(found)
    assert "| Cost | $0.1275 | ≥ $0.1275 | +$0.0000 (0.0%) of what is known |  |\n" in printed
    assert "| Success rate | 92.6% | 100.0% of 7 known | +7.4 points | ✓ improved |\n" in printed
    assert NOTE in printed
    assert printed.endswith("active time less tool time in session B: the two can't be compared.\n")


def test_a_tooltip_says_what_is_not_sure(workspace, now, reports_of, stored_row):
    row = stored_row(cost=0.1275, lower_bound=1)
    calls = {"tool_calls": 9, "successful_tool_calls": 9, "failed_tool_calls": 0}
    workspace.add("a", spending=[row], unknown_tool_calls=2, **calls)
    budget = Budget(session=0.1)
    found = service.status(reports_of(workspace.root), now.replace(day=7, hour=20), UTC, budget)
    printed = markdown.tooltip(found, now)
    assert "\n\n≥ $0.1275 · 100.0% of 7 known, 9 tool calls · 4h 9m · " in printed
    assert "Today: ≥ $0.1275 in 1 session  \n" in printed
    assert "All: ≥ $0.1275 in 1 session, 100.0% of 7 known, 9 tool calls\n" in printed
    assert "⚠ The session's budget of $0.1000 is passed: ≥ $0.1275" in printed
