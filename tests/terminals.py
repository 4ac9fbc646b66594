"""Starting a program in the foreground of a terminal of its own.

A hook of `subprocess` between fork and exec could block for ever, as the process of a test has
threads: a program of its own does the work.
"""

from __future__ import annotations

import sys

_LOGIN = "import os, sys; os.login_tty(int(sys.argv[1])); os.execvp(sys.argv[2], sys.argv[2:])"


def on_terminal(terminal, command):
    """The command that starts another one on a terminal, whose descriptor it has to inherit."""
    return [sys.executable, "-c", _LOGIN, str(terminal), *map(str, command)]
