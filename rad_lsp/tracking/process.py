"""Runs an agent in our place on the terminal: signals reach it, and its exit code comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from rad_lsp.core.errors import RadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType, TracebackType

GRACE: Final = 3.0
"""Seconds that an agent has, from the second signal on, before it is killed."""

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
_SIGNALLED: Final = 128
"""A shell's exit codes; a death by signal is this and its number."""

_WINDOWS: Final = sys.platform == "win32"

_KEYS: Final = ("SIGINT", "SIGQUIT")
"""Signals that a terminal's keys send to the agent as well."""

_ENDINGS: Final = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that ask us, and so the agent, to end; Windows has the last one."""

_POLL: Final = 0.2
"""Seconds. On Windows a handler only runs between two waits."""


class NotRun(RadError):
    """The command can't be run; `exit_code` is what a shell would say."""

    kind = "NotRun"

    def __init__(self, name: str, exit_code: int) -> None:
        reason = "was not found" if exit_code == NOT_FOUND else "is not executable"
        super().__init__(f"{name} {reason}. Check the name after --, and the PATH.")
        self.exit_code = exit_code


class Agent:
    """The agent's process, in a `with` statement that takes over the signals.

    Raises NotRun when there is no such command. `say` is told what a user should know.
    """

    def __init__(self, command: Sequence[str], say: Callable[[str], None]) -> None:
        self._command = _resolved(command)
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._told = 0
        self._timer: threading.Timer | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for names, handler in ((_KEYS, self._key), (_ENDINGS, self._forward)):
            for name in names:
                number = getattr(signal, name, None)
                # What we were told to ignore, as nohup does, the agent ignores as well.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(self, environment: Mapping[str, str]) -> int:
        """Run the command on our own terminal, until it ends; returns its exit code as a shell's.

        Raises NotRun when the system turns it down.
        """
        try:
            self._process = subprocess.Popen(self._command, env=environment)  # noqa: S603
        except FileNotFoundError:  # a script whose interpreter is missing
            raise NotRun(self._command[0], NOT_FOUND) from None
        except OSError:
            raise NotRun(self._command[0], NOT_EXECUTABLE) from None
        code = _wait(self._process)
        return _SIGNALLED - code if code < 0 else code

    def _key(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C and the like: the terminal sends them to the agent, too, which decides."""
        if self._process is None or not _from_terminal():
            self._forward(number, frame)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            raise SystemExit(_SIGNALLED + number)
        if self._process.returncode is not None:
            return  # the session is being ended already
        if not _WINDOWS:  # whose console has sent it to the agent as well
            self._process.send_signal(number)
        self._told += 1
        if self._told == 2:  # noqa: PLR2004
            self._say(f"The agent has not ended yet: it is killed in {GRACE:g} seconds.")
            self._timer = threading.Timer(GRACE, self._process.kill)
            self._timer.daemon = True
            self._timer.start()


def _resolved(command: Sequence[str]) -> list[str]:
    name, *arguments = command
    found = shutil.which(name)
    if found is None:
        raise NotRun(name, NOT_EXECUTABLE if os.path.lexists(name) else NOT_FOUND)
    # Windows looks for programs, but not for scripts such as npm.cmd, on the PATH.
    return [found if _WINDOWS else name, *arguments]


def _wait(process: subprocess.Popen[bytes]) -> int:
    while _WINDOWS:
        try:
            return process.wait(_POLL)
        except subprocess.TimeoutExpired:
            continue
    return process.wait()


def _from_terminal() -> bool:
    """Whether a key's signal reaches the agent by itself: we are in a terminal's foreground."""
    if _WINDOWS:
        return True
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
