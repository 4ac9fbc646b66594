"""Whatever comes in, nothing breaks: see `targets`, and `python -m tests.fuzz` for hours of it."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.dice import Dice
from tests.fuzz.targets import TARGETS, run


@pytest.mark.parametrize("name", TARGETS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(choices=st.binary(max_size=80))
def test_nothing_that_comes_in_breaks_anything(name, tmp_path, choices):
    run(TARGETS[name], Dice(choices), tmp_path / uuid.uuid4().hex)
