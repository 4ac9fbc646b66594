from __future__ import annotations

import uuid

import pytest

from rad_lsp.core.errors import BadSessionId
from rad_lsp.tracking import ids

BAD = [
    "",
    "a/b",
    "../escape",
    "..",
    "a..b",
    ".hidden",
    "a\\b",
    "C:\\x",
    "a:stream",
    "nul\0l",
    "x" * 300,
    "CON",
    "con",
    "nul.txt",
    "Com1.json",
    "lpt9",
    "AUX.",
    "dot.",
    "space ",
    " space",
    "new\nline",
    "\x1b[2J",
    "-rf",
    "naïve",
    "*",
    "latest",
]


@pytest.mark.parametrize("session_id", BAD)
def test_an_id_that_is_no_file_name_everywhere_is_refused_in_one_line(session_id):
    with pytest.raises(BadSessionId) as caught:
        ids.check(session_id)
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith(" Choose another, or leave it out.")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("session_id", ["a", "x" * 128, "2025-12-07_fix.tests", "console", "com10"])
def test_other_ids_are_taken(session_id):
    ids.check(session_id)


def test_a_new_id_is_a_uuid():
    assert uuid.UUID(ids.new()).version == 4
    ids.check(ids.new())


@pytest.mark.parametrize("session_id", BAD)
def test_a_recorder_with_a_bad_id_makes_nothing(recorder, tmp_path, session_id):
    with pytest.raises(BadSessionId):
        recorder(session_id=session_id)
    assert list(tmp_path.iterdir()) == []
