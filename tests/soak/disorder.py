"""What crashes, sync tools, agents and people do to the files of three workspaces."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.crash.scenarios import answer

SAMPLE = Path(__file__).parents[1] / "data" / "session" / ".radium" / "_internals" / "sessions"
REPORT = json.loads(next(SAMPLE.iterdir()).read_bytes())

SESSIONS = 25
"""Reports and transcripts of each root have so many names, so that their number stays bounded."""

ANSWERS = 40
"""A transcript is written anew once it has so many."""

BAD = [b"", b"\0" * 4096, b'{"metrics": {', b"\xff\xfe{}", b"[]", b"null", b"{" * 50_000]
LONGEST_HARM = 4.0
"""Seconds after which a harm is undone at the latest."""

_WATCHES = Path("/proc/sys/user/max_inotify_watches")
_MOST = 48 << 20
"""The most bytes that fill a disk, in case it is larger than thought."""


class Disorder:
    """Does one thing at a time, as the dice say. `calm` undoes what would go on to harm.

    `limited` tells that the disk is small, and the number of watches this process's own to set.
    """

    def __init__(self, dice, roots, home, *, limited):
        self._dice = dice
        self._roots = roots
        self._home = home
        self._undo = {}
        self._written = {}
        self.done = {}
        kinds = [
            (12, self.report),
            (12, self.transcript),
            (4, self.report_in_place),
            (3, self.corrupt),
            (3, self.rename),
            (3, self.delete),
            (2, self.step_the_clock),
            (1, self.replace_folder),
            (1, self.delete_folder),
            (2, self.forbid),
            (1, self.special),
        ]
        if limited:
            kinds += [(1, self.fill_the_disk), (1, self.exhaust_watches)]
            self._watches = _WATCHES.read_text(encoding="ascii")
        self.watchable_since = -math.inf
        """When watches could be had again, in seconds of `time.monotonic`."""
        self._kinds = [kind for weight, kind in kinds for _ in range(weight)]

    def act(self):
        """Do something; what is impossible now, as on a full disk, is left."""
        kind = self._dice.choice(self._kinds)
        self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        with contextlib.suppress(OSError):
            kind()
        due = [harm for harm, (_, until) in self._undo.items() if time.monotonic() > until]
        for harm in due:
            self._relieve(harm)

    def calm(self):
        """Undo all that would go on to harm."""
        for harm in list(self._undo):
            self._relieve(harm)
        for root in (*self._roots, self._home):  # what was moved meanwhile is still forbidden
            self._permit(root)

    def _permit(self, path):
        if path.is_symlink():
            return
        is_folder = path.is_dir()
        path.chmod(0o755 if is_folder else 0o644)
        for inner in path.iterdir() if is_folder else ():
            self._permit(inner)

    def _relieve(self, harm):
        undo, _ = self._undo.pop(harm)
        with contextlib.suppress(OSError):
            undo()

    def _harm(self, name, undo):
        until = time.monotonic() + self._dice.uniform(0, LONGEST_HARM)
        self._undo[name] = undo, until

    # Places

    def _sessions(self):
        return self._dice.choice(self._roots) / ".radium" / "_internals" / "sessions"

    def _transcripts(self, root):
        return self._home / ".claude" / "projects" / root.name

    def _name(self):
        return f"s{self._dice.randrange(SESSIONS)}"

    def _file(self):
        """Some file that is there. Raises OSError where the folder is empty."""
        root = self._dice.choice(self._roots)
        folder = self._dice.choice([self._sessions(), self._transcripts(root)])
        there = sorted(folder.iterdir())
        if not there:
            raise FileNotFoundError(folder)
        return self._dice.choice(there)

    def _regular_file(self):
        """The same of files that can be written to: a pipe without a reader would be waited for."""
        file = self._file()
        if not file.is_file():
            raise FileNotFoundError(file)
        return file

    # Files

    def _content(self, name):
        made = json.loads(json.dumps(REPORT))
        end = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._dice.randrange(10**6))
        made["metrics"] |= {
            "session_id": name if self._dice.random() < 0.9 else self._name(),
            "end_time": end.isoformat(),
            "tool_calls": (calls := self._dice.randrange(100)),
            "successful_tool_calls": calls,
            "failed_tool_calls": 0,
        }
        made["generated_at"] = end.isoformat()
        return json.dumps(made, indent=2).encode()

    def report(self):
        folder, name = self._sessions(), self._name()
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{name}.tmp.1"
        temporary.write_bytes(self._content(name))
        temporary.replace(folder / f"{name}.json")

    def report_in_place(self):
        name = self._name()
        (self._sessions() / f"{name}.json").write_bytes(self._content(name))

    def transcript(self):
        root, name = self._dice.choice(self._roots), self._name()
        session = f"{root.name}-{name}"
        path = self._transcripts(root) / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        count = self._written[path] = self._written.get(path, 0) % ANSWERS + 1
        number = 1_000 * (self._roots.index(root) * SESSIONS + int(name[1:])) + count
        line = json.dumps({**json.loads(answer(number, session)), "cwd": str(root)}).encode()
        with path.open("wb" if count == 1 else "ab") as file:
            file.write(line + b"\n")

    def corrupt(self):
        path = self._regular_file()
        if self._dice.random() < 0.5:
            path.write_bytes(self._dice.choice(BAD))
        else:
            os.truncate(path, self._dice.randrange(path.stat().st_size + 1))

    def rename(self):
        """Of a report: a transcript by two names would tell its session twice, also once gone."""
        path = self._dice.choice(sorted(self._sessions().glob("s*.json")) or [self._home / "none"])
        path.replace(path.with_name(f"{self._name()}{path.suffix}"))

    def delete(self):
        self._file().unlink()

    def special(self):
        """A pipe, a folder or a link to itself among the files, which others write to."""
        file = self._file()
        path = file.with_name(f"special{file.suffix}")
        kind = self._dice.randrange(3)
        if kind == 0:
            os.mkfifo(path)
        elif kind == 1:
            path.mkdir()
        else:
            path.symlink_to(path.name)
        self._harm(path, lambda: path.rmdir() if kind == 1 else path.unlink())

    def step_the_clock(self):
        """A file is from long ago or from the future."""
        moment = self._dice.choice([0, 1, 10**9, 2 * 10**9, 4 * 10**9])
        os.utime(self._file(), (moment, moment))

    # Folders

    def replace_folder(self):
        """A copy takes the place of a folder, as in a restore."""
        folder = self._dice.choice([self._sessions(), self._sessions().parents[1]])
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        folder.rename(folder.with_name("old"))
        copy.rename(folder)
        shutil.rmtree(folder.with_name("old"))

    def delete_folder(self):
        root = self._dice.choice(self._roots)
        folder = self._dice.choice([self._sessions(), root / ".radium", self._transcripts(root)])
        shutil.rmtree(folder)

    def forbid(self):
        path = self._dice.choice([self._file(), self._file().parent])
        mode = 0o755 if path.is_dir() else 0o644
        path.chmod(0)
        self._harm(path, lambda: path.chmod(mode))

    # The machine

    def fill_the_disk(self):
        filler = self._home / "filler"
        self._harm("disk", lambda: filler.unlink(missing_ok=True))
        with filler.open("wb") as file:
            while file.tell() < _MOST:
                file.write(b"\0" * 65_536)
                file.flush()

    def exhaust_watches(self):
        self._harm("watches", self._restore_watches)
        _WATCHES.write_text("1", encoding="ascii")

    def _restore_watches(self):
        _WATCHES.write_text(self._watches, encoding="ascii")
        self.watchable_since = time.monotonic()
