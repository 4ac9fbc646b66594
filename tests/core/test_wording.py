"""How figures read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rad_lsp.core import figures, wording
from rad_lsp.core.cost import Savings
from rad_lsp.core.money import Money
from rad_lsp.core.session import Usage

SECOND = 1_000_000_000
U64_MAX = 18_446_744_073_709_551_615


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (0, "0s", "0s"),
        (0.999999999, "0s", "0s"),
        (1, "1s", "1s"),
        (59.9, "59s", "59s"),
        (60, "1m 0s", "1m 0s"),
        (3599.9, "59m 59s", "59m 59s"),
        (3600, "1h 0m 0s", "1h 0m"),
        (14994, "4h 9m 54s", "4h 9m"),
        (198489, "55h 8m 9s", "55h 8m"),
        (-0.5, "0s", "0s"),
        (-61, "-1m 1s", "-1m 1s"),
        (-6840, "-1h 54m 0s", "-1h 54m"),
    ],
)
def test_durations_are_cut_to_whole_seconds(seconds, long, short):
    nanoseconds = round(seconds * SECOND)
    assert wording.duration(nanoseconds) == long
    assert wording.short_duration(nanoseconds) == short


def test_the_longest_duration_reads_in_hours():
    assert wording.duration(U64_MAX * SECOND) == "5124095576030431h 0m 15s"


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0, "$0.0000"),
        (-0.0, "$0.0000"),
        (0.1275, "$0.1275"),
        (1234567.5, "$1,234,567.5000"),
        (-0.015, "-$0.0150"),
        (-1234.5, "-$1,234.5000"),
        (-0.00001, "$0.0000"),
        (-0.0001, "-$0.0001"),
    ],
)
def test_money_has_its_sign_before_the_dollar(usd, text):
    assert wording.usd(usd) == wording.money(Money(usd)) == text


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(0.1275), "$0.1275"),
        (Money(0.1275, 1), "≥ $0.1275"),
        (Money(0.1275, 0, 1), "≥ $0.1275"),
        (Money(0.0, 0, 1), "≥ $0.0000"),
        (Money(-0.5, 1), "≥ -$0.5000"),
        (Money(None), "n/a"),
        (Money(None, 1, 1), "n/a"),
    ],
)
def test_money_says_how_sure_it_is(money, text):
    assert wording.money(money) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (90 * SECOND, "nanoseconds", "1m 30s"),
        (0.1275, "USD", "$0.1275"),
        (92.64, "percent", "92.6%"),
        (1234, "tokens", "1,234"),
        (1234, "files", "1,234"),
        (None, "tokens", "n/a"),
        (None, "nanoseconds", "n/a"),
    ],
)
def test_a_value_reads_by_its_unit(value, unit, text):
    assert wording.quantity(value, unit) == text


def test_a_sessions_figure_reads_by_its_unit(session):
    assert wording.reading(figures.named("wall_time"), session()) == "1h 0m 0s"
    assert wording.reading(figures.named("cost"), session(cost=None)) == "n/a"
    bound = session(money=Money(0.1275, 1))
    assert wording.reading(figures.named("cost"), bound) == "≥ $0.1275"


@pytest.mark.parametrize(
    ("unknown", "text"), [(0, "80.0%"), (3, "71.4% of 7 known"), (8, "0.0% of 2 known")]
)
def test_a_success_rate_says_of_how_many_calls_it_is(session, unknown, text):
    found = session(unknown_tool_calls=unknown)
    assert wording.reading(figures.SUCCESS_RATE, found) == text


def test_a_success_rate_of_no_known_outcome_is_not_available(session):
    found = session(tool_calls=4, successful_tool_calls=4, unknown_tool_calls=4)
    assert wording.reading(figures.SUCCESS_RATE, found) == "n/a"


def test_savings_name_the_models_that_they_leave_out():
    assert wording.saved(Savings(None)) == "n/a"
    assert wording.saved(Savings(0.0306)) == "$0.0306"
    assert wording.saved(Savings(0.0306, ("a", "b\n"))) == "$0.0306 (without a, b\\n)"


def test_what_is_not_known_is_not_available():
    assert wording.usd(None) == wording.rate(None) == wording.percent(None) == "n/a"


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0.00"),
        (3, "$3.00"),
        (0.5, "$0.50"),
        (0.175, "$0.175"),
        (0.000001, "$0.000001"),
        (1234.5, "$1,234.50"),
    ],
)
def test_a_rate_has_as_many_digits_as_there_are(usd, text):
    assert wording.rate(usd) == text


def test_requests_without_a_price_are_counted_and_their_models_named():
    models = [
        Usage("a\n", 3, money=Money(0.0, 0, 1)),
        Usage("b", 9),
        Usage("c", 2, money=Money(0.0, 0, 1_200)),
    ]
    assert wording.unpriced(models) == (
        "No price is known for 1,201 requests to a\\n, c: not in the cost"
    )
    assert wording.unpriced(models[:1]) == (
        "No price is known for 1 request to a\\n: not in the cost"
    )
    assert wording.unpriced(models[1:2]) is None


def test_counts_have_thousands_separators():
    assert wording.count(999) == "999"
    assert wording.count(U64_MAX) == "18,446,744,073,709,551,615"


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (None, "n/a", "n/a"),
        (0.0, "0.0%", "0.0%"),
        (0.04, "0.0%", "0.0%"),
        (-0.04, "0.0%", "0.0%"),
        (92.64, "92.6%", "+92.6%"),
        (-12, "-12.0%", "-12.0%"),
        (100, "100.0%", "+100.0%"),
    ],
)
def test_percentages_have_one_decimal(value, plain, signed):
    assert wording.percent(value) == plain
    assert wording.signed_percent(value) == signed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "+5"),
        ("-5", "-5"),
        ("0", "0"),
        ("0.0000", "0"),
        ("-0.0000", "0"),
        ("0.0001", "+0.0001"),
        ("0s", "0s"),
        ("10s", "+10s"),
        ("-1h 54m", "-1h 54m"),
    ],
)
def test_a_delta_is_signed_unless_it_is_nothing(text, expected):
    assert wording.signed(text) == expected


@pytest.mark.parametrize(
    ("added", "removed", "files", "text"),
    [
        (505, 208, None, "+505 -208"),
        (0, 0, None, "+0 -0"),
        (505, 208, 4, "+505 -208 (4 files)"),
        (1, 0, 1, "+1 -0 (1 file)"),
        (1, 0, 0, "+1 -0 (0 files)"),
        (1, 0, 1234, "+1 -0 (1,234 files)"),
        (-5, -3, None, "-5 +3"),
    ],
)
def test_code_changes(added, removed, files, text):
    assert wording.changes(added, removed, files) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2025, 12, 7, 14, 9, 59, 999_999, tzinfo=UTC), "2025-12-07 14:09"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 00:00"),
    ],
)
def test_a_moment_is_cut_to_whole_minutes(moment, text):
    assert wording.moment(moment) == text


def test_only_a_session_without_an_end_says_so():
    assert wording.state("ended") == ""
    assert wording.state("running") == " (running)"
    assert wording.state("interrupted") == " (no end recorded)"


def test_a_session_without_a_transcript_says_so_beside_its_state():
    assert wording.state("ended", deleted=True) == " (deleted)"
    assert wording.state("interrupted", deleted=True) == " (no end recorded, deleted)"


@pytest.mark.parametrize(
    ("session_id", "short"),
    [
        ("", ""),
        ("a" * 26, "a" * 26),
        ("a" * 27, "a" * 23 + "..."),
        ("3c6ddcd3-85b6-48f1-88e1-f428ca458337", "3c6ddcd3-85b6-48f1-88e1..."),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_long_ids_are_cut(session_id, short):
    assert wording.short_id(session_id) == short


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain ~ text", "plain ~ text"),
        ("\u540d\u524d \u00fc \U0001f600", "\u540d\u524d \u00fc \U0001f600"),
        ("\u202ertl", "\\u202ertl"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x00\x7f\x85\x9b", "\\x00\\x7f\\x85\\x9b"),
        ("\u2028\u2029\u200b\ufeff", "\\u2028\\u2029\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_control_and_invisible_characters_are_escaped(text, printed):
    assert wording.printable(text) == printed


def test_sessions_without_an_engine_are_named_up_to_ten():
    assert wording.engineless([]) is None
    assert wording.engineless(["a"]) == "1 session names no engine: a"
    assert wording.engineless(["a", "b\n"]) == r"2 sessions name no engine: a, b\n"
    many = wording.engineless([f"s{number}" for number in range(1012)])
    assert many == (
        "1,012 sessions name no engine: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 1,002 more"
    )


def test_a_very_long_text_is_cut():
    assert wording.printable("x" * 1_000) == "x" * 1_000
    assert wording.printable("x" * 100_000) == "x" * 1_000 + "…"
    assert wording.printable(wording.printable("x" * 100_000)) == "x" * 1_000 + "…"


def test_ten_names_are_listed_and_the_others_counted():
    names = [f"m{number}\n" for number in range(1_012)]
    assert wording.listed([]) == ""
    assert wording.listed(names[:2]) == "m0\\n, m1\\n"
    assert wording.listed(names[:10]).endswith(", m8\\n, m9\\n")
    assert wording.listed(names).endswith(", m9\\n and 1,002 more")
