"""Tables in the width that there is."""

from __future__ import annotations

import pytest

from rad_lsp.render.table import Column, cells, cut, laid_out

COLUMNS = (Column("Name", "<", 10), Column("Count", ">", 8, 1), Column("Note", "<", 0, 2))
ROWS = (("ab", "1", "first"), ("abcdef", "22", "second"))


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("\u540d\u524d", 4), ("e\u0301", 1), ("\U0001f600", 2)],
)
def test_wide_characters_take_two_cells(text, width):
    assert cells(text) == width


def test_without_a_limit_columns_have_their_least_widths_and_the_rule_its_own():
    table = laid_out(COLUMNS, ROWS, rule=30)
    assert table.lines == [
        "Name           Count  Note",
        "\u2500" * 30,
        "ab                 1  first",
        "abcdef            22  second",
    ]
    assert table.note == ""


def test_where_it_is_narrow_columns_lose_the_width_that_they_do_not_need():
    table = laid_out(COLUMNS, ROWS, rule=30, width=22)
    assert table.lines == [
        "Name    Count  Note",
        "\u2500" * 22,
        "ab          1  first",
        "abcdef     22  second",
    ]
    assert table.omitted == ()


def test_then_the_least_important_columns_give_way_and_are_named():
    table = laid_out(COLUMNS, ROWS, width=14)
    assert table.lines == ["Name    Count", "\u2500" * 13, "ab          1", "abcdef     22"]
    assert table.note == "Left out, for lack of width: Note."


def test_at_last_the_widest_text_is_cut():
    table = laid_out(COLUMNS, ROWS, width=5)
    assert table.lines == ["Name", "\u2500" * 5, "ab", "abcd\u2026"]
    assert table.omitted == ("Count", "Note")


@pytest.mark.parametrize("width", range(1, 40))
def test_no_line_is_wider_than_the_terminal_where_four_cells_a_column_fit(width):
    rows = [("\u540d\u524d" * 9, "1" * 9, "x" * 30)]
    table = laid_out(
        [Column("Name"), Column("Count"), Column("Note", gives_way=1)], rows, 50, width
    )
    assert all(cells(line) <= max(width, 10) for line in table.lines)


def test_a_wide_character_is_not_cut_in_two():
    assert cut("\u540d\u524d\u540d", 4) == "\u540d\u2026"
