"""What commands print as JSON is what `rad --schema` says."""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from rad_lsp.cli.main import rad as program
from rad_lsp.render import outputs

CASES = Path(__file__).parents[1] / "data" / "cases"
SCHEMA = json.loads(json.dumps(outputs.schema()))

CHANGING = ("rad session record", "rad session run", "rad index forget")
"""Commands that make sessions or forget them; all others ask about them."""

CALLS = {
    "rad stats compare": [["latest~1", "latest"], ["latest", "latest"]],
    "rad stats cost": [[], ["latest"]],
    "rad stats daily": [[], ["--since", "2025-12-01", "--until", "2026-01-15", "--split", "model"]],
    "rad stats engine": [[], ["latest"]],
    "rad stats export": [[], ["latest"]],
    "rad stats hourly": [[], ["-n", "3", "--split", "tool"]],
    "rad stats model": [[], ["latest"]],
    "rad stats monthly": [["--since", "2025-01-01", "--split", "project"]],
    "rad stats session": [[], ["latest~1"]],
    "rad stats tools": [[], ["latest"]],
    "rad stats weekly": [["--since", "2026-09-01", "--split", "source"]],
}
"""Arguments with which commands are called; without an entry, none."""

TYPES = {
    "array": list,
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "string": str,
}
STORED = {"Report", "Metrics", "Usage", "ReportedSession", "ReportedSummary"}
"""What may have keys that no schema names: a later Radium may write more than this one."""


def faults(value, schema, where="$"):
    """What of a value is not as its schema says; keys that it does not name are faults, too."""
    known = {
        "$ref": lambda name: faults(value, SCHEMA["$defs"][name.removeprefix("#/$defs/")], where),
        "anyOf": lambda options: _unless(
            any(not [*faults(value, option, where)] for option in options), "none of anyOf"
        ),
        "type": lambda name: _unless(is_of_type(value, name), f"no {name}"),
        "enum": lambda options: _unless(value in options, f"none of {options}"),
        "minimum": lambda least: _unless(value >= least, f"below {least}"),
        "maximum": lambda most: _unless(value <= most, f"above {most}"),
        "minItems": lambda least: _unless(len(value) >= least, "too few"),
        "maxItems": lambda most: _unless(len(value) <= most, "too many"),
        "pattern": lambda pattern: _unless(re.search(pattern, value), f"does not match {pattern}"),
        "format": lambda name: _unless(has_format(value, name), f"no {name}"),
        "required": lambda keys: [f"{key} is missing" for key in keys if key not in value],
        "properties": lambda properties: [
            fault
            for key in value
            for fault in (
                faults(value[key], properties[key], f"{where}.{key}")
                if key in properties
                else _unless(schema["title"] in STORED, f"{key} is not named")
            )
        ],
        "additionalProperties": lambda inner: [
            fault for key in value for fault in faults(value[key], inner, f"{where}.{key}")
        ],
        "prefixItems": lambda inner: [
            fault for pair in zip(value, inner, strict=True) for fault in faults(*pair, where)
        ],
        "items": lambda inner: [
            fault
            for number, item in enumerate(value)
            if inner
            for fault in faults(item, inner, f"{where}[{number}]")
        ],
        **dict.fromkeys(["title", "description", "default"], lambda _: []),
    }
    for keyword in sorted(schema, key=lambda keyword: keyword != "type"):
        found = [*known[keyword](schema[keyword])]
        yield from (fault if fault.startswith("$") else f"{where}: {fault}" for fault in found)
        if found and keyword == "type":
            return


def _unless(holds, fault):
    return [] if holds else [fault]


def is_of_type(value, name):
    if name in {"integer", "number"}:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return type(value) in {int, float} and (whole or name == "number")
    return isinstance(value, TYPES[name])


def has_format(value, name):
    pattern = {"date": r"\d{4}-\d\d-\d\d", "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*"}[name]
    return re.fullmatch(pattern, value) and datetime.fromisoformat(value)


def with_json(command, path):
    """The commands below a group, and the group, that have `--json`."""
    found = {path} if any("--json" in parameter.opts for parameter in command.params) else set()
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found |= with_json(command.get_command(context, name), f"{path} {name}")
    return found


def test_each_command_with_json_has_a_schema():
    assert with_json(program, "rad") | {"rad stats export"} == set(SCHEMA["commands"])


def test_the_schema_is_printed(rad):
    done = rad("--schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == SCHEMA


def test_every_key_of_ours_has_one_form():
    for name, definition in SCHEMA["$defs"].items():
        properties = definition["properties"]
        assert all(re.fullmatch(r"[a-z]+(_([a-z]+|5m|1h))*", key) for key in properties), name
        if name in STORED | {"Duration", "Spending", "ChildSession", "ToolCalls"}:
            continue
        assert set(definition["required"]) == set(properties), name
        for key, value in properties.items():
            if "date-time" in json.dumps(value):
                assert '"pattern": "Z$"' in json.dumps(value), (name, key)
            assert not re.search("(wall|active|api|tool)_time(_delta)?$", key), (name, key)


@pytest.fixture
def held(rad):
    """Calls all commands that answer questions, and holds what they print to the schema.

    Gives how many outputs there were, by command.
    """

    def hold(folder, *options):
        printed = {}
        for command, schema in SCHEMA["commands"].items():
            if command in CHANGING:
                continue
            as_json = [] if command == "rad stats export" else ["--json"]
            for arguments in CALLS.get(command, [[]]):
                words = [*command.split()[1:], *as_json, *arguments, *options]
                done = rad(*words, "--timezone", "America/New_York", cwd=folder)
                if done.stdout:
                    assert [*faults(json.loads(done.stdout), schema)] == [], words
                    printed[command] = printed.get(command, 0) + 1
                else:
                    assert (done.returncode, done.stderr[:7]) == (1, "Error: "), words
        return printed

    return hold


ALL = {
    command: len(CALLS.get(command, [[]]))
    for command in SCHEMA["commands"]
    if command not in CHANGING
}


@pytest.mark.parametrize("name", ["history", "compare", "edge", "generations"])
def test_reports_are_printed_as_the_schema_says(held, golden, name):
    assert held(golden(name)) == ALL


@pytest.fixture
def all_agents(tmp_path_factory, monkeypatch):
    """A home with sessions of every agent."""
    home = tmp_path_factory.mktemp("agents")
    for case in CASES.iterdir():
        shutil.copytree(case / "home", home, dirs_exist_ok=True)
    chats = home / ".gemini" / "tmp" / "slug" / "chats"
    chats.mkdir(parents=True)
    for number in (1, 2):
        id_ = f"0b000000-0000-4000-8000-00000000000{number}"
        start = f"2026-03-0{number}T12:00:00.000Z"
        tokens = {"input": 1000, "output": 50, "cached": 0, "thoughts": 0, "tool": 0, "total": 1050}
        lines = [
            {"sessionId": id_, "projectHash": "slug", "startTime": start, "lastUpdated": start},
            {"id": "a", "timestamp": start, "type": "user", "content": "Do it"},
            {
                "id": "b",
                "timestamp": start,
                "type": "gemini",
                "content": "",
                "model": "gemini-2.5-pro",
                "tokens": tokens,
            },
        ]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (chats / f"session-2026-03-0{number}T12-00-0b000000.jsonl").write_text(text, "utf-8")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    return home


@pytest.mark.parametrize("source", ["claude-code", "codex", "copilot-cli", "gemini-cli"])
@pytest.mark.usefixtures("all_agents")
def test_sessions_of_agents_are_printed_as_the_schema_says(held, tmp_path, source):
    assert held(tmp_path, "--all-projects", "--source", source) == ALL


@pytest.mark.usefixtures("all_agents")
def test_where_only_other_folders_have_sessions_it_is_printed_as_the_schema_says(held, tmp_path):
    printed = held(tmp_path)
    assert set(ALL) - set(printed) == {"rad stats compare", "rad stats session"}


def test_in_an_empty_folder_what_is_printed_is_as_the_schema_says(held, tmp_path):
    assert {"rad status", "rad limits"} <= set(held(tmp_path))


def test_an_empty_workspace_is_printed_as_the_schema_says(held, workspace):
    assert set(ALL) - set(held(workspace.root)) == {"rad stats compare", "rad stats session"}


def test_budgets_limits_and_what_is_not_known_are_printed_as_the_schema_says(
    held, workspace, claude_code, codex, user_settings
):
    user_settings("[budget]\nsession = 1\nday = 0.001\n[budget.projects.workspace]\nmonth = 9\n")
    now = datetime.now(UTC) - timedelta(minutes=5)
    for back in range(4):
        claude_code(f"s{back}", start=(now - timedelta(days=back)).isoformat()).prompt().answer(
            tools=["a"], model="of-no-price" if back == 1 else "claude-opus-4-6"
        )
    window = {"used_percent": 40, "window_minutes": 300, "resets_at": int(now.timestamp()) + 3600}
    limited = codex("limited", start=now.isoformat()).answer()
    limited.line("event_msg", type="token_count", info=None, rate_limits={"primary": window})
    workspace.add("mine", total_cost=0, model_usage={}, end_time=None)
    assert held(workspace.root) == ALL


@pytest.mark.parametrize("command", ["run", "record"])
def test_tracked_sessions_are_printed_as_the_schema_says(rad, workspace, command):
    agent = ["--", sys.executable, "-c", ""] if command == "run" else []
    event = json.dumps({"event": "tool_call", "tool": "Bash", "ok": True}).encode()
    told = {"input": event} if command == "record" else {}
    done = rad("session", command, "--json", *agent, cwd=workspace.root, **told)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [*faults(found, SCHEMA["commands"][f"rad session {command}"])] == []


def test_a_line_of_an_export_is_a_report(rad, golden):
    done = rad("stats", "export", "--format", "ndjson", cwd=golden("history"))
    for line in done.stdout.splitlines():
        assert [*faults(json.loads(line), {"$ref": "#/$defs/Report"})] == []
        assert set(json.loads(line)) == {"metrics", "generated_at"}


def test_what_is_not_as_the_schema_says_is_found():
    schema = SCHEMA["commands"]["rad stats model"]
    row = json.loads(
        '{"model": null, "requests": 1, "input_tokens": 1, "output_tokens": 1, "cached_tokens": 1,'
        ' "estimated_cost": null, "cost": 1.5, "cost_is_lower_bound": false, "spellings": []}'
    )
    assert [*faults([row], schema)] == []
    for change in ({"requests": 1.5}, {"cost": "1"}, {"spellings": [1]}, {"more": 1}):
        assert len([*faults([row | change], schema)]) == 1, change
    del row["cost"]
    assert [*faults([row], schema)] == ["$[0]: cost is missing"]
    block = SCHEMA["$defs"]["RequestBlock"]["properties"]["since"]
    assert [*faults("2026-03-02T12:00:00+01:00", block)] == ["$: does not match Z$"]


def test_what_was_forgotten_is_printed_as_the_schema_says(rad, workspace, claude_code):
    claude_code("secret").answer()
    done = rad("index", "forget", "secret", "--yes", "--json", cwd=workspace.root)
    found = json.loads(done.stdout)
    assert [*faults(found, SCHEMA["commands"]["rad index forget"])] == []
    assert [(one["source"], one["sessions"]) for one in found] == [("claude-code", 1)]
