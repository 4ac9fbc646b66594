"""Ends an agent when the `rad session run` that started it was killed.

`rad` runs this as a program of its own: with seconds of patience, and a sentence for the user, as
arguments. Through its stdin, which only `rad` holds open, it is told the agent's process id and,
once that has ended, `END`. Where the stdin ends without that, `rad` was killed.

It needs little of the standard library, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

END = b"end"
_POLL = 0.05
"""Seconds."""


def main(patience: float, sentence: str) -> None:
    """Wait until `rad` is gone, then ask the agent to end, and kill it if it does not."""
    told = sys.stdin.buffer.read().split()
    if len(told) == 1:
        with contextlib.suppress(OSError):  # it has ended
            _end(int(told[0]), patience, sentence)


def _end(agent: int, patience: float, sentence: str) -> None:
    os.kill(agent, signal.SIGTERM)  # which Windows takes for a kill
    with contextlib.suppress(OSError):  # there may be no stderr
        os.write(2, f"{sentence}\n".encode())
    if sys.platform != "win32":
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            os.kill(agent, 0)
            time.sleep(_POLL)
        os.kill(agent, signal.SIGKILL)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
