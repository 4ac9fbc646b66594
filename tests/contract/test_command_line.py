"""`rad-lsp` as it is started: versions, the schema, logs, addresses."""

from __future__ import annotations

import json
import socket

import pytest

from rad_lsp import __version__

METHODS = [
    "stats/session",
    "stats/model",
    "stats/engine",
    "stats/cost",
    "stats/history",
    "stats/compare",
    "stats/export",
]


def test_the_version_is_printed(run):
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"rad-lsp {__version__}\n")


def test_help_names_every_option(run):
    done = run("--help")
    assert done.returncode == 0
    for option in ("--stdio", "--tcp", "--log-file", "--log-level", "--schema", "--version"):
        assert option in done.stdout


def test_the_schema_is_json_with_every_method(run):
    done = run("--schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert list(schema["requests"]) == METHODS
    assert list(schema["notifications"]) == ["stats/status"]
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


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:0", "192.168.0.1:6000", "[::]:0", "example.com:80", "*:1", ":1", "127.0.0.1.x:1"],
)
def test_only_this_machine_is_served_over_tcp(run, address):
    done = run("--tcp", address)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "is not this machine alone" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", "localhost:x", "localhost:65536"])
def test_an_address_without_a_port_is_refused(run, address):
    done = run("--tcp", address)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--tcp", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


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
