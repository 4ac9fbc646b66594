from __future__ import annotations

import json
import os
import sys

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ALL_ANSWERS = [
    ["session"],
    ["model"],
    ["engine"],
    ["history"],
    ["compare", "latest", "latest~1"],
    ["export"],
]


def ids(done):
    return [report["metrics"]["session_id"] for report in json.loads(done.stdout)]


@pytest.mark.parametrize("command", ALL_ANSWERS, ids=" ".join)
def test_a_workspace_is_named_on_every_command(rad, golden, command):
    done = rad("stats", *command, "--workspace", golden("history"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == rad("stats", *command, cwd=golden("history")).stdout


def test_a_workspace_is_named_in_short(rad, golden, expected):
    assert rad("stats", "history", "-w", golden("history")).stdout == expected("history")


def test_a_workspace_is_found_from_a_folder_deep_inside(rad, workspace):
    workspace.add("mine")
    deep = workspace.root / "src" / "deep"
    deep.mkdir(parents=True)
    assert ids(rad("stats", "history", "--json", cwd=deep)) == ["mine"]


def test_the_environment_beats_the_nearest_workspace(rad, golden, workspace):
    workspace.add("mine")
    env = {"RADIUM_WORKSPACE": str(workspace.root)}
    done = rad("stats", "history", "--json", cwd=golden("history"), env=env)
    assert ids(done) == ["mine"]


def test_a_named_workspace_beats_the_environment(rad, golden, workspace):
    workspace.add("mine")
    env = {"RADIUM_WORKSPACE": str(golden("history"))}
    done = rad("stats", "history", "--json", "-w", workspace.root, env=env)
    assert ids(done) == ["mine"]


def test_a_named_workspace_is_taken_as_it_is(rad, workspace):
    inside = workspace.root / "src"
    inside.mkdir()
    done = rad("stats", "history", "-w", inside, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: No Radium workspace found. Run 'rad init' to create one.\n"


def test_a_named_workspace_that_is_missing_is_one_clear_line(rad):
    done = rad("stats", "history", "-w", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: --workspace names nowhere, which is not a folder. "
        "Name the workspace's root folder.\n"
    )


def test_an_environment_that_names_no_folder_is_one_clear_line(rad):
    done = rad("stats", "history", env={"RADIUM_WORKSPACE": "nowhere"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: $RADIUM_WORKSPACE names nowhere, which is not a folder. "
        "Name the workspace's root folder.\n"
    )


def test_an_unknown_time_zone_is_one_clear_line(rad, golden):
    done = rad("stats", "history", "--timezone", "Mars/Olympus", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("'Mars/Olympus' is not an IANA time zone such as Europe/Berlin\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bogus = 1", "unknown field `bogus`"),
        ("timezone = 5", "timezone: Expected `str | null`, got `int`"),
        (
            "timezone = 'Mars/Olympus'",
            "timezone: 'Mars/Olympus' is not an IANA time zone such as Europe/Berlin",
        ),
        ("[budget]\nbogus = 1", "budget: Object contains unknown field `bogus`"),
        ("[otlp]\nendpoint = 'http://localhost'", "unknown field `otlp`"),
        ("bogus", "Expected '=' after a key in a key/value pair"),
    ],
)
def test_a_mistake_in_the_settings_names_file_and_key(
    rad, workspace, workspace_settings, text, problem
):
    workspace.add("mine")
    file = workspace_settings(text)
    done = rad("stats", "session", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {file}: ")
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_status_template_can_not_reach_into_values(rad, workspace, user_settings):
    workspace.add("mine")
    file = user_settings("[status]\nformat = '{cost.__class__}'")
    done = rad("stats", "session", cwd=workspace.root)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"Error: {file}: status.format: {{cost.__class__}} is no figure; known are cost, "
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bogus = 1", "Object contains unknown field `bogus`"),
        ("[status]\nbogus = 1", "status: Object contains unknown field `bogus`"),
        ("sources = ['nobody']", "sources: 'nobody' is no source; known are radium"),
    ],
)
def test_a_mistake_in_the_users_settings_names_file_and_key(rad, golden, text, problem):
    import platformdirs

    file = platformdirs.user_config_path("rad-lsp", appauthor=False) / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    done = rad("stats", "session", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {file}: {problem}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "found"), [([], ["late"]), (["--timezone", "UTC"], [])], ids=["file", "option"]
)
def test_the_time_zone_of_an_option_beats_that_of_a_file(
    rad, workspace, workspace_settings, option, found
):
    workspace.add("late", end_time="2025-12-07T23:30:00Z")
    workspace_settings("timezone = 'Europe/Berlin'")
    done = rad("stats", "history", "--json", "--since", "2025-12-08", *option, cwd=workspace.root)
    assert ids(done) == found


def test_a_skipped_file_is_named_with_its_reason_and_the_others_count(rad, workspace):
    workspace.add("mine")
    workspace.raw("torn.json", (workspace.sessions / "mine.json").read_bytes()[:500])
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert (done.returncode, ids(done)) == (0, ["mine"])
    assert done.stderr == "Skipped torn.json: the file ends in the middle of the report.\n"


def test_ten_skipped_files_are_named_and_the_rest_counted(rad, workspace):
    for number in range(1, 13):
        workspace.raw(f"bad-{number:02}.json", b"")
    done = rad("stats", "history", cwd=workspace.root)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        *(f"Skipped bad-{number:02}.json: the file is empty." for number in range(1, 11)),
        "Skipped 2 more: 'rad doctor' names them all.",
    ]


def test_ten_skipped_files_need_no_count(rad, workspace):
    for number in range(10):
        workspace.raw(f"bad-{number}.json", b"")
    assert len(rad("stats", "history", cwd=workspace.root).stderr.splitlines()) == 10


def test_ten_thousand_corrupt_files_are_counted(rad, workspace):
    for number in range(10_000):
        workspace.raw(f"bad-{number:05}.json", b"")
    done = rad("stats", "history", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")
    assert len(done.stderr.splitlines()) == 11
    assert done.stderr.endswith("\nSkipped 9,990 more: 'rad doctor' names them all.\n")


@pytest.mark.parametrize(
    ("command", "code", "answer", "problem"),
    [
        (["session"], 1, "", True),
        (["compare", "a", "b"], 1, "", True),
        (["history"], 0, "No session history found.\n", False),
        (["model"], 0, "No session history found.\n", False),
        (["engine", "--json"], 0, "[]\n", False),
        (["history", "--json"], 0, "[]\n", False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_all_reports_corrupt_is_as_good_as_none(rad, workspace, command, code, answer, problem):
    workspace.raw("bad.json", b"{")
    done = rad("stats", *command, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (code, answer)
    skipped, _, rest = done.stderr.partition("\n")
    assert skipped == "Skipped bad.json: the file ends in the middle of the report."
    assert rest == (
        "Error: No sessions found. Run an agent session first, or see 'rad doctor'.\n"
        if problem
        else ""
    )


def test_what_is_no_report_is_not_read(rad, workspace):
    workspace.add("mine")
    workspace.raw("mine.tmp.0b5e", b"{")
    workspace.raw("notes.txt", b"hello")
    (workspace.sessions / "mine").mkdir()
    (workspace.sessions / "mine" / "session.json").write_bytes(b"{")
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert (ids(done), done.stderr) == (["mine"], "")


@posix
def test_what_is_no_regular_file_is_skipped_and_never_waited_for(rad, workspace):
    (workspace.sessions / "folder.json").mkdir()
    os.mkfifo(workspace.sessions / "pipe.json")
    (workspace.sessions / "link.json").symlink_to("nowhere")
    done = rad("stats", "history", cwd=workspace.root)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Skipped folder.json: it is a folder, not a file.",
        "Skipped link.json: the file can't be read: no such file or directory.",
        "Skipped pipe.json: it is a named pipe, not a file.",
    ]


@posix
def test_control_characters_of_a_skipped_files_name_are_escaped(rad, workspace):
    workspace.raw("\x1b[31m\nred.json", b"")
    done = rad("stats", "history", cwd=workspace.root)
    assert done.stderr == "Skipped \\x1b[31m\\nred.json: the file is empty.\n"


@posix
@pytest.mark.parametrize("command", [["stats", "history"], ["doctor"]], ids=" ".join)
def test_control_characters_of_a_duplicates_name_are_escaped(rad, workspace, report_bytes, command):
    workspace.raw("\x1b[31m.json", report_bytes(session_id="mine"))
    workspace.raw("mine.json", report_bytes(session_id="mine"))
    done = rad(*command, cwd=workspace.root)
    assert "it is a duplicate of \\x1b[31m.json" in done.stdout + done.stderr


@pytest.mark.parametrize("command", [["stats", "history"], ["doctor"]], ids=" ".join)
def test_control_characters_of_a_faulty_key_are_escaped(rad, workspace, report_bytes, command):
    workspace.raw("bad.json", report_bytes(model_usage={"\x1b[31m\nred": {"requests": -1}}))
    done = rad(*command, cwd=workspace.root)
    shown = done.stdout + done.stderr
    assert "\\x1b[31m\\nred" in shown
    assert "\x1b" not in shown


@posix
def test_a_report_that_may_not_be_read_is_skipped(without_privileges, workspace):
    workspace.add("secret").chmod(0)
    done = without_privileges("stats", "history", cwd=workspace.root)
    assert done.returncode == 0
    assert done.stderr == "Skipped secret.json: the file may not be read: permission denied.\n"


@posix
def test_a_sessions_folder_that_may_not_be_read_is_skipped(without_privileges, workspace):
    workspace.add("mine")
    workspace.sessions.chmod(0)
    done = without_privileges("stats", "history", cwd=workspace.root)
    workspace.sessions.chmod(0o755)
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")
    assert done.stderr == "Skipped sessions: the folder can't be read: permission denied.\n"


FORBIDDEN = (
    'sources = []\nstatus.format = "\\u001b]0;title\\u0007"\nbudget.session = 1000\n'
    "[prices.gemini-3-pro-preview]\ninput = 0\noutput = 0\n"
)


@pytest.mark.parametrize("command", [*ALL_ANSWERS, ["cost"]], ids=" ".join)
def test_what_a_workspace_may_not_set_changes_nothing_and_is_named_once(
    rad, workspace, user_settings, workspace_settings, command
):
    workspace.add("mine")
    user = user_settings("budget.session = 0.1")
    before = rad("stats", *command, cwd=workspace.root)
    own = workspace_settings(FORBIDDEN)
    after = rad("stats", *command, cwd=workspace.root)
    assert (after.returncode, after.stdout) == (before.returncode, before.stdout)
    assert after.stderr == (
        f"{own}: sources, status, prices, budget.session ignored. A workspace sets only the time "
        f"zone and stricter budgets; the rest belongs in {user}.\n{before.stderr}"
    )


@posix
def test_a_hostile_folder_is_named_in_harmless_words(rad, workspace):
    folder = workspace.root.with_name("\x1b[2J\u202efolder")
    workspace.root.rename(folder)
    (folder / ".radium" / "rad-lsp.toml").write_text("sources = []")
    done = rad("stats", "history", cwd=folder)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip("\n").isprintable()
