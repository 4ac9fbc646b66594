"""`python -m tests.crash SCENARIO FOLDER`: prints at how many steps it was killed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.crash.scenarios import SCENARIOS
from tests.crash.steps import kill_at_each

killed = kill_at_each(SCENARIOS[sys.argv[1]], Path(sys.argv[2]))
sys.stdout.write(f"{killed}\n")
