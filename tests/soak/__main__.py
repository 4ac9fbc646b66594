"""`python -m tests.soak --minutes 60`: a server in disorder, and whether it is right afterwards.

Where the system has `unshare` and `setpriv` and lets us use them, it runs in namespaces of its own:
with a small disk to be filled, a number of watches to be exhausted, and permissions that hold also
for root. Nothing of that is left when it ends, however it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import faulthandler
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.client import Client
from tests.soak.disorder import Disorder

WARM = 0.5
"""The part of the time after which the server has grown as much as it may."""

HANGS = 300
"""Seconds that the end of a soak takes at most."""

GROWTH = 1.05
SETTLED = 90
"""Seconds after which the answers must be right: a watch is tried again after 30."""

WATCHED = 33
"""Seconds after which the server watches again, once it can: it tries after 30."""

APART = "RAD_LSP_SOAK_APART"
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "--")
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    given = parser.parse_args()
    if APART not in os.environ:
        apart = can_be_apart()
        again = [sys.executable, "-m", "tests.soak"]
        again += ["--minutes", str(given.minutes), "--seed", str(given.seed)]
        command = [*UNSHARE, *BOUND, *again] if apart else again
        sys.exit(
            subprocess.run(command, env={**os.environ, APART: str(apart)}, check=False).returncode
        )
    limited = os.environ[APART] == "True"
    say(f"Seed: {given.seed}; {'a small disk and few watches' if limited else 'no namespaces'}")
    # A soak that hangs tells where, and ends.
    faulthandler.dump_traceback_later(120 * given.minutes + HANGS, exit=True)
    base = Path(tempfile.mkdtemp(prefix="rad-lsp-soak-"))
    if limited:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", base], check=True)
    try:
        soak(base, random.Random(given.seed), 60 * given.minutes, limited=limited)  # noqa: S311
    finally:
        if limited:
            subprocess.run(["umount", "--lazy", base], check=True)
        shutil.rmtree(base, ignore_errors=True)


def can_be_apart():
    """Whether this system lets us have namespaces of our own."""
    command = [*UNSHARE, *BOUND, "sh", "-c", 'mount -t tmpfs none "$0"', tempfile.gettempdir()]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def soak(base, dice, seconds, *, limited):
    roots = [base / f"root{number}" for number in range(3)]
    home = base / "home"
    for folder in (*roots, home):
        folder.mkdir()
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {**os.environ, **dict.fromkeys(names, str(home))}
    disorder = Disorder(dice, roots, home, limited=limited)
    client = Client(dice, roots, environment)
    try:
        go_on(disorder, client, dice, WARM * seconds)
        warm = measured(disorder, client)
        say(f"Warm: {warm}")
        go_on(disorder, client, dice, (1 - WARM) * seconds)
        end = measured(disorder, client)
        say(f"At the end: {end}")
        for root in roots:
            settles(lambda root=root: agrees(client, root, environment, base))
        replies = client.replies_agree()
        say(f"{sum(disorder.done.values())} changes, {replies} replies: {disorder.done}")
        for name, before in warm.items():
            assert end[name] <= before * (GROWTH if name == "kB" else 1), (name, before, end[name])
        assert client.end() == 0
    finally:
        disorder.calm()
        client.kill()


def go_on(disorder, client, dice, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(dice.randrange(4)):
            disorder.act()
        for _ in range(dice.randrange(4)):
            client.act()
        time.sleep(dice.uniform(0, 0.03))


def measured(disorder, client):
    """What the process holds once it has come to rest: memory, handles and threads."""
    disorder.calm()
    client.close_documents()
    client.replies_agree()
    client.fill_pools()
    client.replies_agree()
    time.sleep(max(5, disorder.watchable_since + WATCHED - time.monotonic()))
    client.hear()
    process = Path("/proc", str(client.process_id))
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines()
    )
    return {
        "kB": int(status["RssAnon"].split()[0]),
        "handles": len(list((process / "fd").iterdir())),
        "threads": int(status["Threads"]),
    }


def settles(check):
    """Wait until a check holds."""
    end = time.monotonic() + SETTLED
    while True:
        try:
            check()
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return


def agrees(client, root, environment, base):
    """The server's answers on a root are those of a command that reads all files anew."""
    history = [
        row
        for offset in range(0, 10_000, 100)
        for row in client.ask("stats/history", root, limit=100, offset=offset)["sessions"]
    ]
    deleted = {row["sessionId"] for row in history if row.get("deleted")}
    ours = rows(client.ask("stats/export", root, format="csv")["content"])
    fresh = Path(tempfile.mkdtemp(dir=base))
    command = [sys.executable, "-m", "rad_lsp.cli", "stats", "export", "--format", "csv"]
    done = subprocess.run(
        command,
        cwd=root,
        env={**environment, "XDG_DATA_HOME": str(fresh)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    shutil.rmtree(fresh)
    theirs = rows(done.stdout)
    known = {name: row for name, row in ours.items() if name not in deleted}
    names = known.keys() | theirs.keys()
    wrong = {name: (known.get(name), theirs.get(name)) for name in names}
    wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"The server's and a fresh reading's: {wrong}"
    status = client.status(root)
    assert status["totals"]["sessions"] == len(ours) == len(history)
    costs = [row["cost"] for row in history if row["cost"] is not None]
    assert abs((status["totals"]["cost"] or 0) - sum(costs)) < 1e-6


def rows(content):
    return {row["session_id"]: row for row in csv.DictReader(io.StringIO(content))}


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


main()
