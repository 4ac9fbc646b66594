"""Kills a process at each of its write steps in turn, and looks at what is left.

A step is whatever changes a file: making, writing (half of the bytes first, then the rest),
syncing, renaming, linking, deleting, and what SQLite is told outside of a transaction or at its
end. The process is really killed,
so that no handler, `finally` or `atexit` of it runs.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import signal
import sqlite3
import sys
import traceback

_CHANGES = {
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "sqlite3.connect",
}
"""Events of Python's audit before something is changed."""

_READING = ("SELECT", "PRAGMA busy_timeout", "PRAGMA data_version", "PRAGMA quick_check")

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_SURVIVED, _FAILED = 0, 1


class Steps:
    """Counts this process's write steps, and kills it at the one with that number, from 1."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self) -> None:
        """A change of a file is about to happen."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def count(self) -> None:
        """From now on each write step counts; there is no way back."""
        sys.addaudithook(self._heard)
        plain_open, plain_sync, plain_connect = io.open, os.fsync, sqlite3.connect

        def opened(file, mode="r", *arguments, **options):
            stream = plain_open(file, mode, *arguments, **options)
            return Halving(stream, self.step) if set(mode) & set("wax+") else stream

        def synced(descriptor):
            self.step()
            plain_sync(descriptor)

        def connected(*arguments, **options):
            class Counted(sqlite3.Connection):
                def execute(connection, query, *values):  # noqa: N805
                    # What a transaction writes, nobody sees before its end.
                    is_seen = query == "COMMIT" or not connection.in_transaction
                    if is_seen and not query.startswith(_READING):
                        self.step()
                    return super().execute(query, *values)

                def close(connection):  # noqa: N805
                    self.step()
                    return super().close()

            if arguments[0] == ":memory:":
                return plain_connect(*arguments, **options)
            return plain_connect(*arguments, factory=Counted, **options)

        builtins.open = io.open = opened
        os.fsync = synced
        sqlite3.connect = connected

    def _heard(self, event, arguments):
        if event in _CHANGES or (event == "open" and arguments[2] & _WRITING):
            self.step()


class Halving:
    """A file that is open for writing: each write to it has a step in its midst."""

    def __init__(self, stream, step):
        self._stream = stream
        self._step = step

    def write(self, data):
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            self._step()
            self._stream.write(part)
            self._stream.flush()
        return len(data)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stream.close()

    def __getattr__(self, name):
        return getattr(self._stream, name)


def kill_at_each(scenario, folder):
    """Run a scenario until it ends unharmed; returns at how many steps it was killed before.

    It has three functions of a folder: `prepare` makes what is there before, `work` is killed, and
    `check` looks at what is left, raises for what must not be, and works on as the next start does.
    Each has a process of its own. Raises SystemExit for what is wrong.
    """
    # What this process has loaded, those need not load.
    _all_of(scenario, folder / "rehearsal")
    place = folder / "place"
    for number in range(1, 100_000):
        place.mkdir()

        def work(number=number):
            Steps(number).count()
            scenario.work(place)

        _in_child(lambda: scenario.prepare(place))
        killed = _in_child(work, may_be_killed=True)
        try:
            _in_child(lambda killed=killed: scenario.check(place, killed))
        except SystemExit:
            sys.exit(f"That is what was left in {place} by a process killed at step {number}.")
        shutil.rmtree(place)
        if not killed:
            return number - 1
    raise AssertionError


def _all_of(scenario, folder):
    folder.mkdir()
    scenario.prepare(folder)
    scenario.work(folder)
    scenario.check(folder, False)  # noqa: FBT003


def _in_child(work, *, may_be_killed=False):
    """Run in a process of its own, which starts as fast as a fork; returns whether it was killed.

    Nothing of it is left in this one, neither a connection nor a cache.
    """
    process = os.fork()
    if not process:
        code = _FAILED
        with contextlib.suppress(BaseException):
            try:
                work()
            except BaseException:
                traceback.print_exc()
                raise
            code = _SURVIVED
        os._exit(code)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if may_be_killed and code == -signal.SIGKILL:
        return True
    if code != _SURVIVED:
        sys.exit("It failed.")
    return False
