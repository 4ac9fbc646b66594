"""Notices of budgets in a real workbench, and what can be done about them."""

from __future__ import annotations

from tests.editors.vscode.workbench import eventually, put


def test_a_notice_shows_its_page_and_is_silenced_for_good(
    browser, serve, program, make_workspace, report
):
    server = serve({"radLsp.server.path": str(program), "radLsp.budget.session": 0.1})
    work = make_workspace()
    window = browser.open(server.url(work))
    try:
        told = window.notification("The session's budget of $0.1000 is passed")
        told.get_by_role("button", name="Show").click()
        window.tab("Budgets")
        window.preview("Budgets", "$0.2500")

        put(work, report("third", 0.5, 3), "third")
        told = window.notification("$0.5000")
        told.get_by_role("button", name="Not again").click()
        eventually(lambda: next(server.home.rglob("silenced/budget"), None))
        put(work, report("fourth", 0.75, 4), "fourth")
        window.status(lambda text: text.startswith("$0.7500"))
        window.preview("Budgets", "$0.7500")
        assert window.notifications() == 0
    finally:
        window.close()
