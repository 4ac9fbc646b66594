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
        "$ rad stats session",
        "$ rad stats history",
        "$ rad stats compare latest~1 latest",
        "$ rad stats model",
        "$ rad doctor",
        "$ rad-lsp --stdio",
    ]
    assert "\nInteraction Summary\n" in done.stdout
    assert "\nRecent Session Summaries\n" in done.stdout
    assert "\nSession Comparison\n" in done.stdout
    assert "\nAggregated Model Usage (All Sessions)\n" in done.stdout
    assert f"\nSkipped {CORRUPT}: the file ends in the middle of the report.\n" in done.stdout
    assert "\nSkipped files:     1\n" in done.stdout
    assert done.samples == []


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
