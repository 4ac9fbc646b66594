"""The report page in a real browser: with the mouse and the keyboard, from a file, offline."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from tests.page import sample

pytestmark = pytest.mark.xdist_group("page")  # one browser, one window

CLICKS = {
    "cost-by-day": ("rect", "Model: "),
    "cost-by-project": ("rect", "Project: "),
    "cost-by-model": ("rect", "Model: "),
    "hours": ("rect", "Time: "),
    "tools": ("rect", "Tool: "),
    "top-sessions": ("rect", "Session: "),
    "success-rate": ("symbol", "20"),
    "cache-savings": ("rect", "20"),
    "time-split": ("rect", "20"),
}
"""What a click on a mark of a chart filters by."""


def test_every_chart_is_drawn_and_nothing_is_asked_for(report, names, file):
    assert report.asked == [file.as_uri()]
    for name in names:
        picture = report.chart(name).locator(".chart")
        assert picture.locator("svg, canvas").count() == 1, name
        assert picture.bounding_box()["height"] > 80, name
        assert picture.get_attribute("aria-label"), name
    assert report.page.locator("article h3").count() == len(names) + 2


def test_tiles_say_what_is_a_lower_bound(report):
    assert report.tile("Cost").startswith("≥ $")
    assert "requests without a known price" in report.text("#tiles")
    assert report.tile("Sessions") == "400"
    assert re.fullmatch(r"\d\d\.\d%", report.tile("Success rate"))
    assert "1 file skipped" in report.text("#notes")
    assert "$900.00" in report.text("#notes")
    assert "prices" in report.text("#footer") or "price" in report.text("#footer")


def test_a_brush_filters_by_whole_days_and_is_cleared_everywhere(report):
    report.brush(0.4, 0.7)
    (chip,) = report.chips()
    days = re.findall(r"\d{4}-\d\d-\d\d", chip)
    assert len(days) == 2
    assert [report.page.input_value(f"#{end}") for end in ("from", "to")] == days
    assert int(report.tile("Sessions")) < 400
    brush = report.chart("cost-by-day").locator("svg [class*=brush_brush_bg] path")
    assert brush.bounding_box()["width"] > 100
    report.page.click(".chip")
    report.settled()
    assert (report.chips(), report.tile("Sessions")) == ([], "400")
    assert not brush.count() or brush.bounding_box()["width"] < 1
    report.click(report.marks("cost-by-model").first)
    assert len(report.chips()) == 1  # the dates do not come back


def test_dates_that_are_typed_move_the_brush(report):
    report.page.fill("#from", "2026-11-10")
    report.settled()
    assert report.chips() == ["2026-11-10 to 2026-12-01"]
    brush = report.chart("cost-by-day").locator("svg [class*=brush_brush_bg] path")
    assert brush.bounding_box()["width"] > 100


@pytest.mark.parametrize("name", CLICKS)
def test_a_click_on_a_mark_filters_and_a_second_one_takes_it_back(report, name):
    kind, label = CLICKS[name]
    mark = report.marks(name, kind).nth(2)
    report.click(mark)
    (chip,) = report.chips()
    assert chip.startswith(label)
    assert int(report.tile("Sessions")) < 400
    if kind == "rect" and name not in {"cost-by-day", "cache-savings", "time-split"}:
        report.click(mark)
        assert report.chips() == []


def test_a_chart_ignores_its_own_filter_and_the_others_do_not(report):
    before = {name: report.marks(name).count() for name in ("cost-by-project", "hours")}
    report.click(report.marks("cost-by-project").nth(3))
    assert report.marks("cost-by-project").count() == before["cost-by-project"]
    assert report.marks("hours").count() < before["hours"]


def test_filters_add_up_and_are_cleared_one_by_one(report):
    report.click(report.marks("cost-by-project").first)
    one = int(report.tile("Sessions"))
    report.click(report.marks("cost-by-model").first)
    assert int(report.tile("Sessions")) < one
    assert f"of {400} sessions" in report.text("#active")
    report.page.click(".chip >> nth=1")
    report.settled()
    assert int(report.tile("Sessions")) == one
    assert report.page.get_attribute("#active", "aria-live") == "polite"


def test_what_remains_are_the_sums_of_the_data(report):
    data = sample.report()
    steps, session = 0, []
    for step in data["usage"]["session"]:
        steps += step
        session.append(steps)
    project = data["names"]["projects"].index("website")
    of = data["sessions"]["project"]
    cost = [
        amount
        for place, amount in zip(session, data["usage"]["cost"], strict=True)
        if of[place] == project and amount is not None
    ]
    row = report.chart("cost-by-project").get_by_role("row", name="website")
    report.press("cost-by-project", "Table")
    row.get_by_role("button").click()
    report.settled()
    assert report.tile("Cost") == f"≥ ${sum(cost) / 1e6:,.2f}"
    assert int(report.tile("Sessions")) == of.count(project)
    report.press("cost-by-project", "Table")


@pytest.mark.parametrize("name", CLICKS)
def test_marks_have_a_tooltip(report, name):
    report.page.mouse.move(2, 2)
    report.page.mouse.move(*report.centre(report.marks(name, CLICKS[name][0]).nth(2)))
    tooltip = report.page.locator("#tooltip")
    tooltip.wait_for(state="visible")
    assert "\n" in tooltip.inner_text()
    report.page.keyboard.press("Escape")
    assert tooltip.is_hidden()


def test_points_on_the_canvas_have_a_tooltip_and_filter(report):
    canvas = report.chart("duration-cost").locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    # The points lie along a diagonal: somewhere on a line across it there is one.
    for step in range(300):
        x, y = box["x"] + box["width"] * 0.55, box["y"] + 20 + step * 0.8
        report.page.mouse.move(x, y)
        if report.page.locator("#tooltip").is_visible():
            break
    assert "Wall time" in report.text("#tooltip")
    report.page.mouse.click(x, y)
    report.settled()
    assert report.tile("Sessions") == "1"


def test_a_table_is_sorted_by_its_head_and_paged(report):
    table = report.page.locator("#sessions")
    head = table.get_by_role("columnheader", name="Cost")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    cost = [
        float(re.sub(r"[^\d.]", "", text))
        for text in table.locator("tbody td:nth-child(7)").all_inner_texts()
    ]
    assert len(cost) == 25
    assert cost == sorted(cost, reverse=True)
    table.get_by_role("button", name="Next").click()
    assert "26\u201350 of 400" in table.inner_text()
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert "1\u201325 of 400" in table.inner_text()


def test_what_is_not_known_is_last_both_ways_and_reads_so(report):
    table = report.page.locator("#sessions")
    button = table.get_by_role("columnheader", name="Active").get_by_role("button")
    for _ in range(2):
        button.click()
        assert "n/a" not in table.locator("tbody td:nth-child(6)").first.inner_text()
    assert "n/a" in report.text("#sessions") or table.locator(".pages").inner_text()


def test_two_sessions_stand_side_by_side(report):
    ticks = report.page.locator("#sessions tbody input")
    for place in (1, 4):
        ticks.nth(place).check()
    rows = report.page.locator("#compare tbody tr")
    assert rows.count() == len(sample.FIGURES)
    assert re.search("[\u2212+]\\S+ (better|worse)", report.text("#compare"))
    ticks.nth(6).check()  # takes the place of the first
    assert [ticks.nth(place).is_checked() for place in (1, 4, 6)] == [False, True, True]
    for place in (4, 6):
        ticks.nth(place).uncheck()
    assert "Tick two sessions" in report.text("#compare")


def test_each_chart_has_its_table(report, names):
    for name in names:
        report.press(name, "Table")
        table = report.chart(name).get_by_role("table")
        assert table.get_by_role("row").count() > 1, name
        assert report.chart(name).locator(".chart").is_hidden()
        report.press(name, "Table")
        assert report.chart(name).locator(".chart").is_visible()


def test_a_chart_is_saved_as_picture(report, names, tmp_path):
    for name in names:
        for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            with report.page.expect_download() as download:
                report.chart(name).get_by_role("button", name=kind).click()
            assert download.value.suggested_filename == f"{name}.{kind.lower()}"
            file = tmp_path / download.value.suggested_filename
            download.value.save_as(file)
            assert file.read_bytes().startswith(begins)
        title = report.chart(name).locator("h3").inner_text()
        svg = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314  (ours)
        assert title in "".join(svg.itertext())
        assert not [node for node in svg.iter() if node.tag.endswith(("script", "image", "}a"))]


def test_hostile_names_stay_text(report, names):
    for name in names:
        report.press(name, "Table")
    assert report.page.title() == "Sessions"
    assert report.page.locator("img, iframe, object, a[href]").count() == 0
    body = report.text("body")
    assert "</script><img src=x" in body
    assert r"safe\u202egpj.ledom\u200b\u0007" in body
    assert not re.search("[\u202e\u200b\u0007]", report.page.content())
    assert "'__proto__'" in body
    assert "{{data}}" in body
    assert "No model" in body
    for name in names:
        report.press(name, "Table")
    assert report.page.locator(".chart svg").count() == len(names) - 1


def test_all_is_reached_and_used_by_keyboard(report):
    page = report.page
    page.evaluate("document.activeElement.blur()")
    page.click("h1")
    reached = []
    for _ in range(400):
        page.keyboard.press("Tab")
        element = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.id"
            " || document.activeElement.ariaLabel || document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if element[0] == "BODY":
            break
        reached.append(element[1])
        # The button within a field of a date has the browser's own ring.
        assert element[2] != "none" or element[0] == "INPUT", element
    for wanted in ("from", "source", "Table: Cost by day and model", "Cost", "Next"):
        assert wanted in reached
    table = report.chart("tools").get_by_role("button", name="Table")
    table.focus()
    page.keyboard.press("Enter")
    report.chart("tools").locator("tbody button").first.focus()
    page.keyboard.press("Enter")
    report.settled()
    assert report.chips()[0].startswith("Tool: ")
    assert page.evaluate("document.activeElement.ariaPressed") == "true"  # the focus has stayed
    page.locator(".chip").focus()
    page.keyboard.press("Enter")
    report.settled()
    assert report.chips() == []
    assert page.evaluate("document.activeElement.id") == "from"
    table.focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(shown, written, axe, picture, scheme):
    picture(shown(color_scheme=scheme), scheme)
    # It looks at each mark of each chart, so there are few.
    few = written(sample.text(sessions=12, days=3))
    window = shown(few, color_scheme=scheme, bypass_csp=True)
    window.click(window.marks("cost-by-project").first)
    for place in (0, 1):
        window.page.locator("#sessions tbody input").nth(place).check()
    for name in ("cost-by-day", "hours"):
        window.press(name, "Table")
    assert axe(window) == []


def test_a_change_of_the_theme_draws_the_charts_anew(shown):
    window = shown(color_scheme="light")
    window.click(window.marks("cost-by-project").first)
    background = window.chart("budget").locator("svg > rect, svg > g > rect, svg").first
    light = background.evaluate("(node) => node.style.backgroundColor || node.outerHTML")
    window.page.emulate_media(color_scheme="dark")
    window.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    window.settled()
    dark = background.evaluate("(node) => node.style.backgroundColor || node.outerHTML")
    assert light != dark
    assert len(window.chips()) == 1
    assert window.complaints() == []


def test_a_phone_is_wide_enough(shown, picture):
    window = shown(width=420)
    picture(window, "phone")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.page.set_viewport_size({"width": 900, "height": 900})
    window.settled()
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert window.complaints() == []


def test_paper_shows_the_figures_without_the_controls(shown):
    window = shown()
    window.page.emulate_media(media="print")
    assert window.page.locator(".controls").is_hidden()
    assert window.page.locator("#print").is_hidden()
    assert window.page.locator("#tiles").is_visible()
    assert window.page.pdf().startswith(b"%PDF")
    assert window.complaints() == []


def test_in_an_editor_it_has_its_colours_saves_through_it_and_takes_new_data(
    shown, editor, as_message
):
    window = shown(script=editor)
    root = window.page.locator("html")
    assert root.get_attribute("data-theme") == "dark"
    body = window.page.locator("article").first
    assert body.evaluate("(node) => getComputedStyle(node).backgroundColor") == "rgb(16, 32, 48)"
    window.press("budget", "SVG")
    window.page.wait_for_function("posted.length")
    (message,) = window.page.evaluate("posted")
    assert (message["type"], message["name"]) == ("save", "budget.svg")
    assert message["data"].startswith("data:image/svg+xml;base64,")
    window.click(window.marks("cost-by-project").first)
    (chip,) = window.chips()
    window.page.evaluate(f"postMessage({as_message}, '*')")
    window.page.wait_for_function("document.querySelector('#active').innerText.includes('of 50')")
    window.settled()
    assert window.chips() == [chip]
    window.page.evaluate("postMessage({ type: 'filter', project: '/home/me/infra' }, '*')")
    window.page.wait_for_function("document.querySelector('#active').innerText.includes('infra')")
    (chip,) = window.chips()
    window.page.evaluate("postMessage({ type: 'data', data: 'no JSON' }, '*')")
    window.page.locator("#problem").wait_for(state="visible")
    assert window.chips() == [chip]
    assert window.complaints() == []


@pytest.mark.parametrize(
    ("data", "script"),
    [("{}", None), ('{"version": 1, "sessions": {}}', None), (None, "throw new Error('torn')")],
)
def test_what_fails_is_told_on_the_page(shown, written, data, script):
    window = shown(written(data, **({"script": script} if script else {})))
    assert window.text("#problem").startswith("The report could not be drawn: ")


def test_a_chart_that_is_missing_is_told_on_the_page(shown, file, tmp_path):
    torn = tmp_path / "torn.html"
    text = file.read_text(encoding="utf-8").replace('"cost-by-day": {', '"no-such-chart": {')
    torn.write_text(text, encoding="utf-8")
    assert shown(torn).text("#problem").startswith("The report could not be drawn: ")


def test_the_theme_may_change_while_it_is_drawn(shown):
    window = shown()
    for scheme in ("dark", "light", "dark"):
        window.page.emulate_media(color_scheme=scheme)
    window.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    window.settled()
    assert window.page.locator(".chart svg").count() == 12
    assert window.complaints() == []


def test_a_report_without_sessions_says_so(shown, written):
    window = shown(written(json.dumps(sample.report(sessions=0, hostile=False))))
    assert "All 0 sessions" in window.text("#active")
    for label in ("Cost", "Success rate", "Cache hit rate", "Savings by the cache"):
        assert window.tile(label) == "n/a"
    assert window.chart("cost-by-day").locator(".empty").is_visible()
    assert window.complaints() == []


def test_one_session_is_a_report(shown, written):
    window = shown(written(sample.text(sessions=1, days=1)))
    assert window.tile("Sessions") == "1"
    assert window.page.locator(".chart svg").count() > 5
    assert window.complaints() == []
