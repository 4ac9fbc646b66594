"""Settings: which wins, and that every wrong key is named."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from rad_lsp import settings
from rad_lsp.core.budget import Budget
from rad_lsp.core.errors import BadSettings
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices
from rad_lsp.settings import Settings, StatusSettings

PRICE = "[prices.'gpt-5']\ninput = 1\noutput = 2\n"


@pytest.fixture
def user():
    """Writes the user's settings file."""

    def write(text):
        file = settings.user_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def own(workspace):
    """Writes the workspace's settings file."""

    def write(text):
        file = workspace.root / ".radium" / "rad-lsp.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def load(workspace):
    """The settings in force in the workspace."""
    return lambda nearest=None: settings.load(workspace.root, nearest or {}, "flags")


def test_without_files_there_are_defaults(load):
    assert load() == Settings()
    assert settings.load(None, {}, "flags") == Settings()
    assert load().zone is None
    assert load().status.format == "{cost} · {success_rate}"


def test_the_nearest_wins(load, user, own):
    user('timezone = "UTC"\n[status]\nformat = "{cost}"\n[budget]\nday = 1\nweek = 2')
    assert load().timezone == "UTC"
    own('timezone = "Europe/Berlin"\n[budget]\nday = 20.5')
    assert load() == Settings(
        timezone="Europe/Berlin",
        status=StatusSettings("{cost}"),
        budget=Budget(day=20.5, week=2),
    )
    assert load({"timezone": "Asia/Tokyo", "budget": {"week": 0}}) == Settings(
        timezone="Asia/Tokyo",
        status=StatusSettings("{cost}"),
        budget=Budget(day=20.5, week=0),
    )


def test_a_price_is_in_dollars_per_million_tokens(load, own):
    own(
        '[prices."gpt-5"]\ninput = 1\noutput = 10.5\ncache_read = 0.1\n'
        "cache_write_5m = 1.25\ncache_write_1h = 2\n[prices.local]\ninput = 0\noutput = 0\n"
    )
    assert load().prices == {
        "gpt-5": Override(1, 10.5, 0.1, 1.25, 2),
        "local": Override(0, 0),
    }


def test_a_nearer_price_takes_no_rate_from_a_farther_one(load, user, own):
    user("[prices.a]\ninput = 1\noutput = 1\ncache_read = 0.5\n[prices.b]\ninput = 2\noutput = 2\n")
    assert load().prices["a"] == Override(1, 1, 0.5)
    own("[prices.a]\ninput = 3\noutput = 3\n")
    assert load().prices == {"a": Override(3, 3), "b": Override(2, 2)}


def test_the_nearest_price_wins_whatever_the_case(load, user, own):
    user("[prices.GPT-5]\ninput = 1\noutput = 1\n")
    own("[prices.gpt-5]\ninput = 3\noutput = 3\n")
    found = Prices(load().prices).price("Gpt-5", "", 0)
    assert found
    assert found.rates[0].input == 3


def test_outside_a_workspace_the_users_file_counts(user):
    user('timezone = "Europe/Berlin"')
    assert settings.load(None, {}, "flags").zone == ZoneInfo("Europe/Berlin")


def test_the_sources_are_a_list(load, own):
    own('sources = ["radium"]')
    assert load().sources == ("radium",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nope = 1", "unknown field `nope`"),
        ("[status]\nnope = 1", "status: Object contains unknown field `nope`"),
        ("[server]\npath = '/bin/sh'", "unknown field `server`"),
        ("timezone = 5", "timezone: "),
        ("timezone = 'Mars'", "timezone: 'Mars' is not an IANA time zone"),
        ("timezone = ''", "timezone: '' is not an IANA time zone"),
        ("timezone = '../passwd'", "timezone: "),
        ("timezone = 'Europe'", "timezone: "),
        ("sources = 'radium'", "sources: "),
        ("sources = [1]", r"sources\[0\]: "),
        ("sources = ['emacs']", "sources: 'emacs' is no source; known are radium"),
        ("status = 5", "status: "),
        ("[status]\nformat = 5", "status.format: "),
        ("[status]\nformat = '{joy}'", r"status.format: \{joy\} is no figure; known are cost, "),
        ("[budget]\nday = -1", "budget.day: "),
        ("[budget]\nday = 'much'", "budget.day: "),
        ("[budget]\nyear = 1", "budget: Object contains unknown field `year`"),
        ("prices = 5", "prices: Expected `object`"),
        ("[prices]\n'gpt-5' = 5", 'prices."gpt-5": Expected `object`'),
        ("[prices.'gpt-5']\ninput = 1", 'prices."gpt-5": .*missing required field `output`'),
        ("[prices.'gpt-5']\noutput = 1", 'prices."gpt-5": .*missing required field `input`'),
        (f"{PRICE}colour = 1", 'prices."gpt-5": .*unknown field `colour`'),
        (f"{PRICE}cache_read = -1", r'prices."gpt-5"\.cache_read: Expected `float` >= 0'),
        (f"{PRICE}cache_read = nan", r'prices."gpt-5"\.cache_read: '),
        (f"{PRICE}cache_write_5m = inf", r'prices."gpt-5"\.cache_write_5m: '),
        (f"{PRICE}cache_write_1h = 'much'", r'prices."gpt-5"\.cache_write_1h: .*got `str`'),
        (f"{PRICE}[prices.b]\ninput = true\noutput = 1", r'prices."b"\.input: .*got `bool`'),
        ("[budget]\nday = nan", "budget.day: "),
        ("not toml", "line 1"),
        ("a = " + "[" * 20_000, "it is nested too deeply"),
        ("a." * 30_000 + "a = 1", "it is nested too deeply"),
        ("#" * 65_537, "it has more than 65,536 bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(load, own, user, text, says):
    file = own(text)
    with pytest.raises(BadSettings, match=rf"rad-lsp\.toml: .*{says}") as raised:
        load()
    assert raised.value.data["origin"] == str(file)
    file.unlink()
    user(text)
    with pytest.raises(BadSettings, match=rf"config\.toml: .*{says}"):
        load()


def test_a_wrong_file_is_named_even_when_something_nearer_wins(load, own):
    own("timezone = 'Mars'")
    with pytest.raises(BadSettings, match=r"rad-lsp\.toml: timezone"):
        load({"timezone": "UTC"})


def test_a_wrong_flag_is_named_by_where_it_comes_from(load):
    with pytest.raises(BadSettings, match=r"^flags: timezone: 'Mars' is not an IANA time zone"):
        load({"timezone": "Mars"})


def test_an_error_about_settings_is_one_line(load, own):
    own('"a\\u001b[2J\\n" = 1')
    with pytest.raises(BadSettings) as raised:
        load()
    assert str(raised.value).isprintable()


def test_a_file_that_is_not_utf8_is_named(load, own):
    own("").write_bytes(b'timezone = "\xff"')
    with pytest.raises(BadSettings, match=r"rad-lsp\.toml"):
        load()


def test_a_folder_in_the_files_place_is_named(load, workspace):
    (workspace.root / ".radium" / "rad-lsp.toml").mkdir()
    with pytest.raises(BadSettings, match=r"rad-lsp\.toml"):
        load()


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("", []),
        ("plain", []),
        ("{cost} · {success_rate}", ["cost", "success_rate"]),
        ("{{cost}} {tokens}", ["tokens"]),
    ],
)
def test_the_figures_of_a_status_template(template, fields):
    assert settings.fields_of(template) == fields


@pytest.mark.parametrize(
    "template",
    [
        "{", "}", "{}", "{0}", "{joy}", "{cost.real}", "{cost[0]}", "{cost.__class__}", "{cost!r}",
        "{cost:>{wall_time}}", "{cost:10}", "{ cost}",
    ],
)  # fmt: skip
def test_a_status_template_reaches_nothing_else(template):
    with pytest.raises(ValueError, match=r"status\.format"):
        settings.fields_of(template)


@pytest.mark.parametrize("name", ["", "Mars", "Europe", "../x", "/etc/passwd", "a\0b", "x" * 9999])
def test_what_is_no_time_zone_is_refused(name):
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        settings.zone(name)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (None, {}),
        ([], {}),
        ({}, {}),
        ({"timezone": "", "sources": None, "statusBar": {"format": None}, "budget": {}}, {}),
        ({"timezone": "UTC", "server": {"path": "x"}}, {"timezone": "UTC"}),
        (
            {"statusBar": {"format": "{cost}", "visibility": "always"}},
            {"status": {"format": "{cost}"}},
        ),
        ({"budget": {"day": 0, "week": None}}, {"budget": {"day": 0}}),
        ({"statusBar": "x", "sources": ["radium"]}, {"sources": ["radium"]}),
    ],
)
def test_an_editors_settings_are_taken_where_they_are_set(sent, taken):
    assert settings.from_editor(sent) == taken
