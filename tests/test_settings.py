"""Settings: which wins, and that every wrong key is named."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from rad_lsp import settings
from rad_lsp.core.budget import Budget, ProjectBudget
from rad_lsp.core.errors import BadSettings
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices
from rad_lsp.settings import Loaded, Settings, StatusSettings

PRICE = "[prices.'gpt-5']\ninput = 1\noutput = 2\n"

WRONG_ANYWHERE = [
    ("nope = 1", "unknown field `nope`"),
    ("[server]\npath = '/bin/sh'", "unknown field `server`"),
    ("timezone = 5", "timezone: "),
    ("timezone = 'Mars'", "timezone: 'Mars' is not an IANA time zone"),
    ("timezone = ''", "timezone: '' is not an IANA time zone"),
    ("timezone = '../passwd'", "timezone: "),
    ("timezone = 'Europe'", "timezone: "),
    ("budget = 5", "budget: Expected `object`"),
    ("[budget]\nday = -1", "budget.day: "),
    ("[budget]\nday = 'much'", "budget.day: "),
    ("[budget]\nday = nan", "budget.day: "),
    ("[budget]\nday = true", "budget.day: .*got `bool`"),
    ("[budget]\nyear = 1", "budget: Object contains unknown field `year`"),
    ("not toml", "line 1"),
    ("a = " + "[" * 20_000, "it is nested too deeply"),
    ("a." * 30_000 + "a = 1", "it is nested too deeply"),
    ("#" * 65_537, "it has more than 65,536 bytes"),
]
"""What is wrong in a workspace's file as well as in the user's."""


@pytest.fixture
def load(workspace):
    """The values of the settings in force in the workspace."""
    return lambda nearest=None: settings.load(workspace.root, nearest or {}, "flags").values


def test_without_files_there_are_defaults(load):
    assert load() == Settings()
    assert settings.load(None, {}, "flags") == Loaded(Settings())
    assert load().zone is None
    assert load().status.format == "{cost} · {success_rate}"


def test_the_nearest_wins(load, user_settings, workspace_settings):
    user_settings('timezone = "UTC"\n[status]\nformat = "{cost}"\n[budget]\nday = 30\nweek = 90')
    assert load().timezone == "UTC"
    workspace_settings('timezone = "Europe/Berlin"\n[budget]\nday = 20.5')
    assert load() == Settings(
        timezone="Europe/Berlin",
        status=StatusSettings("{cost}"),
        budget=Budget(day=20.5, week=90),
    )
    assert load({"timezone": "Asia/Tokyo", "budget": {"week": 0, "day": 500}}) == Settings(
        timezone="Asia/Tokyo",
        status=StatusSettings("{cost}"),
        budget=Budget(day=500, week=0),
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("sources", "sources = []"),
        ("sources", "sources = 5"),
        ("sources", "sources = ['nobody']"),
        ("status", "status.format = ''"),
        ("status", "status = true"),
        ("status", "[status]\nformat = '{cost.__class__}'\nnope = 1"),
        ("prices", "[prices.gpt-5]\ninput = 0\noutput = 0"),
        ("prices", "prices = 'free'"),
        ("prices", "[[prices]]\na = nan"),
        ("budget.day", "budget.day = 11"),
        ("budget.day", "budget.day = inf"),
        ("budget.warn_at", "budget.warn_at = []"),
        ("budget.warn_at, budget.projects", "budget.warn_at = 5\nbudget.projects = 5"),
        ("budget.projects", "[budget.projects.other]\nday = 0"),
    ],
)
def test_what_a_workspace_may_not_set_is_ignored_and_named(
    workspace, user_settings, workspace_settings, key, text
):
    user = user_settings(f"sources = ['radium']\nbudget.day = 10\n{PRICE}")
    before = settings.load(workspace.root, {}, "flags")
    own = workspace_settings(text)
    found = settings.load(workspace.root, {}, "flags")
    assert found.values == before.values
    assert found.told() == before.told()
    assert before.ignored == ""
    assert found.ignored == (
        f"{own}: {key} ignored. A workspace sets only the time zone and stricter budgets; "
        f"the rest belongs in {user}"
    )


def test_what_a_workspace_may_set_counts_beside_what_it_may_not(workspace, workspace_settings):
    own = workspace_settings('timezone = "UTC"\nsources = []\nprices = 1\nbudget.week = 5')
    found = settings.load(workspace.root, {}, "flags")
    assert found.values == Settings(timezone="UTC", budget=Budget(week=5))
    assert found.ignored.startswith(f"{own}: sources, prices ignored. ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget.warn_at = 80", "budget.warn_at: Expected `array`"),
        ("budget.warn_at = [0]", r"budget.warn_at\[0\]: Expected `float` > 0"),
        ("budget.warn_at = [1001]", r"budget.warn_at\[0\]: "),
        ("budget.warn_at = [nan]", r"budget.warn_at\[0\]: "),
        ("budget.warn_at = [1,2,3,4,5,6,7,8,9,10,11]", "budget.warn_at: "),
        ("[budget.projects.a]\nsession = 1", 'budget.projects."a": .* unknown field `session`'),
        ("[budget.projects]\nb.day = 1\na.day = -1", 'budget.projects."a".day: '),
        ("budget.projects.a = 5", 'budget.projects."a": '),
    ],
)
def test_what_is_wrong_with_thresholds_and_projects_is_named(load, user_settings, text, said):
    user_settings(text)
    with pytest.raises(BadSettings, match=said):
        load()


def test_budgets_of_projects_are_merged_by_their_keys(workspace, user_settings):
    user_settings("[budget.projects.a]\nday = 1\nmonth = 5\n[budget.projects.prices]\nday = 9")
    nearest = {"budget": {"warn_at": [50.5], "projects": {"a": {"day": 2}, "b": {"week": 3}}}}
    found = settings.load(workspace.root, nearest, "flags")
    assert found.values.budget == Budget(
        warn_at=(50.5,),
        projects={
            "a": ProjectBudget(day=2, month=5),
            "prices": ProjectBudget(day=9),
            "b": ProjectBudget(week=3),
        },
    )
    assert found.origins["budget.projects.a.day"] == "flags"
    assert found.origins["budget.projects.a.month"] == str(settings.user_file())


def test_a_workspace_may_make_budgets_stricter_only(workspace, user_settings, workspace_settings):
    user_settings("[budget]\nsession = 5\nday = 20\nweek = 80\n")
    workspace_settings("[budget]\nsession = 6\nday = 20\nweek = 79.5\nmonth = 1e9\n")
    found = settings.load(workspace.root, {}, "flags")
    assert found.values.budget == Budget(session=5, day=20, week=79.5, month=1e9)
    assert ": budget.session ignored. " in found.ignored


def test_a_workspace_whose_file_is_the_users_own_may_set_all(workspace, user_settings):
    user = user_settings(f"sources = ['radium']\nbudget.day = 10\n{PRICE}")
    (workspace.root / settings.WORKSPACE_FILE).symlink_to(user)
    found = settings.load(workspace.root, {}, "flags")
    assert (found.values.sources, found.ignored) == (("radium",), "")
    assert found.told() == [f"{user}: sources, budget.day, prices.gpt-5"]


def test_each_origin_is_told_with_what_it_set(workspace, user_settings, workspace_settings):
    assert settings.load(workspace.root, {}, "flags").told() == []
    user = user_settings('timezone = "UTC"\nbudget.day = 2\nbudget.week = 3\nsources = []')
    own = workspace_settings('timezone = "Asia/Tokyo"\n[budget]\nday = 1\n')
    found = settings.load(workspace.root, {"sources": ["radium"], "budget": {"week": 9}}, "flags")
    assert found.told() == [f"{own}: timezone, budget.day", "flags: budget.week, sources"]
    found = settings.load(workspace.root, {"status": {"format": "{cost}"}}, "flags")
    assert found.told() == [
        f"{own}: timezone, budget.day",
        f"{user}: budget.week, sources",
        "flags: status.format",
    ]


def test_what_is_told_of_origins_is_printable_and_short(user_settings, tmp_path):
    prices = "".join(
        f'[prices."\\u001b{n}{"x" * 500}"]\ninput = 1\noutput = 1\n' for n in range(90)
    )
    user_settings(prices)
    root = tmp_path / "a\x1b\u202eb"
    (root / ".radium").mkdir(parents=True)
    (root / settings.WORKSPACE_FILE).write_text('timezone = "UTC"')
    told = settings.load(root, {}, "flags").told()
    assert len(told) == 2
    assert all(line.isprintable() and len(line) < 10_000 for line in told)


def test_a_price_is_in_dollars_per_million_tokens(load, user_settings):
    user_settings(
        '[prices."gpt-5"]\ninput = 1\noutput = 10.5\ncache_read = 0.1\n'
        "cache_write_5m = 1.25\ncache_write_1h = 2\n[prices.local]\ninput = 0\noutput = 0\n"
    )
    assert load().prices == {
        "gpt-5": Override(1, 10.5, 0.1, 1.25, 2),
        "local": Override(0, 0),
    }


def test_a_nearer_price_takes_no_rate_from_a_farther_one(load, user_settings):
    user_settings(
        "[prices.a]\ninput = 1\noutput = 1\ncache_read = 1\n[prices.b]\ninput = 2\noutput = 2"
    )
    assert load().prices["a"] == Override(1, 1, 1)
    editor = {"prices": {"a": {"input": 3, "output": 3}}}
    assert load(editor).prices == {"a": Override(3, 3), "b": Override(2, 2)}


def test_the_nearest_price_wins_whatever_the_case(load, user_settings):
    user_settings("[prices.GPT-5]\ninput = 1\noutput = 1\n")
    editor = {"prices": {"gpt-5": {"input": 3, "output": 3}}}
    found = Prices(load(editor).prices).price("Gpt-5", "", 0)
    assert found
    assert found.rates[0].input == 3


def test_outside_a_workspace_the_users_file_counts(user_settings):
    user_settings('timezone = "Europe/Berlin"')
    assert settings.load(None, {}, "flags").values.zone == ZoneInfo("Europe/Berlin")


def test_the_sources_are_a_list(load, user_settings):
    user_settings('sources = ["radium"]')
    assert load().sources == ("radium",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sources = 'radium'", "sources: "),
        ("sources = [1]", r"sources\[0\]: "),
        ("sources = ['emacs']", "sources: 'emacs' is no source; known are radium"),
        ("status = 5", "status: "),
        ("[status]\nnope = 1", "status: Object contains unknown field `nope`"),
        ("[status]\nformat = 5", "status.format: "),
        ("[status]\nformat = '{joy}'", r"status.format: \{joy\} is no figure; known are cost, "),
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
        *WRONG_ANYWHERE,
    ],
)
def test_what_is_wrong_in_the_users_file_is_named_with_its_key(load, user_settings, text, says):
    file = user_settings(text)
    with pytest.raises(BadSettings, match=rf"config\.toml: .*{says}") as raised:
        load()
    assert raised.value.data["origin"] == str(file)


@pytest.mark.parametrize(("text", "says"), WRONG_ANYWHERE)
def test_what_is_wrong_in_a_workspace_is_named_with_its_key(load, workspace_settings, text, says):
    file = workspace_settings(text)
    with pytest.raises(BadSettings, match=rf"rad-lsp\.toml: .*{says}") as raised:
        load()
    assert raised.value.data["origin"] == str(file)


def test_a_wrong_file_is_named_even_when_something_nearer_wins(load, workspace_settings):
    workspace_settings("timezone = 'Mars'")
    with pytest.raises(BadSettings, match=r"rad-lsp\.toml: timezone"):
        load({"timezone": "UTC"})


def test_a_wrong_flag_is_named_by_where_it_comes_from(load):
    with pytest.raises(BadSettings, match=r"^flags: timezone: 'Mars' is not an IANA time zone"):
        load({"timezone": "Mars"})


@pytest.mark.parametrize(
    "text",
    [
        '"a\\u001b[2J\\n" = 1',
        f'"{"x" * 60_000}" = 1',
        f'timezone = "{"x" * 60_000}"',
        'timezone = "' + r"\u202e" * 9_000 + '"',
        'budget."' + r"\u001b" * 9_000 + '" = 1',
        f'budget.day = "{"x" * 60_000}"',
        '"a\u202e\u009b = 1',
    ],
    ids=["escape", "long key", "long zone", "marks", "escapes", "long budget", "raw"],
)
def test_an_error_about_settings_is_one_short_line(load, workspace_settings, text):
    workspace_settings(text)
    with pytest.raises(BadSettings) as raised:
        load()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 10_000


def test_a_file_that_is_not_utf8_is_named(load, workspace):
    (workspace.root / settings.WORKSPACE_FILE).write_bytes(b'timezone = "\xff"')
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
