"""The report page: its data, how it is put together, and its charts as pictures."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from importlib import metadata
from typing import Any

import msgspec
import pytest

from rad_lsp import settings
from rad_lsp.core.errors import ChartsMissing, NoSuchChart
from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.trend import Calls
from rad_lsp.render.report import bundle, data, drawing, page
from rad_lsp.render.report.tables import Tables
from rad_lsp.service.report import Called, Report, Used

NOW = datetime(2026, 12, 1, 2, 50, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=alert(1)>\u202egpj.{{data}}<!-- javascript:alert(1) &amp;"
HOUR = 492_000
"""An hour since 1970, of the year 2026."""


@pytest.fixture
def made(reports_of, workspace):
    """A report of three sessions, newest first, of which the last has no known price."""

    def report(name="model", **changes):
        for number in range(3):
            workspace.add(f"{name[:8] if name.isalnum() else 'id'}-{number}")
        found = tuple(reports_of(workspace.root).sessions())
        facts: dict[str, Any] = {
            "now": NOW,
            "within": ALWAYS,
            "sessions": found,
            "ids": tuple(one.id for one in found),
            "times": tuple((one.start_time, one.generated_at) for one in found),
            "usage": (
                Used(0, HOUR, name, 2, Tokens(10, 20, 0, 5, 7), Money(1.5), 0.25),
                Used(0, HOUR + 30, "other", 1, Tokens(1), Money(0.5, 1), 0.0),
                Used(1, HOUR - 5, name, 1, Tokens(3), Money(0.1), 0.0),
                Used(2, HOUR, "free", 4, Tokens(8), Money(None, 0, 4), None),
            ),
            "calls": (
                Called(0, date(2026, 2, 16), name, Calls(3, 1, 2, 4), 1_600_000_000),
                Called(1, date(2026, 2, 17), "Read", Calls(1), None),
            ),
            "budgets": (),
            "limits": (),
            "skipped": 2,
        }
        return Report(**{**facts, **changes})

    return report


def of(report, zone=UTC):
    """The data as a page reads them."""
    return json.loads(data.text(report, NOW, zone, "All projects"))


def test_columns_are_as_long_as_their_rows(made):
    found = of(made())
    for name, length in (("sessions", 3), ("usage", 4), ("calls", 2)):
        assert {key: len(column) for key, column in found[name].items()} == dict.fromkeys(
            found[name], length
        )


def test_what_grows_is_told_in_steps(made):
    found = of(made())
    assert found["usage"]["session"] == [0, 0, 1, 1]
    assert found["usage"]["hour"] == [HOUR, 30, -35, 5]
    assert found["calls"]["day"] == [20500, 1]


def test_what_is_not_known_is_null(made):
    found = of(made())
    assert found["usage"]["cost"] == [1_500_000, 500_000, 100_000, None]
    assert found["usage"]["savings"] == [250_000, 0, 0, None]
    assert found["usage"]["lower"] == [0, 1, 0, 0]
    assert found["usage"]["unpriced"] == [0, 0, 0, 4]
    assert found["calls"]["seconds"] == [2, None]


def test_an_amount_beyond_all_measure_is_not_known(made):
    used = [
        Used(0, HOUR, "m", 1, Tokens(1), Money(usd), math.nan) for usd in (math.inf, 1e308, -5.0)
    ]
    found = of(made(usage=tuple(used)))
    assert found["usage"]["cost"] == [None, None, -5_000_000]
    assert found["usage"]["savings"] == [None] * 3


def test_names_stand_once(made):
    found = of(made())
    assert found["names"]["models"] == ["model", "other", "free"]
    assert found["usage"]["model"] == [0, 1, 0, 2]
    assert found["names"]["projects"] == ["workspace"]
    assert [path.rpartition("/")[2] for path in found["names"]["paths"]] == ["workspace"]


def test_what_is_missing_is_said(made):
    found = of(made())
    assert found["skipped"] == 2
    assert "2 files skipped: rad doctor." in found["notes"]
    assert re.search(r"genai-prices \d", found["prices"])
    within = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert of(made())["period"] == ""
    assert of(made(within=within))["period"] == "since 2026-11-01 00:00 until 2026-12-01 00:00"


def test_each_figure_tells_the_columns_that_it_is_made_of(made):
    found = of(made())
    derived = {"cost", "known", "tokens", "input", "output", "cache_read"}
    for figure in found["figures"]:
        assert set(figure["of"]) <= found["sessions"].keys() | derived, figure
    assert {figure["better"] for figure in found["figures"]} == {"lower", "higher", "neither"}


class Page(HTMLParser):
    """The elements of a page, and what stands in those with an id and in scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.content = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.content.append("")

    def handle_data(self, data):
        if self.content:
            self.content[-1] += data

    def find(self, name):
        (number,) = [at for at, (_, found) in enumerate(self.elements) if found.get("id") == name]
        return self.elements[number][1], self.content[number]

    def count(self, tag):
        return len([one for one, _ in self.elements if one == tag])


def paged(report, title="All projects", vega="void 0;"):
    return page.page(data.text(report, NOW, UTC, title), title, vega)


@pytest.mark.parametrize("large", [False, True])
def test_a_hostile_name_stays_text(made, monkeypatch, large):
    if large:
        monkeypatch.setattr(page, "_LARGE", 0)
    plain = Page(paged(made()))
    hostile = paged(made(HOSTILE), HOSTILE)
    found = Page(hostile)
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert "\u202e" not in hostile
    attributes, block = found.find("data")
    assert attributes["data-encoding"] == ("gzip" if large else "plain")
    text = gzip.decompress(base64.b64decode(block)) if large else block
    assert json.loads(text)["names"]["models"][0] == HOSTILE


def test_a_page_runs_its_own_scripts_only(made):
    one, other = paged(made()), paged(made())
    found = Page(one)
    ((_, rule),) = [
        (tag, known["content"])
        for tag, known in found.elements
        if known.get("http-equiv") == "Content-Security-Policy"
    ]
    (nonce,) = re.findall(r"script-src 'nonce-([\w-]{20,})'", rule)
    assert rule.startswith("default-src 'none'")
    assert "unsafe-eval" not in rule
    scripts = [known for tag, known in found.elements if tag == "script"]
    assert {known.get("nonce") for known in scripts if "json" not in known.get("type", "")} == {
        nonce
    }
    assert nonce not in other
    assert not any({"src", "href"} & known.keys() for tag, known in found.elements if tag != "a")


def test_no_hole_is_left_and_none_of_the_data_is_one(made):
    text = paged(made("{{nonce}}"))
    assert "{{nonce}}" in text
    assert re.findall(r"\{\{\w+\}\}", text.replace("{{nonce}}", "")) == []


def test_a_script_does_not_end_its_element():
    found = Page(page.page("{}", "t", "const a = '</script><b>', c = '<!--';"))
    assert found.count("b") == 0


@pytest.fixture(scope="module")
def vega(tmp_path_factory):
    """The script of charts, and where it was kept."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setattr(settings, "data_folder", lambda: folder / "rad-lsp")
        yield bundle.javascript(), folder / "rad-lsp" / "vega.js"


def test_charts_are_drawn_by_a_script_with_its_licences(vega):
    script, kept = vega
    for name in ("vega", "vegaEmbed", "vegaLite"):
        assert name in script
    for licence in ("BSD 3-Clause License", "MIT License", "ISC License"):
        assert script.partition("*/")[0].count(licence) == 1
    assert kept.stat().st_mode & 0o077 == 0


def test_the_script_is_kept_and_made_anew_where_it_was_changed(vega, monkeypatch):
    script, kept = vega
    monkeypatch.setattr(settings, "data_folder", lambda: kept.parent)
    monkeypatch.setattr(bundle, "_made", lambda: "made anew")
    assert bundle.javascript() == script
    kept.write_text(kept.read_text(encoding="utf-8") + "alert(1)", encoding="utf-8")
    assert bundle.javascript().endswith("made anew")
    assert bundle.javascript().endswith("made anew")


def test_one_sentence_says_what_draws_charts_and_how_to_get_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ChartsMissing, match=r"vl-convert.*pipx install --force '\.\[charts\]'"):
        bundle.javascript()
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(ChartsMissing):
        drawing.Drawing("hours", "png")


def test_an_unknown_chart_names_those_that_there_are():
    with pytest.raises(NoSuchChart, match=r"no chart 'cake'.*cost-by-day, .*top-sessions"):
        drawing.Drawing("cake", "svg")


@pytest.mark.parametrize("chart", page.charts())
def test_each_chart_is_drawn(made, chart):
    svg = drawing.Drawing(chart, "svg").picture(made(HOSTILE), UTC).decode()
    assert svg.startswith("<svg")
    assert "<img" not in svg
    assert "\u202e" not in svg


def test_a_picture_may_be_of_pixels(made):
    assert drawing.Drawing("hours", "png").picture(made(), UTC).startswith(b"\x89PNG")


@pytest.mark.parametrize("chart", page.charts())
def test_each_chart_can_be_drawn_of_nothing(made, chart):
    report = made(sessions=(), ids=(), times=(), usage=(), calls=())
    assert b"<svg" in drawing.Drawing(chart, "svg").picture(report, UTC)


def test_the_sum_stays_between_two_days_on_which_something_was_spent(made):
    used = [Used(0, HOUR + 24 * day, "m", 1, Tokens(1), Money(2.0), 0.0) for day in (0, 5)]
    report = made(usage=tuple(used), sessions=(), ids=(), times=(), calls=())
    rows = Tables(report, UTC).of("budget")
    steps = [((row["to"] - row["from"]) // 86_400_000, row["cost"]) for row in rows]
    assert steps == [(0, 0.0), (1, 2.0), (4, 2.0), (1, 4.0)]


def test_tables_have_the_reports_own_sums(made):
    tables = Tables(made(), UTC)
    day = 86_400_000
    begin = HOUR // 24 * day
    by_day = [
        {"from": begin - day, "to": begin, "model": "model", "rank": 0, "requests": 1},
        {"from": begin, "to": begin + day, "model": "model", "rank": 0, "requests": 2},
    ]
    found = tables.of("cost-by-day")
    assert [{key: row[key] for key in by_day[0]} for row in found[:2]] == by_day
    assert [(row["model"], row["cost"], row["lower"]) for row in tables.of("cost-by-model")] == [
        ("model", pytest.approx(1.6), False),
        ("other", pytest.approx(0.5), True),
        ("free", None, False),
    ]
    (project,) = tables.of("cost-by-project")
    assert (project["cost"], project["lower"], project["sessions"]) == (2.1, True, 3)
    assert [(row["tool"], row["outcome"], row["calls"]) for row in tables.of("tools")] == [
        ("model", "Succeeded", 3),
        ("model", "Failed", 1),
        ("model", "Denied", 2),
        ("model", "Unknown", 4),
        ("Read", "Succeeded", 1),
    ]
    assert [row["rate"] for row in tables.of("success-rate")] == [75.0, 100.0]
    assert [row["savings"] for row in tables.of("cache-savings")] == [0.0, 0.25, 0.0]


def test_long_times_are_drawn_by_week_and_by_month(made):
    def edges(days):
        used = [Used(0, 24 * (20_500 + day), "m", 1, Tokens(1), Money(1.0), 0.0) for day in days]
        rows = Tables(made(usage=tuple(used), sessions=(), ids=(), times=(), calls=()), UTC).of(
            "cost-by-day"
        )
        return [(row["to"] - row["from"]) // 86_400_000 for row in rows]

    assert edges((0, 99)) == [1, 1]
    assert edges((0, 100)) == [7, 7]
    assert edges((0, 900)) == [28, 31]


def test_names_that_read_alike_are_told_apart(made):
    used = [
        Used(0, HOUR, name, 1, Tokens(1), Money(1.0), 0.0)
        for name in ("", "No model", "a\u200b", "a\\u200b")
    ]
    rows = Tables(made(usage=tuple(used)), UTC).of("cost-by-model")
    assert [row["model"] for row in rows] == [
        "No model",
        "No model (2)",
        "a\\u200b",
        "a\\u200b (2)",
    ]


def test_data_of_a_report_can_be_encoded_whatever_names_it_has(made):
    lone = msgspec.structs.replace(made().usage[0], model="a\ud800b")
    text = data.text(made(usage=(lone,)), NOW, UTC, "x")
    assert text.isascii()
    assert json.loads(text)["names"]["models"] == ["a\ud800b"]
