"""Prices that were looked up are found again without the price list."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from rad_lsp.core.price import Override
from rad_lsp.store.index import FILE
from rad_lsp.store.prices import KnownPrices


class Counted:
    """A price list that counts what is looked up in it."""

    def __init__(self, listed):
        self._listed = listed
        self.key = listed.key
        self.span = listed.span
        self.looked_up = 0

    def price(self, model, engine, slot, tier=""):
        self.looked_up += 1
        return self._listed.price(model, engine, slot, tier)


@pytest.fixture
def listed(price_list):
    """Makes price lists in which `m` has a price."""
    return lambda key="1", **rates: Counted(price_list(key, **rates))


def test_a_price_is_looked_up_once_by_all_processes(machine, listed):
    first = machine()
    prices = KnownPrices(first.index, listed())
    looked_up = prices.price("m", "", 5), prices.price("unheard-of", "", 5)
    with first.index.writing() as db:
        prices.save(db)
    first.close()
    again = listed()
    known = KnownPrices(machine().index, again)
    assert (known.price("m", "", 5), known.price("unheard-of", "", 5)) == looked_up
    assert again.looked_up == 0
    assert not known.has_new


def test_another_list_is_looked_up_anew(machine, listed):
    first = machine()
    prices = KnownPrices(first.index, listed())
    prices.price("m", "", 5)
    with first.index.writing() as db:
        prices.save(db)
    dearer = KnownPrices(first.index, listed("2", m=3.0))
    price = dearer.price("m", "", 5)
    assert price
    assert price.rates[0].input == 3.0


def test_a_users_own_price_is_not_remembered(machine, listed):
    found = machine()
    own = KnownPrices(found.index, listed(m=9.0), {"M": Override(9.0, 9.0)})
    assert own.price("m", "", 5)
    assert not own.has_new


def test_what_a_command_looks_up_is_remembered_when_it_ends(machine, tmp_path):
    found = machine()
    assert found.prices({}).price("claude-opus-4-6", "anthropic", 1_970_000)
    found.close()
    with closing(sqlite3.connect(tmp_path / "data" / FILE)) as db:
        assert db.execute("SELECT model FROM price").fetchall() == [("claude-opus-4-6",)]


def test_the_end_of_a_command_waits_for_no_other_process(machine, tmp_path):
    found = machine()
    found.prices({}).price("claude-opus-4-6", "anthropic", 1_970_000)
    with closing(sqlite3.connect(tmp_path / "data" / FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        found.close()
    with closing(sqlite3.connect(tmp_path / "data" / FILE)) as db:
        assert db.execute("SELECT count(*) FROM price").fetchone() == (0,)
