"""The report page in a real browser: skipped and named where there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rad_lsp.render.report import bundle
from rad_lsp.render.report.page import charts, page
from tests.editors.vscode import workbench
from tests.page import sample

AXE = workbench.ROOT.parent / "page" / "package" / "axe.min.js"
WATCH = """
window.said = [];
addEventListener("securitypolicyviolation", (event) => said.push(event.violatedDirective));
"""
EDITOR = """
window.posted = [];
window.acquireVsCodeApi = () => ({ postMessage: (message) => posted.push(message) });
document.addEventListener("readystatechange", () => {
  document.body.classList.add("vscode-dark");
  const style = document.documentElement.style;
  style.setProperty("--vscode-editor-background", "#102030");
  style.setProperty("--vscode-editor-foreground", "#f0f0f0");
});
"""
"""What VS Code puts into a webview before its page runs."""


TO_THE_MIDDLE = """
(node) => new Promise((done) => {
  node.scrollIntoView({ block: "center" });
  requestAnimationFrame(() => requestAnimationFrame(done));
})
"""
"""Scrolls to where the filters do not cover a mark, and waits until the page knows."""


class Shown:
    """A page of the browser that shows a report, and what it said and asked for."""

    def __init__(self, browser, file, *, bypass_csp=False, script="", **options):
        viewport = {"width": options.pop("width", 1280), "height": 900}
        context = browser.new_context(viewport=viewport, bypass_csp=bypass_csp, **options)
        context.set_offline(True)
        self.page = context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script(WATCH + script)
        self.page.goto(file.as_uri())
        self.settled()

    def settled(self):
        """Wait until all is drawn."""
        self.page.wait_for_selector("#main[aria-busy=false]", timeout=1000 * workbench.PATIENCE)

    def complaints(self):
        """What the browser complained of since this was last asked for."""
        said = [*self.said, *self.page.evaluate("said.splice(0)")]
        self.said.clear()
        return said

    def text(self, selector):
        return self.page.inner_text(selector)

    def tile(self, label):
        """The value of a tile."""
        return self.page.inner_text(f"#tiles > div:has(dt:text-is('{label}')) .value")

    def chips(self):
        """The active filters."""
        return self.page.locator(".chip").all_inner_texts()

    def clear(self):
        if self.chips():
            self.page.click("text=Clear all")
            self.settled()

    def chart(self, name):
        return self.page.locator(f"[data-chart='{name}']")

    def marks(self, name, kind="rect"):
        """The marks of a chart, such as bars."""
        return self.chart(name).locator(f"svg g.mark-{kind}.role-mark:not([class*=brush]) path")

    def centre(self, mark):
        mark.evaluate(TO_THE_MIDDLE)
        box = mark.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def click(self, mark):
        self.page.mouse.click(*self.centre(mark))
        self.settled()

    def brush(self, start, end):
        """Drag over the days, from and to a part of the chart's width."""
        self.page.evaluate("scrollTo(0, 0)")
        box = self.chart("cost-by-day").locator("svg").bounding_box()
        at = [box["x"] + part * box["width"] for part in (start, end)]
        self.page.mouse.move(at[0], box["y"] + 60)
        self.page.mouse.down()
        self.page.mouse.move(at[1], box["y"] + 80, steps=5)
        self.page.mouse.up()
        self.settled()

    def press(self, chart, button):
        self.chart(chart).get_by_role("button", name=button).click()
        self.settled()

    def close(self):
        self.page.context.close()


@pytest.fixture(scope="session")
def installed():
    """A browser is there; else the test is skipped, or fails where everything is to be tested."""
    reason = workbench.missing()
    if not reason and not AXE.is_file():
        reason = "axe-core is not installed: run tests/page/setup.sh"
    if reason and os.environ.get("RAD_LSP_NO_SKIPS"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(installed):  # noqa: ARG001  (skips)
    # By module, as playwright keeps an event loop running, which asynchronous tests can't bear.
    playwright, chromium = workbench.chromium()
    yield chromium
    chromium.close()
    playwright.stop()


@pytest.fixture(scope="session")
def vega():
    """The script that draws charts."""
    return bundle.javascript()


@pytest.fixture(scope="session")
def written(vega, tmp_path_factory):
    """A page as a file: `written(data)`, by default of the sample."""

    def write(data=None, script=vega):
        file = tmp_path_factory.mktemp("page") / "report.html"
        file.write_text(page(data or sample.text(), "Sessions", script), encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="module")
def file(written):
    """The page of the sample."""
    return written()


@pytest.fixture(scope="module")
def shown(browser, file):
    """The sample in a window of its own: `shown(file=, **options)`; it must not complain."""
    opened = []

    def show(which=file, **options):
        opened.append(Shown(browser, which, **options))
        return opened[-1]

    yield show
    for window in opened:
        window.close()


@pytest.fixture(scope="module")
def window(shown):
    """One window for the tests that leave it as it was."""
    return shown()


@pytest.fixture
def report(window):
    """That window without filters; it must not complain while the test runs."""
    window.clear()
    yield window
    assert window.complaints() == []


@pytest.fixture(scope="session")
def names():
    """The names of all charts."""
    return tuple(charts())


@pytest.fixture(scope="session")
def axe():
    """What axe-core finds on a page that is serious or worse: `axe(window)`."""

    def find(window):
        window.page.add_script_tag(path=AXE)
        found = window.page.evaluate("axe.run({ preload: false, resultTypes: ['violations'] })")
        serious = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
        return [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in serious]

    return find


@pytest.fixture(scope="session")
def picture():
    """Writes a screenshot into the folder of pictures: `picture(window, name)`."""
    folder = Path(os.environ.get("RAD_LSP_SCREENSHOTS") or workbench.REPOSITORY / "build", "page")
    folder.mkdir(parents=True, exist_ok=True)

    def write(window, name):
        window.page.screenshot(path=folder / f"{name}.png", full_page=True)

    return write


@pytest.fixture(scope="session")
def editor():
    return EDITOR


@pytest.fixture(scope="session")
def as_message():
    """The sample as an editor sends it, with fewer sessions."""
    return json.dumps({"type": "data", "data": sample.text(sessions=50)})
