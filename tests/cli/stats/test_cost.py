from __future__ import annotations

import json

import pytest

ID = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
PRICE = '[prices."{}"]\ninput = 1\noutput = 10\ncache_read = 0.5\n'


@pytest.fixture
def priced(workspace, stored_row):
    """A workspace of two sessions of ours: one priced, the newer one not."""
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    workspace.add(
        "old",
        start_time="2025-12-06T09:00:00Z",
        end_time="2025-12-06T10:00:00Z",
        model_usage={"claude-opus-4-5": usage | {"estimated_cost": 0.00525}},
        spending=[stored_row(start="2025-12-06T09:00:00Z", model="claude-opus-4-5", cost=0.00525)],
        total_cost=0.00525,
    )
    workspace.add(
        "new",
        model_usage={"mine": usage | {"estimated_cost": 0.0}},
        spending=[stored_row(model="mine")],
        total_cost=0.0,
    )
    return workspace


def test_a_report_of_sums_is_explained_as_an_estimate(rad, golden):
    done = rad("stats", "cost", "latest", cwd=golden("compare"))
    assert (done.returncode, done.stderr) == (0, "")
    title, _, _, _, first, *lines = done.stdout.splitlines()
    assert title.startswith("Cost (Session: ")
    assert first.split() == ["gemini-3-pro-preview,", "50", "requests", "$0.1116"]
    assert [line.split() for line in lines[:2]] == [
        ["input", "45,000", "$2.00", "$0.0900"],
        ["output", "1,800", "$12.00", "$0.0216"],
    ]
    assert lines[2].startswith("  Priced as google/gemini-3-pro-preview by genai-prices ")
    assert lines[3] == "  Reported $0.1100, which counts"
    assert lines[5:] == [
        "Cost:                       $0.1100",
        "Reported:                   $0.1100",
        "Computed:                   $0.1116 (estimated from sums)",
    ]


def test_without_an_id_it_is_of_all_sessions(rad, golden):
    shown = rad("stats", "cost", cwd=golden("compare")).stdout
    assert shown.startswith("Cost (All Sessions)\n")
    assert "gemini-3-pro-preview, 110 requests" in shown
    assert "\nCost:                       $0.2350\n" in shown


def test_requests_are_priced_one_by_one_and_what_has_no_price_is_counted(rad, priced):
    shown = rad("stats", "cost", cwd=priced.root).stdout
    assert "estimated" not in shown
    assert "Reported" not in shown
    assert shown.endswith(
        "Cost:                       ≥ $0.0053\n"
        "Computed:                   ≥ $0.0053\n"
        "Without a price:            1 request\n"
        "\n"
        "≥ and n/a: 1 request has no known price\n"
    )
    alone = rad("stats", "cost", "new", cwd=priced.root).stdout
    assert "mine, 1 request" in alone
    assert "No price is known: set one in the settings" in alone
    assert alone.endswith(
        "Cost:                       n/a\n"
        "Computed:                   n/a\n"
        "Without a price:            1 request\n"
        "\n"
        "n/a: 1 request has no known price\n"
    )


def test_json_is_the_wires_answer_in_snake_case(rad, priced):
    found = json.loads(rad("stats", "cost", "old", "--json", cwd=priced.root).stdout)
    origin = found["rows"][0]["price"].pop("origin")
    assert origin.startswith("genai-prices ")
    assert found == {
        "sessions": 1,
        "rows": [
            {
                "model": "claude-opus-4-5",
                "tier": None,
                "threshold": 0,
                "requests": 1,
                "cost": 0.00525,
                "computed": 0.00525,
                "reported": False,
                "charges": [
                    {"token_class": "input", "tokens": 1000, "rate": 5.0, "cost": 0.005},
                    {"token_class": "output", "tokens": 10, "rate": 25.0, "cost": 0.00025},
                ],
                "price": {
                    "model": "claude-opus-4-5",
                    "provider": "anthropic",
                    "since": None,
                    "tier": None,
                    "request_fee": 0.0,
                    "search_fee": 0.01,
                    "rules": [],
                },
                "searches": 0,
                "search_cost": 0.0,
                "spellings": [],
                "cost_is_lower_bound": False,
            }
        ],
        "cost": 0.00525,
        "reported": None,
        "computed": 0.00525,
        "unpriced": 0,
        "estimated": False,
        "cost_is_lower_bound": False,
    }


def test_json_has_null_for_what_has_no_price(rad, priced):
    found = json.loads(rad("stats", "cost", "new", "--json", cwd=priced.root).stdout)
    (row,) = found["rows"]
    assert (found["cost"], found["computed"], found["unpriced"]) == (None, None, 1)
    assert (row["cost"], row["computed"], row["price"]) == (None, None, None)
    assert row["charges"][0] == {
        "token_class": "input",
        "tokens": 1000,
        "rate": None,
        "cost": None,
    }


def test_a_period_narrows_the_sessions_and_not_one(rad, priced):
    found = rad("stats", "cost", "--json", "--since", "2025-12-07", cwd=priced.root)
    assert [row["model"] for row in json.loads(found.stdout)["rows"]] == ["mine"]
    empty = rad("stats", "cost", "--since", "2026-01-01", cwd=priced.root)
    assert (empty.returncode, empty.stdout) == (0, "No session history found.\n")
    both = rad("stats", "cost", "new", "--since", "1d", cwd=priced.root)
    assert both.returncode == 2


def test_without_sessions_it_says_so(rad, workspace):
    done = rad("stats", "cost", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")
    found = json.loads(rad("stats", "cost", "--json", cwd=workspace.root).stdout)
    assert (found["sessions"], found["rows"], found["cost"]) == (0, [], 0)
    assert rad("stats", "cost", "latest", cwd=workspace.root).returncode == 1


def test_a_price_of_the_users_own_counts(rad, priced, user_settings):
    user_settings(PRICE.format("MINE"))
    shown = rad("stats", "cost", "new", cwd=priced.root).stdout
    assert "  Priced by your settings\n" in shown
    # 1,000 at $1 and 10 at $10 per million; what was spent when no price was known stays n/a.
    assert "Computed:                   $0.0011\n" in shown
    assert "Without a price" not in shown


def test_a_mistake_in_a_price_is_one_line_that_names_it(rad, priced, user_settings):
    user_settings('[prices."my model"]\ninput = nan\n')
    done = rad("stats", "cost", cwd=priced.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert 'prices."my model".input: ' in done.stderr


def test_a_report_whose_total_is_not_that_of_its_models_is_explained_as_far_as_it_goes(
    rad, workspace
):
    workspace.add("odd", total_cost=5.0)
    shown = rad("stats", "cost", "odd", cwd=workspace.root).stdout
    assert "\nCost:                       $5.0000\nReported:                   $5.0000\n" in shown
    assert "\nNot in these lines:         $4.8725\n" in shown
    workspace.add("bare", total_cost=5.0, model_usage={})
    assert rad("stats", "cost", "bare", cwd=workspace.root).stdout.endswith(
        "Cost:                       $5.0000\n"
        "Reported:                   $5.0000\n"
        "Computed:                   n/a\n"
        "Not in these lines:         $5.0000\n"
    )


def test_the_largest_counts_are_priced(rad, workspace):
    largest = 2**64 - 1
    usage = dict.fromkeys(("requests", "input_tokens", "output_tokens", "cached_tokens"), largest)
    for name in ("one", "two"):
        workspace.add(name, model_usage={"gpt-5": usage | {"estimated_cost": 1e300}},
                      total_cost=1e300)  # fmt: skip
    done = rad("stats", "cost", "--json", cwd=workspace.root)
    (row,) = json.loads(done.stdout)["rows"]
    assert row["requests"] == 2 * largest
    assert row["cost"] == 2e300
    assert rad("stats", "cost", cwd=workspace.root).returncode == 0


def test_savings_go_by_the_users_own_prices(rad, golden_copy, user_settings):
    root = golden_copy("edge")
    before = rad("stats", "session", "cache-heavy", cwd=root).stdout
    # 900,000 read x ($5 - $0.50) - 50,000 created x ($6.25 - $5).
    assert "Savings:                    $3.9875\n" in before
    user_settings(PRICE.format("Claude-Opus-4-5"))
    # 900,000 read x ($1 - $0.50), and what is created costs as much as input.
    after = rad("stats", "session", "cache-heavy", cwd=root).stdout
    assert "Savings:                    $0.4500\n" in after


def test_every_other_command_says_na_where_there_is_no_price(rad, priced):
    def shown(*arguments):
        done = rad("stats", *arguments, cwd=priced.root)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert shown("history").splitlines()[4].endswith("  n/a")
    model = shown("model").splitlines()
    assert any(line.startswith("mine ") and line.endswith("  n/a") for line in model)
    assert model[-1] == "≥ and n/a: 1 request to mine has no known price"
    assert shown("history").splitlines()[-1] == "n/a: 1 request has no known price"
    assert shown("session", "new").splitlines()[-1] == "n/a: 1 request to mine has no known price"
    assert shown("cost", "new").splitlines()[-1] == "n/a: 1 request has no known price"
    assert json.loads(shown("model", "new", "--json"))[0]["estimated_cost"] is None
    compared = shown("compare", "old", "new").split("\nCost\n")[1].splitlines()
    assert [line.strip() for line in compared[1:4]] == [
        "Session A: $0.0053",
        "Session B: n/a",
        "Delta: n/a",
    ]
    assert json.loads(shown("compare", "old", "new", "--json"))["cost_delta"] is None
    header, row = shown("export", "new", "--format", "csv").splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["cost"] == ""
    assert "| n/a |" in shown("export", "--format", "markdown")
    doctor = rad("doctor", cwd=priced.root).stdout
    assert "\nWarnings:          0\nNotes:             1\n" in doctor
    assert "\n  new: no price is known for 1 request to mine: not in the cost [unpriced]" in doctor
