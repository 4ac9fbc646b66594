"""One value of a report in human form, with its context."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rad_lsp.render import figure

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 12, 7, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("wall_time", "**Wall time** 4h 9m 54s"),
        ("agent_active_time", "**Agent active** 2h 53m 17s, 69.3% of wall time"),
        ("api_time", "**API time** 1h 9m 42s, 40.2% of the agent's active time"),
        ("tool_time", "**Tool time** 1h 43m 35s, 59.8% of the agent's active time"),
        ("failed_tool_calls", "**Tool calls** 231: 214 succeeded, 17 failed  \nSuccess rate 92.6%"),
        ("tool_approvals_asked", "**Approvals** 40 allowed, 2 denied, 9 asked"),
        ("lines_removed", "**Code changes** +505 -208"),
        (
            "total_cached_tokens",
            (
                "**Cache** 17,000 cached tokens, 4,000 created, 13,000 read  \n"
                "Hit rate 0.0% of input tokens"
            ),
        ),
        ("total_cost", "**Cost** $0.1275, as the report has it  \nIts models add up to $0.1275"),
        ("model_usage", "**2 models**: 31,164,033 tokens, $0.1275"),
        ("engine_usage", "**1 engine**: 31,164,033 tokens, $0.1275"),
        ("start_time", "**Start** 2025-12-07 10:00:00 CET (4h 59m ago)"),
        ("end_time", "**End** 2025-12-07 14:09:54 CET (50m 5s ago)"),
    ],
)
def test_a_figure_reads_with_its_context(session, key, says):
    assert figure.hover(session(), ("metrics", key), NOW, BERLIN) == says


def test_the_time_of_writing(session):
    found = figure.hover(session(), ("generated_at",), NOW, BERLIN)
    assert found == "**Report written** 2025-12-07 14:09:55 CET (50m 4s ago)"


def test_a_part_of_a_duration_reads_as_the_duration(session):
    found = figure.hover(session(), ("metrics", "wall_time", "secs"), NOW, BERLIN)
    assert found == "**Wall time** 4h 9m 54s"


def test_a_session_without_an_end_says_when_it_was_last_reported(session):
    found = figure.hover(session(end_time=None), ("metrics", "end_time"), NOW, BERLIN)
    assert found == ("**End** no end recorded; last reported 2025-12-07 14:09:55 CET (50m 4s ago)")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            (),
            (
                "**gemini-3-pro-preview** 168 requests, 31,056,954 input tokens, "
                "44,268 output tokens  \n$0.1250, 98.0% of the cost  \n"
                "12,000 of the input tokens cached, 0.0%"
            ),
        ),
        (
            ("estimated_cost",),
            (
                "**gemini-3-pro-preview** 168 requests, 31,056,954 input tokens, "
                "44,268 output tokens  \n$0.1250, 98.0% of the cost"
            ),
        ),
        (
            ("cached_tokens",),
            (
                "**gemini-3-pro-preview** 31,056,954 input tokens  \n"
                "12,000 of the input tokens cached, 0.0%"
            ),
        ),
    ],
)
def test_a_models_usage_reads_with_its_share(session, keys, says):
    path = ("metrics", "model_usage", "gemini-3-pro-preview", *keys)
    assert figure.hover(session(), path, NOW, BERLIN) == says


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("metrics",),
        ("new",),
        ("metrics", "new"),
        ("metrics", "session_id"),
        ("metrics", "model_usage", "unknown"),
        ("metrics", 0),
    ],
)
def test_where_there_is_no_figure_nothing_is_said(session, path):
    assert figure.hover(session(), path, NOW, BERLIN) is None


def test_names_from_files_show_literally(session, usage):
    found = session(model_usage={"*a*\n": usage()})
    says = figure.hover(found, ("metrics", "model_usage", "*a*\n"), NOW, BERLIN)
    assert says
    assert says.startswith("**\\*a\\*\\\\n** 1 request,")


@pytest.mark.parametrize(
    ("path", "number", "says"),
    [
        (("metrics", "wall_time"), None, "4h 9m 54s"),
        (("metrics", "successful_tool_calls"), 214, "92.6%"),
        (("metrics", "tool_calls"), 231, None),
        (("metrics", "tool_calls"), 12_345, "12,345"),
        (("metrics", "model_usage", "m", "input_tokens"), 2**64 - 1, "18,446,744,073,709,551,615"),
        (("metrics", "wall_time", "secs"), 14_994, None),
        (("metrics", "total_cost"), 12_345.5, None),
        (("metrics", "session_id"), None, None),
    ],
)
def test_a_hint_is_a_few_words(session, path, number, says):
    assert figure.hint(session(), path, number) == says
