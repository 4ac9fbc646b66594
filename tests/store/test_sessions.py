"""Which copies and files count does not depend on when they are read."""

from __future__ import annotations

from itertools import permutations

import pytest


def read_in_order(home, indexed, files, order):
    """The sessions of an index that reads the files one by one."""
    found = indexed(memory=True)
    for name in order:
        home.claude(name, *files[name])
        found.update()
    sessions = found.sessions()
    for name in order:
        (home.projects / f"{name}.jsonl").unlink()
    return sessions


@pytest.mark.parametrize("output", [10, 11])
def test_the_order_of_reading_makes_no_difference(home, claude, indexed, output):
    files = {
        "a": claude.answers(1, 2),
        "b": [*claude.answers(1, 2, 3, session="b"), claude.answer(2, "b", output=output)],
        "c": claude.answers(2, 4, session="c"),
    }
    made = [read_in_order(home, indexed, files, order) for order in permutations(files)]
    assert all(sessions == made[0] for sessions in made)


def test_the_copy_with_most_output_counts(home, claude, indexed):
    home.claude("a", claude.answer(1, output=23, stop=None))
    home.claude("b", claude.answer(1, "b", output=90_043), claude.answer(2, "b"))
    found = indexed()
    sessions = found.update()
    assert found.requests() == {"a": 0, "b": 2}
    assert found.tokens() == (200, 90_053)
    assert sessions["b"].money.lower_bound == 0


def test_of_equal_copies_that_of_the_session_that_ended_first_counts(home, claude, indexed):
    a = home.claude("a", claude.answer(1), claude.answer(5))
    home.claude("b", claude.answer(1, "b"), claude.answer(7, "b"))
    found = indexed()
    found.update()
    assert found.requests() == {"a": 2, "b": 1}
    home.append(a, claude.answer(9))
    found.update()
    assert found.requests() == {"a": 2, "b": 2}
    assert found.sessions() == indexed(memory=True).update()


def test_a_copy_in_the_same_files_second_session_counts_once(home, claude, indexed):
    home.claude("a", claude.answer(1), claude.answer(1, "b"), claude.answer(2, "b"))
    found = indexed()
    found.update()
    assert sum(found.requests().values()) == 2


def test_what_counts_is_stored_with_the_sums(home, claude, indexed):
    home.claude("a", *claude.answers(1, 2))
    home.claude("b", *claude.answers(1, 2, 3, session="b"))
    found = indexed()
    found.update()
    db = found.index.connection
    assert db.execute("SELECT count(*), sum(counts) FROM request").fetchone() == (5, 3)
    assert db.execute("SELECT sum(requests) FROM usage").fetchone() == (3,)
