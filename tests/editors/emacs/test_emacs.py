"""Emacs with eglot and no more than the lines of `docs/editors.md` works with the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.editors.neovim.conftest import figures, missing

ROOT = Path(__file__).parents[3]
HOW = "run tests/editors/emacs/setup.sh, or install Emacs with eglot"

INIT = """
(require 'server)
(setq server-socket-dir "{sockets}" server-name "emacs"
      inhibit-startup-screen t make-backup-files nil auto-save-default nil
      mode-line-format '("%b " mode-line-misc-info))
(setq-default mode-line-format mode-line-format)
{snippet}
(with-eval-after-load 'eglot
  (setf (alist-get 'rad-report-mode eglot-server-programs) '({command})))
(server-start)
"""

# What Emacs compiles on the side, and says of it, is of no interest here.
EARLY = """
(setq native-comp-deferred-compilation nil native-comp-jit-compilation nil
      native-comp-async-report-warnings-errors nil)
"""

MESSAGES = '(with-current-buffer "*Messages*" (buffer-string))'


def snippet():
    """The lines that users of Emacs are given."""
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    found = re.search(r"```elisp\n(.*?)```", text, re.DOTALL)
    assert found, "there are no lines for Emacs"
    return found[1]


@pytest.fixture(scope="session")
def emacs_program():
    if sys.platform == "win32":
        pytest.skip("Emacs is driven through a pty, which Windows has not")
    program = shutil.which("emacs")
    ask = ["--batch", "--eval", "(kill-emacs (if (require 'eglot nil t) 0 1))"]
    if not program or subprocess.run([program, *ask], capture_output=True, check=False).returncode:
        missing("Emacs with eglot", HOW)
    return program


class Emacs:
    def __init__(self, program, file, home, sockets):
        from tests.editors.neovim.terminal import Terminal

        command = " ".join(f'"{part}"' for part in (sys.executable, "-m", "rad_lsp"))
        init = home / ".emacs.d" / "init.el"
        init.parent.mkdir()
        init.write_text(INIT.format(sockets=sockets, snippet=snippet(), command=command))
        init.with_name("early-init.el").write_text(EARLY)
        self._socket = Path(sockets, "emacs")
        environment = {**os.environ, "HOME": str(home)}
        # The user's own file, since without one Emacs would leave its packages, so eglot, out.
        self.terminal = Terminal([program, "-nw", file], file.parent, environment)

    def mode_line(self, text):
        """Wait until the mode line of the first report has that text."""
        begin = re.compile(rf"^first\.json .*{re.escape(text)}", re.MULTILINE)
        self.terminal.wait(lambda: begin.search(self.terminal.text), f"mode line with {text}")

    def eval(self, expression, buffer="first.json"):
        """The printed value of an expression, in a buffer of the running Emacs."""
        there = f'(with-current-buffer "{buffer}" {expression})'
        ask = ["emacsclient", "--socket-name", str(self._socket), "--eval", there]
        process = subprocess.Popen(
            ask, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        # Emacs answers no one while no one reads what it prints.
        self.terminal.wait(lambda: process.poll() is not None, expression)
        said = process.communicate()[0].strip()
        assert process.returncode == 0, said
        return said


@pytest.fixture
def emacs(emacs_program, workspace, tmp_path):
    report = workspace.add("first", **figures(cost=0.125, day=1))
    home = tmp_path / "emacs"
    home.mkdir()
    with tempfile.TemporaryDirectory(prefix="rad-") as sockets:
        started = Emacs(emacs_program, report, home, sockets)
        yield started
        started.terminal.close()


def test_emacs(emacs, workspace):
    """One Emacs for all, since it takes long to start."""
    terminal = emacs.terminal
    emacs.mode_line("$0.1250 · 92.6%")
    name = "(plist-get (eglot--server-info (eglot-current-server)) :name)"
    assert emacs.eval(name) == '"rad-lsp"'

    workspace.add("second", **figures(cost=0.25, day=2))
    emacs.mode_line("$0.2500 · 92.6%")

    # Eldoc speaks after a user's own keys: search, and one step back.
    terminal.type("\x13total_cost\r\x02")
    terminal.wait("Cost $0.1250")
    terminal.picture("emacs/mode-line")

    torn = workspace.raw("torn.json", b'{"metrics": {')
    terminal.wait(lambda: "warning" in emacs.eval('(format "%S" rad-status)'))
    emacs.eval(f'(progn (find-file "{torn}") nil)')
    terminal.wait(lambda: emacs.eval("(length (flymake-diagnostics))", "torn.json") == "1")

    emacs.eval('(progn (rad-session "latest") nil)')
    terminal.wait("Interaction Summary")
    arguments = '[(:sessionId "first")]'
    emacs.eval(f"(eglot-execute-command (eglot-current-server) 'rad.session {arguments})")
    told = "Radium · first · 1 Jan 10:00: $0.1250 · 92.6%"
    terminal.wait(lambda: told in emacs.eval(MESSAGES))
