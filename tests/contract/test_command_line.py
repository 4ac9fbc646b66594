"""`rad-lsp` as it is started: versions, the schema, logs, addresses."""

from __future__ import annotations

import json
import os

from rad_lsp import __version__

METHODS = [
    "stats/session",
    "stats/model",
    "stats/engine",
    "stats/cost",
    "stats/budget",
    "stats/history",
    "stats/trend",
    "stats/tools",
    "stats/limits",
    "stats/compare",
    "stats/export",
    "stats/overview",
    "stats/report",
]


def test_the_version_is_printed(run):
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"rad-lsp {__version__}\n")


def test_help_names_every_option(run):
    done = run("--help")
    assert done.returncode == 0
    for option in ("--stdio", "--log-file", "--log-level", "--schema", "--version"):
        assert option in done.stdout


def test_the_schema_is_json_with_every_method(run):
    done = run("--schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert list(schema["requests"]) == METHODS
    assert list(schema["notifications"]) == ["stats/status", "stats/show"]
    references = json.dumps(schema).split('"$ref": "#/$defs/')[1:]
    assert {reference.partition('"')[0] for reference in references} <= set(schema["$defs"])
    for request in schema["requests"].values():
        assert set(request) == {"params", "result"}


def test_the_schema_has_the_contracts_keys(run):
    definitions = json.loads(run("--schema").stdout)["$defs"]
    assert list(definitions["Status"]["properties"]) == [
        "workspaceUri",
        "session",
        "totals",
        "today",
        "skipped",
        "text",
        "tooltip",
        "severity",
        "spoken",
        "reading",
    ]
    assert list(definitions["UsageRow"]["properties"]) == [
        "name",
        "requests",
        "inputTokens",
        "outputTokens",
        "cachedTokens",
        "cost",
        "costIsLowerBound",
    ]
    assert list(definitions["Export"]["required"]) == ["format", "sessions", "bytes"]
    assert definitions["ExportParams"]["properties"]["overwrite"]["default"] is False


def test_clients_that_pass_stdio_are_served(start):
    assert "capabilities" in start("--stdio").initialize()


def test_there_is_no_port_that_others_could_reach(run):
    done = run("--tcp", "127.0.0.1:0")
    assert done.returncode == 2
    assert "unrecognized arguments: --tcp" in done.stderr


def test_the_log_goes_to_the_file_that_is_named(start, tmp_path, workspace):
    log = tmp_path / "ünï.log"
    raw = start("--log-file", str(log), "--log-level", "debug")
    raw.initialize(workspace.root)
    raw.notify("textDocument/didOpen", {"textDocument": 5})
    raw.ask("shutdown")
    raw.notify("exit")
    assert raw.ended() == 0
    assert "textDocument/didOpen" in log.read_text(encoding="utf-8")
    assert raw.errors == b""


def test_what_the_log_quotes_is_escaped(start, tmp_path, workspace):
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(
        "import watchfiles\n"
        "def awatch(*_arguments, **_options):\n"
        "    raise OSError('forged\\n\\x1b[2J')\n"
        "watchfiles.awatch = awatch\n"
    )
    path = os.pathsep.join([str(patch), os.environ.get("PYTHONPATH", "")])
    folder = workspace.root.rename(tmp_path / "a\x1b]0;title\x07\u202e")
    raw = start(env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)})
    raw.initialize(folder)
    raw.said(rb"a\\x1b\]0;title\\x07\\u202e, so it is scanned: forged\\n\\x1b\[2J\n")
    assert b"\x1b" not in raw.errors


def test_a_log_file_that_cannot_be_written_is_said_in_a_sentence(run, tmp_path):
    done = run("--log-file", str(tmp_path / "missing" / "x.log"))
    assert done.returncode != 0
    assert "x.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_log_level_is_refused(run):
    done = run("--log-level", "loud")
    assert done.returncode == 2
    assert "loud" in done.stderr


def test_an_unknown_option_is_refused(run):
    assert run("--nonsense").returncode == 2
