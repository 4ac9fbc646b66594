"""Runs an agent on our terminal: passes signals on to it, and returns its exit code."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self, cast

from rad_lsp.core.errors import RadError
from rad_lsp.tracking import endings, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

GRACE: Final = 3.0
"""Seconds between the second signal that asks an agent to end and its being killed."""

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
_SIGNALLED: Final = 128
"""What a shell adds to the number of the signal that ended a program, for its exit code."""

_WINDOWS: Final = sys.platform == "win32"

_KEYS: Final = {signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)}
"""Signals that keys such as Ctrl-C send to all programs on the terminal, the agent included."""

_POLL: Final = 0.2
"""Seconds of a wait, after which a signal that has come is handled at the latest."""


class NotRun(RadError):
    """The command can't be run; `exit_code` is the one that a shell would return."""

    def __init__(self, name: str, exit_code: int) -> None:
        reason = "was not found" if exit_code == NOT_FOUND else "is not executable"
        super().__init__(f"{name} {reason}. Check the name after --, and the PATH.")
        self.exit_code = exit_code


class Agent:
    """The agent's process, in a `with` statement that handles signals.

    Raises NotRun when there is no such command. `say` shows a sentence to the user.
    """

    def __init__(self, command: Sequence[str], say: Callable[[str], None]) -> None:
        self._command = _resolved(command)
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._signals = 0
        self._timer: threading.Timer | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for numbers, handler in ((_KEYS, self._key), (endings.SIGNALS, self._forward)):
            for number in numbers:
                # A signal that we ignore, as under nohup, the agent ignores as well.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(self, environment: Mapping[str, str]) -> int:
        """Run the command on our terminal until it ends; returns the exit code of a shell.

        Raises NotRun when the system can't run it.
        """
        with _guard() as watch:
            try:
                self._process = subprocess.Popen(self._command, env=environment)  # noqa: S603
            except FileNotFoundError:  # a script whose interpreter is missing
                raise NotRun(self._command[0], NOT_FOUND) from None
            except OSError:
                raise NotRun(self._command[0], NOT_EXECUTABLE) from None
            watch(self._process.pid)
            code = _wait(self._process)
        return _SIGNALLED - code if code < 0 else code

    def _key(self, number: int, frame: FrameType | None) -> None:
        """Handle a key's signal: one from the terminal has reached the agent already."""
        if self._process is None or not _from_terminal():
            self._forward(number, frame)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            raise SystemExit(_SIGNALLED + number)
        if self._process.returncode is not None:
            return  # it has ended, and the session is being closed
        if not _WINDOWS:  # where the console has sent it to the agent already
            self._process.send_signal(number)
        self._signals += 1
        if self._signals == 2:  # noqa: PLR2004
            self._say(f"The agent has not ended yet: it is killed in {GRACE:g} seconds.")
            self._timer = threading.Timer(GRACE, self._process.kill)
            self._timer.daemon = True
            self._timer.start()


@contextlib.contextmanager
def _guard() -> Iterator[Callable[[int], None]]:
    """Gives what is told an agent's process id, and ends the agent should we be killed meanwhile.

    Nothing would be recorded of what the agent did afterwards.
    """
    sentence = "rad was killed, and records nothing any more: its agent is ended, too."
    command = [sys.executable, "-I", "-S", guard.__file__, str(GRACE), sentence]
    # Keys such as Ctrl-C do not reach a session, or on Windows a console, of its own.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        process = subprocess.Popen(  # noqa: S603
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=Path(guard.__file__).parent,
            start_new_session=not _WINDOWS,
            creationflags=flags,
        )
    except OSError:  # no further process can be made
        yield lambda _agent: None
        return
    pipe = cast("IO[bytes]", process.stdin)

    def tell(word: bytes) -> None:
        with contextlib.suppress(OSError):  # somebody has killed it
            pipe.write(word + b"\n")

    with process:
        try:
            yield lambda agent: tell(b"%d" % agent)
        finally:
            tell(guard.END)
            process.kill()


def _resolved(command: Sequence[str]) -> list[str]:
    name, *arguments = command
    found = shutil.which(name)
    if found is None:
        raise NotRun(name, NOT_EXECUTABLE if os.path.lexists(name) else NOT_FOUND)
    # On the PATH, Windows looks for programs only, not for scripts such as npm.cmd.
    return [found if _WINDOWS else name, *arguments]


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The code that a process ends with.

    A signal that comes just before the system is asked to wait does not break that wait, and is
    handled only after it. So this thread waits for a short while at a time.
    """
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, name="agent", daemon=True).start()
    while not ended.wait(_POLL):
        pass
    return process.wait()


def _from_terminal() -> bool:
    """Whether we run in the foreground of a terminal, which then sends keys' signals itself."""
    if sys.platform == "win32":
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
