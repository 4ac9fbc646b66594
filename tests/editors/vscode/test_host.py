"""The extension's own tests, which run in VS Code's extension host."""

from __future__ import annotations

import json

from tests.editors.vscode import workbench


def test_tests_in_the_extension_host_pass(serve, browser, program, make_workspace, tmp_path):
    client = workbench.client_copy(tmp_path / "vscode")
    built = workbench.npm(client, "run", "build:host")
    assert built.returncode == 0, built.stdout + built.stderr
    server = serve({"radLsp.server.path": str(program)}, test_driver=True)
    tests = client / "dist" / "host"
    code, printed = browser.run_tests(
        server.url(make_workspace("host")), client, tests / "index.js"
    )
    report = tests / "report.json"
    assert report.exists(), printed
    found = json.loads(report.read_text(encoding="utf-8"))
    assert {test["fullTitle"]: test["err"]["stack"] for test in found["failures"]} == {}
    assert found["stats"]["passes"] == found["stats"]["tests"] == 12
    assert code == 0, printed
