"""`rad session run`: an agent is run, tracked, and none the wiser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminals import on_terminal

SESSIONS = Path(".radium", "_internals", "sessions")
PATIENCE = 30
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

TOOL = '{"type": "tool", "gen_ai.tool.name": "grep", "duration": 1.5}'


def python(code):
    return ("--", sys.executable, "-c", code)


def appears(found):
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)
    return value


def reports(root):
    return [json.loads(path.read_bytes())["metrics"] for path in (root / SESSIONS).glob("*.json")]


def say(*lines):
    """Code of an agent that appends lines to the file of events."""
    text = "".join(f"{line}\n" for line in lines)
    return f"import os; open(os.environ['RAD_SESSION_EVENTS'], 'a').write({text!r})"


@pytest.fixture
def workspace(workspace):
    """A workspace in a git repository, so that code changes are counted."""
    subprocess.run(["git", "init", "-q"], cwd=workspace.root, check=True)
    return workspace


@pytest.fixture
def repository(tmp_path):
    """A git repository with one file committed, and no workspace in it."""
    root = tmp_path / "repository"
    (root / "inner").mkdir(parents=True)
    (root / "kept.txt").write_text("one\n", encoding="utf-8")
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    return root


def test_the_summary_follows_what_the_agent_printed(rad, workspace):
    code = say(TOOL) + "; print('from the agent'); raise SystemExit(3)"
    done = rad("session", "run", *python(code), cwd=workspace.root)
    first, title, *rest = done.stdout.splitlines()
    assert (done.returncode, first, title) == (3, "from the agent", "Interaction Summary")
    assert "Tool Calls:                 1 ( ✓ 1 x 0 )" in rest
    (found,) = reports(workspace.root)
    assert found["end_time"] is not None
    assert f"Session ID:                 {found['session_id']}" in rest


def test_json_is_what_stats_session_prints_of_it(rad, workspace):
    done = rad("session", "run", "--json", "--session-id", "mine", *python(""), cwd=workspace.root)
    assert done.stdout == rad("stats", "session", "mine", "--json", cwd=workspace.root).stdout
    stored = json.loads((workspace.sessions / "mine.json").read_bytes())
    assert json.loads(done.stdout).items() >= stored.items()


def test_the_agents_changes_to_the_code_are_counted(rad, repository):
    code = "open('kept.txt', 'a').write('two\\n'); open('new.txt', 'w').write('1\\n2\\n')"
    done = rad("session", "run", *python(code), cwd=repository)
    assert "Code Changes:               +3 -0 (2 files)" in done.stdout


def test_options_after_the_command_are_the_commands(rad, workspace):
    done = rad(
        "session", "run", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--json", "--",
        "-h", cwd=workspace.root,
    )  # fmt: skip
    assert done.stdout.startswith("['--json', '--', '-h']\n")


def test_the_agent_finds_the_session_and_a_file_of_its_own(rad, workspace):
    code = (
        "import os, stat, pathlib as p; f = p.Path(os.environ['RAD_SESSION_EVENTS']); "
        "print(os.environ['RAD_SESSION_ID'], f, f.stat().st_size, "
        "oct(stat.S_IMODE(f.parent.stat().st_mode)))"
    )
    done = rad("session", "run", "--session-id", "mine", *python(code), cwd=workspace.root)
    session_id, events, size, mode = done.stdout.splitlines()[0].split()
    assert (session_id, size) == ("mine", "0")
    if sys.platform != "win32":
        assert mode == "0o700"
    assert workspace.root not in Path(events).parents
    assert not Path(events).parent.exists()


def test_the_file_of_events_is_outside_the_work_tree_wherever_temporary_files_are(rad, workspace):
    inside = workspace.root / "tmp"
    inside.mkdir()
    done = rad(
        "session", "run", *python("import os; print(os.environ['RAD_SESSION_EVENTS'])"),
        cwd=workspace.root, env=dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(inside)),
    )  # fmt: skip
    assert workspace.root not in Path(done.stdout.splitlines()[0]).parents


def test_what_could_not_be_counted_is_said_on_stderr(rad, workspace):
    done = rad("session", "run", *python(say(TOOL, "nonsense", TOOL)), cwd=workspace.root)
    assert "Tool Calls:                 2 " in done.stdout
    assert "Line 2 of the events is left out: JSON is malformed" in done.stderr


def test_an_event_of_10_mb_is_a_bad_line(rad, workspace):
    code = say(TOOL) + "; open(os.environ['RAD_SESSION_EVENTS'], 'a').write('x' * 10**7)"
    done = rad("session", "run", *python(code), cwd=workspace.root)
    assert done.returncode == 0
    assert "Tool Calls:                 1 " in done.stdout
    assert "Line 2 of the events is left out: it is longer than 1,048,576 bytes" in done.stderr


def test_a_workspace_is_made_at_the_repositorys_root_and_that_is_said(rad, repository):
    done = rad("session", "run", *python(""), cwd=repository / "inner")
    assert f"Made {repository / SESSIONS}\n" in done.stderr
    assert len(reports(repository)) == 1
    again = rad("session", "run", *python(""), cwd=repository / "inner")
    assert (again.stderr, len(reports(repository))) == ("", 2)


def test_without_a_repository_a_workspace_is_made_here(rad, tmp_path):
    done = rad("session", "run", *python(""), cwd=tmp_path)
    assert f"Made {tmp_path / SESSIONS}\n" in done.stderr
    assert len(reports(tmp_path)) == 1


@pytest.mark.parametrize("named", ["option", "environment"])
def test_the_workspace_can_be_named(rad, tmp_path, named):
    folder = tmp_path / "named"
    folder.mkdir()
    options = ("-w", folder) if named == "option" else ()
    env = {} if named == "option" else {"RADIUM_WORKSPACE": str(folder)}
    rad("session", "run", *options, *python(""), cwd=tmp_path, env=env)
    assert len(reports(folder)) == 1


def test_a_named_workspace_that_does_not_exist_is_refused(rad, tmp_path):
    done = rad("session", "run", "-w", tmp_path / "nope", *python("print('ran')"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("session_id", ["../x", "", "nul", "a" * 300, ".x", "a/b"])
def test_a_bad_id_is_refused_before_anything_is_made(rad, tmp_path, session_id):
    done = rad("session", "run", "--session-id", session_id, *python("print('ran')"))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "can't be a session's id" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_is_recorded_already_is_refused(rad, workspace):
    workspace.add("mine")
    before = (workspace.sessions / "mine.json").read_bytes()
    done = rad(
        "session", "run", "--session-id", "mine", *python("print('ran')"), cwd=workspace.root
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Session 'mine' is recorded already" in done.stderr
    assert (workspace.sessions / "mine.json").read_bytes() == before


def test_a_command_that_is_not_found_is_127_and_no_session(rad, tmp_path):
    done = rad("session", "run", "--", "no-such-command", "x")
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == (
        "Error: no-such-command was not found. Check the name after --, and the PATH.\n"
    )
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_command_that_is_not_executable_is_126(rad, tmp_path):
    (tmp_path / "script").write_text("echo hi\n", encoding="utf-8")
    done = rad("session", "run", "--", "./script")
    assert done.returncode == 126
    assert done.stderr.startswith("Error: ./script is not executable.")


@posix
def test_a_script_whose_interpreter_is_missing_is_127(rad, tmp_path):
    (tmp_path / "script").write_text("#!/no/such/interpreter\n", encoding="utf-8")
    (tmp_path / "script").chmod(0o755)
    done = rad("session", "run", "--", "./script")
    assert done.returncode == 127
    assert "Traceback" not in done.stderr


def test_without_a_command_it_is_wrong_usage(rad, tmp_path):
    done = rad("session", "run")
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "Missing argument 'COMMAND...'" in done.stderr


@posix
def test_a_death_by_signal_is_a_shells_exit_code(rad, workspace):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    done = rad("session", "run", *python(code), cwd=workspace.root)
    assert done.returncode == 137
    assert "Interaction Summary" in done.stdout


def test_stdin_is_the_agents(rad, workspace):
    code = "import sys; print(sys.stdin.read().upper())"
    done = rad("session", "run", *python(code), cwd=workspace.root, input=b"hello")
    assert done.stdout.startswith("HELLO\n")


@posix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_do_no_harm(workspace, closed):
    command = f'"$0" -m rad_lsp.cli session run -- sh -c "exit 4" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=workspace.root, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    (found,) = reports(workspace.root)
    assert found["end_time"] is not None


@posix
def test_the_exit_code_is_the_agents_whether_somebody_reads_or_not(start, workspace):
    process = start("session", "run", *python("raise SystemExit(3)"), cwd=workspace.root)
    process.stdout.close()
    assert (process.wait(PATIENCE), process.stderr.read()) == (3, b"")


READY = """
import os, signal, sys, time
def ready():
    print("ready", flush=True)
    while True: time.sleep(0.01)
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on_and_the_session_is_final(start, workspace, number):
    code = READY + f"signal.signal({int(number)}, lambda *_: sys.exit(9)); ready()"
    process = start("session", "run", *python(code), cwd=workspace.root)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.splitlines()[0]) == (9, b"Interaction Summary")
    assert reports(workspace.root)[0]["end_time"] is not None


@posix
def test_ctrl_c_that_no_terminal_sends_is_passed_on(start, workspace):
    code = READY + "signal.signal(signal.SIGINT, lambda *_: sys.exit(9)); ready()"
    process = start("session", "run", *python(code), cwd=workspace.root, start_new_session=True)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 9


@posix
def test_an_agent_that_ignores_sigterm_is_killed_after_the_second(start, workspace):
    code = READY + ("signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True)); ready()")
    process = start("session", "run", *python(code), cwd=workspace.root)
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.stdout.readline() == b"no\n"
    process.terminate()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 137
    assert err == b"The agent has not ended yet: it is killed in 3 seconds.\n"
    assert b"Interaction Summary" in out
    assert reports(workspace.root)[0]["end_time"] is not None


@posix
def test_what_is_ignored_stays_ignored(workspace):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGHUP); print('alive')"
    done = subprocess.run(
        ["nohup", sys.executable, "-m", "rad_lsp.cli", "session", "run", *python(code)],
        cwd=workspace.root, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"alive")


@posix
def test_kill_9_leaves_a_report_that_reads(start, workspace, rad, tmp_path):
    code = say(TOOL) + "; import sys; print('ready', flush=True); sys.stdin.read()"
    process = start(
        "session", "run", *python(code), cwd=workspace.root, stdin=subprocess.PIPE,
        env={"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    process.stdout.readline()
    appears(lambda: reports(workspace.root)[0]["tool_calls"] == 1)
    process.kill()
    process.stdin.close()
    process.wait(PATIENCE)
    done = rad("stats", "session", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(running)" in done.stdout


IGNORES = "signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True)); "


@posix
@pytest.mark.parametrize("ignores", ["", IGNORES], ids=["ends", "ignores SIGTERM"])
def test_kill_9_ends_the_agent_too_and_says_so(start, workspace, ignores):
    process = start("session", "run", *python(READY + ignores + "ready()"), cwd=workspace.root)
    assert process.stdout.readline() == b"ready\n"
    process.kill()
    # Both streams end when the agent does.
    out, err = process.communicate(timeout=PATIENCE)
    assert out == (b"no\n" if ignores else b"")
    assert err == b"rad was killed, and records nothing any more: its agent is ended, too.\n"


@posix
def test_what_kill_9_leaves_in_the_temporary_folder_is_removed_at_the_next_start(
    start, rad, workspace, tmp_path
):
    folder = tmp_path / "temporary"
    folder.mkdir()
    env = {"TMPDIR": str(folder)}
    process = start("session", "run", *python(READY + "ready()"), cwd=workspace.root, env=env)
    assert process.stdout.readline() == b"ready\n"
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert len(list(folder.iterdir())) == 2
    assert rad("session", "run", *python(""), cwd=workspace.root, env=env).returncode == 0
    assert list(folder.iterdir()) == []


def test_a_folder_deleted_while_the_agent_works_is_made_again(rad, workspace):
    code = f"import shutil; shutil.rmtree({str(workspace.root / '.radium')!r}); {say(TOOL)}"
    done = rad("session", "run", *python(code), cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert reports(workspace.root)[0]["tool_calls"] == 1


@pytest.mark.skipif(not hasattr(os, "posix_spawn") or sys.platform != "linux", reason="needs Linux")
def test_a_disk_that_gets_full_is_said_and_the_summary_shown(rad, workspace):
    code = (
        "import os, resource; "
        "resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY)); "
        + say(TOOL) + "; raise SystemExit(3)"
    )  # fmt: skip
    done = rad("session", "run", *python(code), cwd=workspace.root)
    assert done.returncode == 3
    assert "Tool Calls:                 1 " in done.stdout
    assert done.stderr.count("can't be written: file too large") == 1
    assert "Traceback" not in done.stderr


class OnTerminal:
    """The real `rad` as the foreground process of a terminal of its own."""

    def __init__(self, arguments, cwd):
        import pty

        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            on_terminal(theirs, [sys.executable, "-m", "rad_lsp.cli", *arguments]),
            cwd=cwd,
            pass_fds=(theirs,),
        )
        os.close(theirs)
        self.shown = ""

    def types(self, text):
        os.write(self._ours, text.encode())

    def shows(self, text, times=1):
        """Wait until the terminal shows something, so many times."""
        while self.shown.count(text) < times:
            assert self._read(), f"it ended, and showed: {self.shown}"

    def ends(self):
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(PATIENCE)

    def _read(self):
        import select

        assert select.select([self._ours], [], [], PATIENCE)[0], (
            f"it waits, and shows: {self.shown}"
        )
        try:
            chunk = os.read(self._ours, 65536)
        except OSError:  # how Linux says that the other side has closed it
            return b""
        self.shown += chunk.decode("utf-8").replace("\r\n", "\n")
        return chunk


@posix
def test_the_terminal_is_the_agents(workspace):
    code = "import sys; print([s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)], input())"
    terminal = OnTerminal(("session", "run", *python(code)), workspace.root)
    terminal.types("typed\n")
    assert terminal.ends() == 0
    assert "[True, True, True] typed\n" in terminal.shown
    assert "\x1b[1mInteraction Summary" in terminal.shown


@posix
def test_ctrl_c_on_the_terminal_reaches_the_agent_once_and_the_session_ends_with_it(workspace):
    code = READY + (
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready', flush=True)\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "print('interrupts:', len(got)); sys.exit(6)"
    )
    terminal = OnTerminal(("session", "run", *python(code)), workspace.root)
    terminal.shows("ready\n")
    terminal.types("\x03")
    assert terminal.ends() == 6
    assert "interrupts: 1\n" in terminal.shown
    assert "Interaction Summary" in terminal.shown
    assert reports(workspace.root)[0]["end_time"] is not None


@posix
def test_an_agent_that_does_not_mind_ctrl_c_goes_on(workspace):
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, lambda *_: print('no', flush=True))\n"
        "print('ready', flush=True); print(sys.stdin.readline())"
    )
    terminal = OnTerminal(("session", "run", *python(code)), workspace.root)
    terminal.shows("ready\n")
    for count in range(1, 4):
        terminal.types("\x03")
        terminal.shows("no\n", count)
    terminal.types("done\n")
    assert terminal.ends() == 0


def test_nothing_is_loaded_that_is_not_needed(rad, workspace):
    done = rad(
        "session", "run", *python(""), cwd=workspace.root, env={"PYTHONPROFILEIMPORTTIME": "1"}
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "rad_lsp.tracking" in imported
    assert {"pygls", "lsprotocol", "genai_prices"}.isdisjoint(imported)


@pytest.fixture
def agent(resume):
    """An agent that leaves a transcript, of $0.0045, where Claude Code keeps its own."""
    return ("--", *resume(1))


def test_transcripts_that_the_agent_leaves_are_part_of_the_session(rad, workspace, agent):
    done = rad("session", "run", "--session-id", "tracked", *agent, cwd=workspace.root)
    assert done.returncode == 0
    assert "claude-sonnet-4-5-20250929      1          1,000            100\n" in done.stdout
    (report,) = reports(workspace.root)
    assert report["child_sessions"] == [{"source": "claude-code", "session_id": "resumed"}]
    history = rad("stats", "history", "--json", cwd=workspace.root)
    assert [one["metrics"]["session_id"] for one in json.loads(history.stdout)] == ["tracked"]
    (model,) = json.loads(rad("stats", "model", "--json", cwd=workspace.root).stdout)
    assert (model["requests"], model["estimated_cost"]) == (1, pytest.approx(0.0045))


def test_they_are_priced_by_the_users_own_prices(rad, workspace, agent, user_settings):
    user_settings('[prices."claude-sonnet-4-5-20250929"]\ninput = 1\noutput = 1\n')
    rad("session", "run", *agent, cwd=workspace.root)
    assert rad("status", "--format", "{cost}", cwd=workspace.root).stdout == "$0.0011\n"


def test_what_a_workspace_may_not_set_is_named_once_and_prices_nothing(
    rad, workspace, agent, workspace_settings
):
    own = workspace_settings('[prices."claude-sonnet-4-5-20250929"]\ninput = 0\noutput = 0\n')
    done = rad("session", "run", *agent, cwd=workspace.root)
    assert done.stderr.count(f"{own}: prices ignored. ") == 1
    assert rad("status", "--format", "{cost}", cwd=workspace.root).stdout == "$0.0045\n"


def test_sessions_from_before_are_no_part_of_it(rad, workspace, claude_code):
    claude_code("before").prompt().answer()
    rad("session", "run", "--session-id", "tracked", *python("pass"), cwd=workspace.root)
    (report,) = reports(workspace.root)
    assert not report.get("child_sessions")
    history = rad("stats", "history", "--json", cwd=workspace.root)
    assert len(json.loads(history.stdout)) == 2


def total(report):
    """Requests, tool calls and USD of a report."""
    metrics = report["metrics"]
    requests = sum(usage["requests"] for usage in metrics["model_usage"].values())
    return requests, metrics["tool_calls"], round(metrics["total_cost"], 4)


SHOWN = {"first": (2, 2, 0.0090), "second": (3, 3, 0.0135), "resumed": (1, 1, 0.0045)}
"""Requests, tool calls and USD of two runs, and of what was done by hand between them."""


class TestResumedSession:
    """An agent's session that is resumed in two tracked ones, and by hand between them."""

    @pytest.fixture
    def printed(self, rad, workspace, resume):
        """What `rad session run --json` printed."""
        root = workspace.root

        def run(name, requests):
            tracked = ("session", "run", "--json", "--session-id", name, "--")
            return json.loads(rad(*tracked, *resume(requests), cwd=root).stdout)

        first = run("first", 2)
        subprocess.run(resume(1), cwd=root, check=True)
        return {"first": first, "second": run("second", 3)}

    @pytest.fixture
    def answer(self, rad, workspace, printed):  # noqa: ARG002  (after the runs)
        """What `rad stats` answers."""
        return lambda *arguments: rad("stats", *arguments, cwd=workspace.root).stdout

    def test_the_run_prints_what_was_done_in_it(self, printed, workspace):
        shown = {name: total(report) for name, report in printed.items()}
        assert shown == {name: SHOWN[name] for name in shown}
        assert printed["first"]["metrics"]["child_sessions"] == [
            {"source": "claude-code", "session_id": "resumed"}
        ]
        on_disk = {one["session_id"]: one for one in reports(workspace.root)}
        assert [on_disk[name]["model_usage"] for name in printed] == [{}, {}]

    def test_every_list_of_reports_has_the_figures_of_the_text(self, answer):
        lists = {
            "history": json.loads(answer("history", "--json")),
            "json": json.loads(answer("export")),
            "ndjson": [json.loads(line) for line in answer("export", "--format", "ndjson").split()],
        }
        for reports in lists.values():
            shown = {report["metrics"]["session_id"]: total(report) for report in reports}
            assert shown == SHOWN
        text = answer("history")
        assert [f"${usd:.4f}" in text for *_, usd in SHOWN.values()] == [True] * 3

    @pytest.mark.parametrize("name", ["first", "second"])
    def test_one_session_has_the_figures_of_the_text(self, answer, name):
        requests, calls, usd = SHOWN[name]
        assert f"{calls} ( ✓ {calls} x 0 )" in answer("session", name)
        assert total(json.loads(answer("session", name, "--json"))) == SHOWN[name]
        assert total(json.loads(answer("export", name))) == SHOWN[name]
        for command in ("model", "engine"):
            (row,) = json.loads(answer(command, name, "--json"))
            assert (row["requests"], row["estimated_cost"]) == (requests, pytest.approx(usd))
        assert json.loads(answer("cost", name, "--json"))["cost"] == pytest.approx(usd)
        assert f"${usd:.4f}" in answer("cost", name)

    def test_a_comparison_and_a_table_have_the_figures_of_the_text(self, answer):
        found = json.loads(answer("compare", "first", "second", "--json"))
        assert (found["tool_calls_delta"], found["cost_delta"]) == (1, pytest.approx(0.0045))
        header, *rows = answer("export", "--format", "csv").splitlines()
        names = header.split(",")
        cells = [dict(zip(names, row.split(","), strict=True)) for row in rows]
        costs = {row["session_id"]: round(float(row["cost"]), 4) for row in cells}
        assert costs == {name: usd for name, (*_, usd) in SHOWN.items()}

    def test_without_transcript_and_index_the_cost_is_unknown(self, answer, rad, workspace):
        home = Path(os.environ["HOME"])
        (home / ".claude" / "projects" / "folder" / "resumed.jsonl").unlink()
        assert "$0.0090" in answer("history")
        elsewhere = dict.fromkeys(("XDG_DATA_HOME", "LOCALAPPDATA"), str(home / "elsewhere"))
        assert "$0.0000" not in rad("stats", "history", cwd=workspace.root, env=elsewhere).stdout
        cost = rad("stats", "cost", "--json", cwd=workspace.root, env=elsewhere).stdout
        assert json.loads(cost)["cost"] is None
