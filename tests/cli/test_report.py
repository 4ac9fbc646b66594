"""`rad report`."""

from __future__ import annotations

import base64
import gzip
import json
import re
import stat
import sys
from importlib import metadata

import pytest

from rad_lsp import settings
from rad_lsp.cli import main
from rad_lsp.core.errors import ChartsMissing

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


CHART = ("--chart", "top-sessions", "--format", "svg")


@pytest.fixture
def two(workspace, claude_code, tmp_path):
    """A workspace with a session, beside another project."""
    claude_code("mine").answer(tools=["a"]).result("a")
    claude_code("other", tmp_path / "elsewhere").answer()
    return workspace.root


@pytest.fixture
def kept():
    """The page that is written where no file is named."""
    return settings.data_folder() / "report.html"


def data(page):
    """The data of a page."""
    text = page.read_text(encoding="utf-8")
    ((encoding, block),) = re.findall(r'id="data" data-encoding="(\w+)">([^<]*)<', text)
    if encoding == "gzip":
        block = gzip.decompress(base64.b64decode(block))
    return json.loads(block)


def test_without_a_file_it_is_written_to_the_users_data_folder(rad, two, kept):
    done = rad("report", cwd=two)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"Wrote {kept.stat().st_size:,} bytes to {kept}.\n"
    assert data(kept)["sessions"]["id"] == ["mine"]
    again = rad("report", "--all-projects", cwd=two)
    assert (again.returncode, again.stderr[:5]) == (0, "Wrote")
    assert data(kept)["sessions"]["id"] == ["mine", "other"]
    assert data(kept)["scope"] == "All projects"


@posix
def test_only_the_user_can_read_it(rad, two, kept):
    assert rad("report", cwd=two).returncode == 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_a_file_is_overwritten_only_when_asked_to(rad, two):
    there = two / "page.html"
    there.write_text("mine", encoding="utf-8")
    done = rad("report", "--output", "page.html", cwd=two)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: page.html exists. Overwrite it with --force.\n",
    )
    assert there.read_text(encoding="utf-8") == "mine"
    assert rad("report", "-o", "page.html", "--force", cwd=two).returncode == 0
    assert data(there)["sessions"]["id"] == ["mine"]
    assert [path.name for path in two.iterdir() if path.name != ".radium"] == ["page.html"]


def test_a_dash_is_stdout(rad, two, kept):
    done = rad("report", "--output", "-", cwd=two)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!doctype html>")
    assert not kept.exists()


@posix
def test_it_is_shown_in_the_users_browser(rad, two, kept, tmp_path):
    shown = tmp_path / "shown"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {shown}\n', encoding="utf-8")
    browser.chmod(0o755)
    done = rad("report", "--open", cwd=two, env={"BROWSER": str(browser)})
    assert (done.returncode, done.stdout) == (0, "")
    assert shown.read_text(encoding="utf-8") == kept.as_uri()


def test_a_chart_is_a_picture(rad, two):
    done = rad("report", "--chart", "hours", "--format", "svg", "-o", "-", cwd=two)
    assert (done.returncode, done.stdout[:4]) == (0, "<svg")
    done = rad("report", "--chart", "hours", "-o", "hours.png", cwd=two)
    assert (done.returncode, (two / "hours.png").read_bytes()[:4]) == (0, b"\x89PNG")


def test_an_unknown_chart_names_those_that_there_are(rad, two):
    done = rad("report", "--chart", "cake", cwd=two)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no chart 'cake'. Known are: budget, cache-hit")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "png"], "--format goes with --chart."),
        (["--open", "-o", "-"], "--open needs a file, and --output - writes none."),
    ],
)
def test_options_that_do_not_go_together(rad, two, options, said):
    done = rad("report", *options, cwd=two)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_without_sessions_it_says_what_to_do_next(rad, workspace, tmp_path, claude_code):
    done = rad("report", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: No sessions found. Run an agent session first, or see 'rad doctor'.\n",
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "rad init" in rad("report", cwd=empty).stderr
    claude_code("mine").answer()
    assert "--all-projects" in rad("report", cwd=empty).stderr


def test_only_what_was_done_in_the_period_counts(rad, two, kept):
    done = rad("report", "--since", "2026-03-03", cwd=two)
    said = "No session was active then: choose another time with --since and --until."
    assert (done.returncode, done.stderr) == (1, f"Error: {said}\n")
    assert rad("report", "--since", "2026-03-02", "--timezone", "UTC", cwd=two).returncode == 0
    assert data(kept)["period"] == "since 2026-03-02 00:00"


def test_titles_are_in_it_only_when_asked_for(rad, workspace, claude_code, kept):
    claude_code("mine").answer().write(
        {"type": "ai-title", "aiTitle": "Secret", "sessionId": "mine"}
    )
    assert rad("report", cwd=workspace.root).returncode == 0
    assert data(kept)["sessions"]["title"] == [None]
    assert rad("report", "--titles", cwd=workspace.root).returncode == 0
    assert data(kept)["sessions"]["title"] == ["Secret"]
    done = rad("report", "--titles", *CHART, "-o", "-", cwd=workspace.root)
    assert "Claude Code · Secret · 2026-03-02" in done.stdout


def test_a_torn_report_is_named_and_counted_beside_good_ones(rad, two, workspace, kept):
    workspace.raw("torn.json", b'{"metrics": {')
    done = rad("report", cwd=two)
    assert done.returncode == 0
    assert done.stderr.startswith("Skipped torn.json: ")
    found = data(kept)
    assert (found["skipped"], found["sessions"]["id"]) == (1, ["mine"])
    assert "1 file skipped: rad doctor." in found["notes"]


def test_without_what_draws_charts_no_session_is_read(two, monkeypatch, kept):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.chdir(two)
    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ChartsMissing, match="Charts need vl-convert, which is not installed"):
        main.rad.main(["report"], standalone_mode=False)
    assert not kept.parent.exists()


def test_what_would_lead_out_of_the_workspace_is_not_followed(rad, two, tmp_path):
    (two / "page.html").symlink_to(tmp_path / "elsewhere.html")
    done = rad("report", "-o", "page.html", "--force", cwd=two)
    assert (done.returncode, "a link leads to" in done.stderr) == (1, True)
