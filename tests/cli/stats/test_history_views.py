"""What `rad stats history` shows of sessions, in which order, and their titles."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from rad_lsp import settings


@pytest.fixture
def three(workspace, claude_code, codex):
    """Sessions `a` ($0.0045), `b` ($0.0110, newest) and `c`, of which no cost is known."""
    claude_code("a").prompt().answer(tools=["x"]).result("x", failed=True)
    codex("b").answer()
    claude_code("c").answer(model="unheard-of")
    return workspace.root


def shown(done):
    """The ids of a table whose first column they are."""
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split()[0] for line in done.stdout.splitlines()[4:] if line and line[0] in "abc"]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("cost", ["b", "a", "c"]),
        ("cost:asc", ["a", "b", "c"]),
        ("session_id", ["a", "b", "c"]),
        ("session_id:desc", ["c", "b", "a"]),
        ("source", ["a", "c", "b"]),
        ("total_tokens", ["b", "a", "c"]),
        ("models", ["a", "b", "c"]),
        ("last_activity:asc", ["c", "a", "b"]),
        ("success_rate", ["a", "b", "c"]),
    ],
)
def test_sessions_are_sorted_by_a_column_and_unknown_values_come_last(rad, three, order, ids):
    options = ("--columns", "session_id", "--sort", order)
    assert shown(rad("stats", "history", *options, cwd=three)) == ids


def test_a_sorted_page_begins_with_the_first_of_all(rad, three):
    options = ("--sort", "cost:asc", "-n", "1", "--json")
    done = rad("stats", "history", *options, cwd=three)
    assert [one["metrics"]["session_id"] for one in json.loads(done.stdout)] == ["a"]
    done = rad("stats", "history", *options, "--offset", "1", "--since", "2026-03-01", cwd=three)
    assert [one["metrics"]["session_id"] for one in json.loads(done.stdout)] == ["b"]


@pytest.mark.parametrize(
    "options", [["--columns", "tokens"], ["--sort", "title"], ["--titles", "--json"]], ids=str
)
def test_what_can_not_be_shown_is_wrong_usage(rad, three, options):
    done = rad("stats", "history", *options, cwd=three)
    assert (done.returncode, done.stdout) == (2, "")


def titles(rad, root):
    """Titles by the ids of sessions."""
    done = rad("stats", "history", "--columns", "session_id,title", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("  ", 1) for line in done.stdout.splitlines()[4:]]
    return {name.strip(): title.strip() for name, title in filter(lambda row: len(row) > 1, rows)}


def test_claude_codes_title_is_the_users_own_or_else_its_own(rad, workspace, claude_code):
    made = claude_code("one").answer()
    made.write({"type": "ai-title", "aiTitle": "Made up", "sessionId": "one"})
    assert titles(rad, workspace.root) == {"one": "Made up"}
    made.write({"type": "custom-title", "customTitle": "Mine", "sessionId": "one"})
    made.write({"type": "custom-title", "customTitle": "Another's", "sessionId": "two"})
    made.write({"type": "ai-title", "aiTitle": 42, "sessionId": "one"})
    made.raw(b'{"type":"custom-title","customTitle":\n[[\n')
    assert titles(rad, workspace.root) == {"one": "Mine"}


def test_claude_codes_summary_of_another_session_is_none_of_its_own(rad, workspace, claude_code):
    made = claude_code("one")
    made.write({"type": "summary", "summary": "Of another", "leafUuid": "u-0"})
    made.record("user", message={"role": "user", "content": "Go"}, uuid="u-1").answer()
    assert titles(rad, workspace.root) == {"one": "n/a"}
    made.write({"type": "summary", "summary": "Its own", "leafUuid": "u-1"})
    assert titles(rad, workspace.root) == {"one": "Its own"}


def test_codex_names_threads_in_a_list_and_in_transcripts(rad, workspace, codex):
    codex("one").answer().line("event_msg", type="thread_name_updated", thread_name="In it")
    assert titles(rad, workspace.root) == {"one": "In it"}
    names = [("one", "First"), ("two", "Another"), ("one", "Renamed\n"), (3, None)]
    index = Path(os.environ["HOME"], ".codex", "session_index.jsonl")
    rows = [json.dumps({"id": name, "thread_name": title}) for name, title in names]
    index.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert titles(rad, workspace.root) == {"one": "Renamed"}


def test_copilots_name_is_beside_its_events(rad, workspace):
    folder = Path(os.environ["HOME"], ".copilot", "session-state", "one")
    folder.mkdir(parents=True)
    moment = "2026-03-02T12:00:00.000Z"
    context = {"cwd": str(workspace.root)}
    events = [
        {"type": "session.start", "timestamp": moment,
         "data": {"sessionId": "one", "startTime": moment, "context": context}},
        {"type": "session.title_changed", "timestamp": moment, "data": {"title": "An event"}},
    ]  # fmt: skip
    text = "".join(f"{json.dumps(event)}\n" for event in events)
    folder.joinpath("events.jsonl").write_text(text, encoding="utf-8")
    assert titles(rad, workspace.root) == {"one": "An event"}
    yaml = folder.joinpath("workspace.yaml")
    yaml.write_text("id: one\nsummary: 'It''s mine'\nsummary_count: 0\n", encoding="utf-8")
    assert titles(rad, workspace.root) == {"one": "It's mine"}
    yaml.write_text("summary: |-\n  Of several lines\n  indeed\nname: null\n", encoding="utf-8")
    assert titles(rad, workspace.root) == {"one": "Of several lines"}


def test_geminis_summary_is_its_title(rad, workspace):
    folder = Path(os.environ["HOME"], ".gemini", "tmp", "shop")
    (folder / "chats").mkdir(parents=True)
    folder.joinpath(".project_root").write_text(str(workspace.root), encoding="utf-8")
    moment = "2026-03-02T12:00:00.000Z"
    head = {"sessionId": "one", "startTime": moment, "lastUpdated": moment}
    tokens = {"input": 10, "output": 1, "cached": 0, "thoughts": 0, "tool": 0, "total": 11}
    message = {"id": "m", "timestamp": moment, "type": "gemini", "tokens": tokens}
    lines = [head, message | {"model": "gemini-2.5-pro"}, {"$set": {"summary": "Summed up"}}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    folder.joinpath("chats", "session-2026-03-02T12-00-one.jsonl").write_text(text, "utf-8")
    assert titles(rad, workspace.root) == {"one": "Summed up"}


def test_a_title_is_never_kept(rad, workspace, claude_code):
    made = claude_code("one").answer()
    made.write({"type": "ai-title", "aiTitle": "Secret plans", "sessionId": "one"})
    assert titles(rad, workspace.root) == {"one": "Secret plans"}
    index = next(settings.data_folder().glob("index*.db"))
    with sqlite3.connect(index) as db:
        assert "Secret" not in "\n".join(db.iterdump())
    db.close()
    assert "Secret" not in rad("stats", "history", cwd=workspace.root).stdout
    made.path.unlink()
    assert titles(rad, workspace.root) == {"one": "n/a"}
