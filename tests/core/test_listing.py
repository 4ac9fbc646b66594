"""The columns of a list of sessions, and its order, as a user names them."""

from __future__ import annotations

import pytest

from rad_lsp.core import listing
from rad_lsp.core.listing import Order


def test_columns_are_named_as_in_an_export():
    assert listing.columns("session_id, total_tokens,cost") == (
        "session_id",
        "total_tokens",
        "cost",
    )


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("cost", Order("cost", descending=True)),
        ("cost:asc", Order("cost", descending=False)),
        ("project", Order("project", descending=False)),
        ("project:desc", Order("project", descending=True)),
        ("start_time", Order("start_time", descending=True)),
    ],
)
def test_figures_begin_with_the_largest_and_texts_with_the_first(text, order):
    assert listing.order(text) == order


@pytest.mark.parametrize("text", ["", "session_id,", "a,cost", "Cost"])
def test_what_is_no_column_is_said_with_all_that_there_are(text):
    with pytest.raises(ValueError, match=r"is no column.* There are session_id, title, "):
        listing.columns(text)


def test_a_column_that_was_mistyped_is_suggested():
    with pytest.raises(ValueError, match=r"'tokens' is no column\. Did you mean 'total_tokens'"):
        listing.order("tokens")


@pytest.mark.parametrize("text", ["cost:up", "title", "cost:asc:asc"])
def test_what_is_no_order_is_refused(text):
    with pytest.raises(ValueError, match=r"is no "):
        listing.order(text)
