from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

CORRUPT = "c0ffee00-torn-in-the-middle.json"


@pytest.fixture
def demo(rad, tmp_path):
    """Runs `rad demo`, with samples made below `tmp_path / "samples"`."""
    samples = tmp_path / "samples"
    samples.mkdir()
    env = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(samples))

    def run(*arguments, **more):
        done = rad("demo", *arguments, env={**env, **more})
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
        done.samples = list(samples.iterdir())
        return done

    return run


def test_it_shows_every_command_and_removes_its_folder(demo):
    done = demo()
    commands = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert commands == [
        "$ rad",
        "$ rad stats daily -n 5",
        "$ rad stats session",
        "$ rad stats history",
        "$ rad stats compare latest~1 latest",
        "$ rad stats model",
        "$ rad doctor",
        "$ rad session run -- python agent.py",
        "$ rad stats model latest",
        "$ rad-lsp --stdio",
    ]
    assert "\nInteraction Summary\n" in done.stdout
    assert "\nRecent Session Summaries\n" in done.stdout
    assert "\nSession Comparison\n" in done.stdout
    assert "\nAggregated Model Usage (All Sessions)\n" in done.stdout
    assert f"\nSkipped {CORRUPT}: the file ends in the middle of the report.\n" in done.stdout
    assert "\nSkipped files:     1\n" in done.stdout
    assert done.samples == []


def test_it_shows_a_tracked_agent_with_every_figure_of_the_manual(demo):
    shown = demo().stdout.partition("$ rad session run -- python agent.py\n")[2]
    summary, cost, *_ = shown.split("\n── ")
    figures = {
        label: value.strip()
        for label, colon, value in (line.partition(":") for line in summary.splitlines())
        if colon
    }
    assert figures["Tool Calls"] == "3 ( ✓ 2 x 1 )"
    assert figures["Success Rate"] == "66.7%"
    assert figures["Code Changes"] == "+6 -1 (2 files)"
    for label in ("Wall Time", "Agent Active", "  » API Time", "  » Tool Time"):
        assert figures[label][0] in "123456789"
    assert figures["Approvals"] == "1 allowed, 1 denied, 2 asked"
    assert (figures["Hit Rate"], figures["Cached Tokens"]) == ("77.5%", "39,000")
    assert figures["Created / Read"] == "6,100 / 39,000"
    costs = dict(re.findall(r"^(\S+) .*\$(\d+\.\d{4})$", cost, re.MULTILINE))
    assert float(costs["claude-sonnet-4-5"]) == pytest.approx(
        (3_100 * 3 + 39_000 * 0.3 + 6_100 * 3.75 + 1_350 * 15) / 1e6, abs=1e-4
    )
    assert float(costs["gemini-2.5-flash-lite"]) > 0


def test_without_git_it_says_so(demo, tmp_path):
    (tmp_path / "bin").mkdir()
    done = demo(PATH=str(tmp_path / "bin"))
    assert "\nGit is not installed: code changes will be 0.\n" in done.stdout
    assert "Tool Calls:                 3 ( ✓ 2 x 1 )" in done.stdout


def test_it_shows_what_an_editor_gets(demo):
    done = demo()
    bar = r"^Status bar:  \[ \$\d+\.\d{4} · \d+\.\d% \]  severity: warning$"
    before, after = re.findall(bar, done.stdout, re.MULTILINE)
    assert before != after
    assert "\n## Session comparison\n" in done.stdout
    assert re.search(
        r"^stats/export: 7 sessions, [\d,]+ bytes, to file://", done.stdout, re.MULTILINE
    )
    assert re.search(
        r"^  API time .+, \d+\.\d% of the agent's active time$", done.stdout, re.MULTILINE
    )


def test_it_shows_the_samples_whatever_workspace_is_in_the_environment(demo, golden):
    done = demo(RADIUM_WORKSPACE=str(golden("history")))
    assert f"\nSkipped {CORRUPT}: the file ends in the middle of the report.\n" in done.stdout
    assert "3c6ddcd3" not in done.stdout


def test_a_kept_sample_is_a_workspace(demo, rad):
    done = demo("--keep")
    (sample,) = done.samples
    assert str(Path(sample).resolve()) in done.stdout
    reports = json.loads(rad("stats", "history", "--json", cwd=sample).stdout)
    assert len(reports) == 7
