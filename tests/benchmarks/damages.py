"""Random damage to the index: wrong figures and errors among so many attacks."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path

from tests.benchmarks.measure import report
from tests.store import damages

TIMES = 300


def attacks(first=0, count=TIMES):
    """Prints the seeds of the attacks that go wrong, and how."""
    wrong = 0
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            try:
                damages.attack(Path(folder), seed)
            except Exception:  # noqa: BLE001  (each is a fault)
                wrong += 1
                print(f"seed {seed}")
                traceback.print_exc(limit=-4)
    report(f"wrong figures or errors after {count} damages of the index", f"{wrong}", "0")
