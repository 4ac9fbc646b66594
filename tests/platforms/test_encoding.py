"""A locale that is not UTF-8: what `rad` reads and writes is UTF-8 all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rad_lsp.settings import data_folder, user_file

# On Windows the locale is cp1252 or alike by itself, where UTF-8 mode is off. Elsewhere the
# terminal's encoding stands for it, and the C locale, in which names of files are bytes.
LEGACY = {
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "cp1252",
    "LC_ALL": "C",
    # Whatever leaves an encoding to the locale is a failure.
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONWARNINGS": "error::EncodingWarning",
}
AGENT = """
import os
open(b"d\\xc3\\xa4t\\xe2\\x86\\x92a.txt", "ab").write(b"new \\xe2\\x9c\\x93\\r\\n")
with open(os.environ["RAD_SESSION_EVENTS"], "ab") as events:
    events.write(b'{"type": "tool", "gen_ai.tool.name": "gr\\xc3\\xabp \\xe2\\x86\\x92"}\\r\\n')
"""


@pytest.fixture
def folder(tmp_path):
    """A folder whose name has letters of many scripts."""
    folder = tmp_path / "naïve → 日本"
    folder.mkdir()
    return folder


@pytest.fixture
def legacy(rad, folder):
    """Runs `rad` there, in such a locale."""
    return lambda *arguments: rad(*arguments, cwd=folder, env=LEGACY)


@pytest.fixture
def reports(folder):
    """Where the folder's reports lie."""
    reports = folder / ".radium" / "_internals" / "sessions"
    reports.mkdir(parents=True)
    return reports


def test_every_answer_is_utf_8_and_none_asks_the_locale(legacy, reports, report_bytes):
    usage = {"requests": 1, "input_tokens": 1, "output_tokens": 1, "cached_tokens": 0}
    model = "модель-→"
    metrics = {"model_usage": {model: {**usage, "estimated_cost": 0.5}}, "engine_usage": {}}
    (reports / "a.json").write_bytes(report_bytes(session_id="a", total_cost=0.5, **metrics))
    for command in ("stats session", "stats model", "stats export --format csv"):
        done = legacy(*command.split())
        assert (done.returncode, done.stderr) == (0, "")
        assert model in done.stdout
    for command in ("status", "stats history", "stats cost", "doctor", "init"):
        done = legacy(*command.split())
        assert (done.returncode, done.stderr) == (0, "")


def test_what_is_tracked_is_written_and_read_as_utf_8(legacy, reports):
    for arguments in (["init", "-q"], ["config", "core.quotePath", "true"]):
        legacy("session", "run", "--", "git", *arguments)
    done = legacy("session", "run", "--", sys.executable, "-c", AGENT)
    assert done.returncode == 0
    assert "(1 file" in done.stdout
    made = [json.loads(path.read_bytes())["metrics"] for path in reports.iterdir()]
    newest = max(made, key=lambda metrics: metrics["start_time"])
    assert (newest["tool_calls"], newest["lines_added"], newest["warnings"]) == (1, 1, [])


def test_what_git_files_say_is_shown_as_utf_8(legacy, folder, reports):
    (folder / ".git").write_text("gitdir: /nö→where\n", encoding="utf-8")
    done = legacy("session", "run", "--", sys.executable, "-c", "")
    assert done.returncode == 0
    (report,) = [json.loads(path.read_bytes()) for path in reports.iterdir()]
    (warning,) = report["metrics"]["warnings"]
    assert "which is no git repository" in warning


def test_another_locale_makes_no_second_session_of_a_file(
    legacy, folder, reports, report_bytes, rad
):
    for name in ("a", "b"):
        (reports / f"{name}.json").write_bytes(report_bytes(session_id=name))
        for done in (
            legacy("stats", "export", "--format", "csv"),
            rad("stats", "export", "--format", "csv", cwd=folder),
        ):
            assert (done.returncode, done.stderr) == (0, "")
            assert len(done.stdout.splitlines()) == 1 + len(list(reports.iterdir()))
    # One path is another text there, so that each locale has what is its own.
    command = [sys.executable, "-c", "import sys; print(sys.getfilesystemencoding())"]
    found = subprocess.run(command, env={**os.environ, **LEGACY}, capture_output=True, check=True)
    encodings = {found.stdout.decode().strip(), "utf-8"}
    assert len(list(data_folder().glob("index*.db"))) == len(encodings)


def test_settings_are_utf_8(legacy, reports, report_bytes):
    (reports / "a.json").write_bytes(report_bytes(session_id="a"))
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_bytes('[status]\r\nformat = "→ {cost} ✓"\r\n'.encode())
    done = legacy("status")
    assert (done.returncode, done.stdout, done.stderr) == (0, "→ $0.1275 ✓\n", "")
