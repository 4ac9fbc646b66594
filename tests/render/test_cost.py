"""A cost explained, as text and as Markdown."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from rad_lsp.core.cost import Charge, CostRow, CostTable
from rad_lsp.core.money import Money
from rad_lsp.core.price import LOCAL, SETTINGS, Price, Rates
from rad_lsp.render import cost

LISTED = Price(
    "claude-opus-4-6", "anthropic", "genai-prices 0.2.3", (Rates(5, 0.5, 6.25, 10, 25),),
    since=date(2026, 3, 13),
)  # fmt: skip
CHARGES = (
    Charge("input", 10_000, 5.0, 0.05),
    Charge("cache_read", 100_000, 0.5, 0.05),
    Charge("cache_write_5m", 50_000, 6.25, 0.3125),
    Charge("cache_write_1h", 20_000, 10.0, 0.2),
    Charge("output", 1_000, 25.0, 0.025),
)
ROW = CostRow("claude-opus-4-6", "", 0, 3, CHARGES, LISTED, Money(0.6375), 0.6375, reported=False)
TIMES = "\N{MULTIPLICATION SIGN}"
UNKNOWN = CostRow(
    "new|model",
    "",
    0,
    1,
    (Charge("input", 7, None, None),),
    None,
    Money(None, 0, 1),
    None,
    reported=False,
)


@pytest.fixture
def row():
    """The row with some fields replaced."""
    return lambda **changes: msgspec.structs.replace(ROW, **changes)


@pytest.fixture
def table():
    """A table of rows; its totals are those given."""
    return lambda *rows, **totals: CostTable(
        **{
            "sessions": 1,
            "rows": rows,
            "money": Money(0.6375),
            "computed": 0.6375,
            "reported": None,
            "unpriced": 0,
            "estimated": False,
            **totals,
        }
    )


def test_a_cost_prints_tokens_rates_and_where_they_come_from(table):
    found = table(ROW, UNKNOWN, unpriced=1)
    assert cost.text(found, "s") == (
        "Cost (Session: s)\n"
        "\n"
        "Model                                     Tokens   USD per M  Computed\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "claude-opus-4-6, 3 requests                                   $0.6375\n"
        "  input                                   10,000       $5.00  $0.0500\n"
        "  cache read                             100,000       $0.50  $0.0500\n"
        "  cache write, 5 min                      50,000       $6.25  $0.3125\n"
        "  cache write, 1 h                        20,000      $10.00  $0.2000\n"
        "  output                                   1,000      $25.00  $0.0250\n"
        "  Priced as anthropic/claude-opus-4-6 by genai-prices 0.2.3, since 2026-03-13\n"
        "new|model, 1 request                                          n/a\n"
        "  input                                        7         n/a  n/a\n"
        "  No price is known: set one in the settings\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "Cost:                       $0.6375\n"
        "Computed:                   ≥ $0.6375\n"
        "Without a price:            1 request\n"
        "\n"
        "≥ and n/a: 1 request has no known price\n"
    )
    assert cost.text(found).startswith("Cost (All Sessions)\n")


def test_a_cost_as_markdown_says_the_same(table):
    assert cost.markdown(table(ROW, UNKNOWN, unpriced=1), "a_b") == (
        "## Cost of a\\_b\n"
        "\n"
        "| Model | Tokens | USD per M | Computed |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| **claude-opus-4-6, 3 requests** |  |  | **$0.6375** |\n"
        "| input | 10,000 | $5.00 | $0.0500 |\n"
        "| cache read | 100,000 | $0.50 | $0.0500 |\n"
        "| cache write, 5 min | 50,000 | $6.25 | $0.3125 |\n"
        "| cache write, 1 h | 20,000 | $10.00 | $0.2000 |\n"
        "| output | 1,000 | $25.00 | $0.0250 |\n"
        "| **new\\|model, 1 request** |  |  | **n/a** |\n"
        "| input | 7 | n/a | n/a |\n"
        "\n"
        "- claude-opus-4-6, 3 requests: Priced as anthropic/claude-opus-4-6 by genai-prices "
        "0.2.3, since 2026-03-13.\n"
        "- new\\|model, 1 request: No price is known: set one in the settings.\n"
        "\n"
        "|  |  |\n"
        "| --- | ---: |\n"
        "| Cost | $0.6375 |\n"
        "| Computed | ≥ $0.6375 |\n"
        "| Without a price | 1 request |\n"
        "\n"
        "≥ and n/a: 1 request has no known price.\n"
    )
    assert cost.markdown(table()).startswith("## Cost of all sessions\n")


def test_a_cost_in_short_is_a_sum_and_its_rule(row):
    assert cost.brief([row(charges=CHARGES[:2], computed=0.1)], estimated=False) == (
        "claude-opus-4-6, 3 requests: 10,000 input at $5.00 + 100,000 cache read at $0.50 per M "
        "= $0.1000  \n"
        "*Priced as anthropic/claude-opus-4-6 by genai-prices 0.2.3, since 2026-03-13*"
    )
    assert cost.brief([UNKNOWN], estimated=True) == (
        "new\\|model, 1 request: n/a  \n"
        "*No price is known: set one in the settings*  \n"
        "*An estimate: the report holds sums, not requests*"
    )
    assert cost.brief([row(charges=(), computed=0.0)], estimated=False).startswith(
        "claude-opus-4-6, 3 requests: $0.0000  \n"
    )
    assert cost.brief([], estimated=True) == ""


def test_searches_of_the_web_are_a_line_of_a_cost(row, table):
    found = row(charges=CHARGES[:1], computed=0.13, searches=8, search_cost=0.08)
    assert cost.text(table(found)).splitlines()[4:7] == [
        "claude-opus-4-6, 3 requests                                   $0.1300",
        "  input                                   10,000       $5.00  $0.0500",
        f"  web search                                 8 {TIMES}     $0.0100  $0.0800",
    ]
    assert f"\n| web search | 8 {TIMES} | $0.0100 | $0.0800 |\n" in cost.markdown(table(found))
    for charges, said in (
        (CHARGES[:1], "10,000 input at $5.00 per M + 8 web searches at $0.0100 = $0.1300"),
        ((), "3 requests: 8 web searches at $0.0100 = $0.1300"),
    ):
        shown = cost.brief([msgspec.structs.replace(found, charges=charges)], estimated=False)
        assert said in shown


def test_of_many_models_the_dearest_are_explained_in_short():
    printed = cost.brief([UNKNOWN] * 12, estimated=False)
    assert printed.count("new") == 10
    assert printed.endswith("… and 2 lines more")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 200_000}, "claude-opus-4-6, 3 requests over 200,000 input tokens "),
        ({"tier": "batch"}, "claude-opus-4-6, 3 requests, batch tier "),
        ({"tier": "flex"}, "\n  No price of the flex tier is known: the standard one\n"),
        ({"tier": "fast+us"}, "\n  No price of the fast+us tier is known: the standard one\n"),
        (
            {"tier": "fast+us", "price": msgspec.structs.replace(LISTED, tier="us")},
            "\n  No price of the fast tier is known: the standard one\n",
        ),
        (
            {
                "price": msgspec.structs.replace(
                    LISTED, origin="corrections 2026-11-30", rules=("fast mode", "US")
                )
            },
            "by corrections 2026-11-30 (fast mode, US), since 2026-03-13\n",
        ),
        (
            {"searches": 1, "search_cost": None},
            f"\n  web search                                 1 {TIMES}         n/a  n/a\n",
        ),
        (
            {"searches": 1, "search_cost": None},
            "\n  No price of its web searches is known: they are left out\n",
        ),
        ({"reported": True, "money": Money(0.5)}, "\n  Reported $0.5000, which counts\n"),
        ({"price": Price("x", "", SETTINGS, LISTED.rates)}, "\n  Priced by your settings\n"),
        ({"price": Price("x", "ollama", LOCAL, LISTED.rates)}, "\n  Local model: costs nothing\n"),
        (
            {"price": msgspec.structs.replace(LISTED, since=None, fee=0.012)},
            "by genai-prices 0.2.3, $0.0120 a request\n",
        ),
    ],
)
def test_the_rule_of_a_row_is_said(row, table, changes, said):
    assert said in cost.text(table(row(**changes)))


def test_a_tier_that_has_its_price_needs_no_word(row, table):
    batch = msgspec.structs.replace(LISTED, tier="batch")
    assert "No price" not in cost.text(table(row(tier="batch", price=batch)))


def test_what_is_reported_and_what_is_computed_stand_side_by_side(row, table):
    found = table(
        row(reported=True, money=Money(1.0)),
        money=Money(5.0),
        reported=5.0,
        computed=0.6375,
        estimated=True,
    )
    assert cost.text(found).endswith(
        "\nCost:                       $5.0000\n"
        "Reported:                   $5.0000\n"
        "Computed:                   $0.6375 (estimated from sums)\n"
        "Not in these lines:         $4.0000\n"
    )


def test_a_cost_that_is_a_minimum_says_so_and_why(row, table):
    unfinished = row(money=Money(0.5, 2), reported=True)
    found = table(unfinished, money=Money(0.5, 2), reported=0.5)
    printed = cost.text(found)
    assert "claude-opus-4-6, 3 requests                                   ≥ $0.6375\n" in printed
    assert "\n  Reported ≥ $0.5000, which counts\n" in printed
    assert printed.endswith(
        "\nCost:                       ≥ $0.5000\n"
        "Reported:                   ≥ $0.5000\n"
        "Computed:                   ≥ $0.6375\n"
        "\n"
        "≥: 2 requests have no final usage recorded\n"
    )
    assert cost.brief([unfinished], estimated=False).count("≥ $0.6375") == 1


def test_without_requests_there_are_only_totals(table):
    printed = cost.text(table(money=Money(0.0), computed=0.0))
    assert printed.endswith(f"{'─' * 74}\nCost:                       $0.0000\n"
                            "Computed:                   $0.0000\n")  # fmt: skip
    assert "Computed:                   n/a\n" in cost.text(table(computed=None))


@pytest.mark.parametrize("name", ["a\n\x1b[2J", "*b* [l](u) <i>|`"])
def test_names_from_files_stay_names(row, table, name):
    price = msgspec.structs.replace(LISTED, model=name, provider=name)
    found = table(row(model=name, tier=name, price=price))
    assert all(line.isprintable() for line in cost.text(found, name).splitlines())
    for printed in (cost.markdown(found, name), cost.brief(found.rows, estimated=False)):
        assert "\x1b" not in printed
        assert "[l](u)" not in printed
        assert " <i>" not in printed
    rows = [line for line in cost.markdown(found).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 5}


def test_wide_names_line_up(row, table):
    lines = cost.text(table(row(model="\u540d" * 20, charges=CHARGES[:1]))).splitlines()
    assert lines[2].index("Computed") == lines[5].index("$0.0500")
