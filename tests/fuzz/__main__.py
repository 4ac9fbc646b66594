"""Fuzz one target for some minutes: `python -m tests.fuzz transcripts --minutes 60`.

With atheris installed (`pip install atheris`), its choices are led by what they cover; else they
are random. What is found stays in a file, which `--choices FILE` runs again.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

atheris: Any = None
with contextlib.suppress(ImportError):
    atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["rad_lsp"]) if atheris else contextlib.nullcontext():
    from tests.fuzz.dice import Dice
    from tests.fuzz.targets import TARGETS, run


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))  # noqa: S311
    parser.add_argument("--choices", type=Path, metavar="FILE")
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp()) / "place"
    target = TARGETS[given.target]

    def once(choices):
        run(target, Dice(choices), place)

    if given.choices:
        once(given.choices.read_bytes())
    elif atheris is None:
        at_random(once, given)
    else:
        seconds = int(60 * given.minutes)
        limits = [f"-max_total_time={seconds}", f"-seed={given.seed}", "-max_len=120"]
        atheris.Setup([sys.argv[0], *limits], once)
        atheris.Fuzz()


def at_random(once, given):
    dice = random.Random(given.seed)  # noqa: S311
    sys.stdout.write(f"Seed: {given.seed}\n")
    end = time.monotonic() + 60 * given.minutes
    count = 0
    while time.monotonic() < end:
        choices = dice.randbytes(dice.randrange(120))
        count += 1
        try:
            once(choices)
        except BaseException:
            found = Path(f"crash-{choices.hex()[:16]}")
            found.write_bytes(choices)
            sys.stdout.write(f"Found after {count}: {found}\n")
            raise
    sys.stdout.write(f"Nothing found in {count}\n")


main()
