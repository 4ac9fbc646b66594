"""The report page in a real workbench: charts in the editor's theme, that follow and are saved."""

from __future__ import annotations

import pytest

from tests.editors.vscode.workbench import eventually, put

HOSTILE = "</script><img src=x onerror=alert(1)> [x](command:workbench.action.quit) \u202eevil"


@pytest.fixture(scope="module")
def server(serve, program):
    return serve({"radLsp.server.path": str(program)})


@pytest.fixture
def work(make_workspace):
    return make_workspace()


@pytest.fixture
def window(browser, server, work):
    opened = browser.open(server.url(work))
    yield opened
    opened.close()


def background(body):
    return body.evaluate("body => getComputedStyle(body).backgroundColor")


def test_report_is_drawn_in_the_theme_follows_sessions_and_saves_charts(
    window, work, server, program, report, picture
):
    said = []
    window.page.on("console", lambda line: said.append(line.text))
    window.run("Show Report")
    frame = window.frame("$0.3750")
    window.tab("Report: work")
    eventually(lambda: frame.locator("article svg, article canvas").count() > 5)
    picture(window, "report-light")
    body = frame.locator("body")
    light = background(body)

    hostile = report("hostile", 1.5, 3)
    usage = hostile["metrics"]["model_usage"]
    usage[HOSTILE] = usage.pop("gemini-3-pro-preview")
    put(work, hostile, "hostile")
    frame = window.frame("$1.88")
    assert frame.locator("img").count() == 0
    assert "</script><img" in body.inner_text()

    own = {"radLsp.server.path": str(program)}
    server.configure(own | {"workbench.colorTheme": "Default Dark Modern"})
    eventually(lambda: background(body) != light)
    picture(window, "report-dark")

    frame.get_by_role("button", name="Save as SVG").first.click()
    box = window.page.locator(".quick-input-widget input[type='text']").first
    target = work / "cost-by-day.svg"
    eventually(lambda: box.input_value() == str(target))
    window.press("Enter")
    eventually(target.exists)
    assert eventually(target.read_text).startswith("<svg")
    assert [line for line in said if "Content Security Policy" in line] == []
    window.reload()
    window.frame("$1.88")
