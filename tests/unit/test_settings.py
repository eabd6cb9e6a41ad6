"""The settings: who wins, what is refused, and in which words."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.credits import DEFAULT_PRICES
from filmgate.http.edition import CHOICES
from filmgate.http.edition import Edition as WireEdition
from filmgate.settings import Setting, Settings, SettingsError, edition_of_key, edition_switch, known, load
from filmgate.settings.names import distance

HOME = {"HOME": "/home/ada"}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return path


def value_of(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


DEFAULTS = {
    "data": Path("/home/ada/.local/share/filmgate"),
    "database_url": None,
    "storage_url": None,
    "public_url": None,
    "secret_key": None,
    "initial_api_key": None,
    "server.host": "127.0.0.1",
    "server.port": 8000,
    "server.trusted_proxies": (),
    "server.public_docs": True,
    "server.tls_cert": None,
    "server.tls_key": None,
    "server.head_timeout_s": 10.0,
    "server.body_timeout_s": 30.0,
    "server.max_connections": 4000,
    "server.answer_timeout_s": 60.0,
    "log.format": "text",
    "log.level": "info",
    "metrics.token": None,
    "otel.endpoint": None,
    "net.allow": (),
    "net.allow_private": False,
    "limits.creates_per_10s": 20,
    "limits.queue": 100_000,
    "limits.queue_per_account": 10_000,
    "limits.running_per_account": 0,
    "limits.queries_per_s": 10,
    "limits.free_disk_mib": 1024,
    "limits.start_within_s": 0,
    "limits.end_within_s": 0,
    "worker.lease_s": 30,
    "worker.heartbeat_s": 10,
    "worker.slots": 1,
    "worker.free_disk_mib": 100,
    "worker.drain_timeout_s": 30,
    "worker.render_timeout_s": 900,
    "worker.start_timeout_s": 300,
    "worker.silence_timeout_s": 300,
    "callbacks.schedule_s": (10, 60, 300),
    "callbacks.timeout_s": 15,
    "retention.media_s": 14 * 86400,
    "retention.order_keys_s": 86400,
    "retention.metadata_s": 61 * 86400,
    "retention.sweep_s": 60,
    "policy.enabled": True,
    "policy.rules": None,
    "policy.language": "any",
    "policy.translator": None,
    "policy.images": "auto",
    "media.upscale": "lanczos",
    "media.upscale_weights": None,
    "provenance.sign": False,
    "provenance.certificate": None,
    "provenance.key": None,
    "policy.image_threshold": 0.85,
    "policy.image_frames": 24,
    "uploads.keep_s": 3 * 86400,
    "uploads.account_mib": 5120,
    "links.download_s": 20 * 60,
    "edition.http_status": "envelope",
    "edition.callback_result_urls": "array",
    "edition.prompt_json": "string",
    "edition.times": "epoch_ms",
    "edition.top_level_result_urls": "json_string",
    "edition.default_model": "veo3_fast",
    "edition.preset": "default",
    "storyboard.processes": 0,
    "upgrades.price_1080p": 5,
    "upgrades.price_4k": 120,
}


def test_every_shipped_default_is_what_it_is_meant_to_be() -> None:
    settings = load(environ=HOME)
    assert {each.name: value_of(settings, each.name) for each in known()} == DEFAULTS
    assert set(settings.origins.values()) == {"default"}
    assert settings.warnings == ()


def test_the_models_are_the_three_public_ones_on_the_storyboard() -> None:
    settings = load(environ=HOME)
    assert {name: route.engines for name, route in settings.routes().items()} == {
        "veo3": ("storyboard",),
        "veo3_fast": ("storyboard",),
        "veo3_lite": ("storyboard",),
    }
    assert settings.prices() == DEFAULT_PRICES


def test_database_and_storage_lie_in_the_data_folder_unless_they_are_set() -> None:
    settings = load({"data": "/srv/films"}, HOME)
    assert settings.database == "sqlite:////srv/films/filmgate.db"
    assert settings.storage == "file:///srv/films/media"
    elsewhere = load(environ={**HOME, "FILMGATE_STORAGE_URL": "file:///mnt/media"})
    assert elsewhere.storage == "file:///mnt/media"


def test_the_data_folder_follows_xdg() -> None:
    assert load(environ={"XDG_DATA_HOME": "/xdg", **HOME}).data == Path("/xdg/filmgate")
    assert load(environ={"XDG_DATA_HOME": "relative", **HOME}).data == DEFAULTS["data"]


@pytest.mark.parametrize("above", ["default", "toml", "environment", "flag"])
def test_flag_beats_environment_beats_file_beats_default(above: str, tmp_path: Path) -> None:
    levels = ["default", "toml", "environment", "flag"]
    given_at = levels[1 : levels.index(above) + 1]
    path = toml(tmp_path, "server.port = 1111" if "toml" in given_at else "")
    environ = {"FILMGATE_SERVER__PORT": "2222"} if "environment" in given_at else {}
    flags = {"server.port": 3333} if "flag" in given_at else {"server.port": None}
    settings = load(flags, {**HOME, **environ}, path)
    assert settings.server.port == {"default": 8000, "toml": 1111, "environment": 2222, "flag": 3333}[above]
    origin = {"toml": f"{path}: server.port", "environment": "FILMGATE_SERVER__PORT", "flag": "flag --port"}
    assert settings.origins["server.port"] == origin.get(above, "default")


def test_the_file_in_the_working_folder_is_read_without_being_asked_for(tmp_path: Path) -> None:
    (tmp_path / "filmgate.toml").write_text("[worker]\nslots = 3\n")
    assert load(environ=HOME).worker.slots == 3


def test_a_variable_names_another_file(tmp_path: Path) -> None:
    path = toml(tmp_path, "public_url = 'https://films.example.org'")
    assert load(environ={**HOME, "FILMGATE_CONFIG": str(path)}).public_url == "https://films.example.org"


def test_lists_are_written_with_commas_in_the_environment_and_as_lists_in_the_file(tmp_path: Path) -> None:
    environ = {
        **HOME,
        "FILMGATE_CALLBACKS__SCHEDULE_S": "1, 2.5,3",
        "FILMGATE_NET__ALLOW": "10.0.0.0/8,hooks.example.org",
    }
    settings = load(environ=environ, toml=toml(tmp_path, 'server.trusted_proxies = ["10.0.0.1"]'))
    assert settings.callbacks.schedule_s == (1.0, 2.5, 3.0)
    assert settings.net.allow == ("10.0.0.0/8", "hooks.example.org")
    assert settings.server.trusted_proxies == ("10.0.0.1",)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load(environ={**HOME, "FILMGATE_PUBLIC_URL": "", "FILMGATE_SERVER__PORT": ""}).server.port == 8000


def test_paths_are_relative_to_the_file_that_names_them_or_else_to_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    path = toml(tmp_path / "etc", "data = 'films'")
    assert load(environ=HOME, toml=path).data == tmp_path / "etc" / "films"
    assert load({"data": "films"}, HOME, path).data == tmp_path / "films"


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    settings = load(environ={**HOME, "FILMGATE_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.secret_key == "k" * 40
    assert settings.origins["secret_key"] == f"FILMGATE_SECRET_KEY_FILE ({tmp_path / 'key'})"


def test_the_quickstart_preset_changes_callbacks_unless_the_switch_is_set() -> None:
    preset = {**HOME, "FILMGATE_EDITION__PRESET": "quickstart"}
    assert load(environ=preset).edition.callback_result_urls == "json_string"
    said = {**preset, "FILMGATE_EDITION__CALLBACK_RESULT_URLS": "array"}
    assert load(environ=said).edition.switches()["callback_result_urls"] == "array"


def test_a_switch_for_one_key_is_checked_as_the_setting_is() -> None:
    assert edition_switch("times=iso") == ("times", "iso")
    with pytest.raises(SettingsError, match="times is 'unix'; it must be epoch_ms or string or iso"):
        edition_switch("times=unix")
    with pytest.raises(
        SettingsError, match=r"'time=iso' is not a switch: write NAME=VALUE, NAME being one of http_status"
    ):
        edition_switch("time=iso")


def test_the_switches_of_a_key_are_checked_together_with_the_models(tmp_path: Path) -> None:
    settings = load(
        environ=HOME, toml=toml(tmp_path, "models.mine = { prices = { 720p = 1, 1080p = 1, 4k = 1, extend = 1 } }")
    )
    assert edition_of_key(["default_model=mine", "times=iso"], settings) == {"default_model": "mine", "times": "iso"}
    with pytest.raises(
        SettingsError, match="default_model is 'zzz'; it must be one of veo3, veo3_fast, veo3_lite, mine"
    ):
        edition_of_key(["default_model=zzz"], settings)


def test_the_switches_are_those_of_the_wire_format() -> None:
    settings = load(environ=HOME)
    switches = {
        each.name.removeprefix("edition."): each.default for each in known() if each.name.startswith("edition.")
    }
    assert switches == settings.edition.switches() == asdict(WireEdition())
    for name, choices in CHOICES.items():
        assert all(edition_switch(f"{name}={choice}") == (name, choice) for choice in choices)


def test_the_tree_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        load(environ=HOME).server.port = 1  # type: ignore[misc]


REFUSED = [
    (
        "FILMGATE_SERVER__PORT",
        "eighty",
        "FILMGATE_SERVER__PORT is 'eighty'; it must be a whole number from 0 to 65535.",
    ),
    ("FILMGATE_SERVER__PORT", "65536", "FILMGATE_SERVER__PORT is '65536'; it must be a whole number from 0 to 65535."),
    ("FILMGATE_SERVER__PUBLIC_DOCS", "maybe", "it must be true or false."),
    ("FILMGATE_SERVER__TRUSTED_PROXIES", "proxy", "it must be addresses or networks, such as 10.0.0.0/8."),
    ("FILMGATE_NET__ALLOW", "10.0.0.0/99", "it must be networks or host names"),
    ("FILMGATE_NET__ALLOW", "10.0.0.999", "it must be networks or host names"),
    ("FILMGATE_WORKER__LEASE_S", "0", "it must be a number of seconds above 0."),
    ("FILMGATE_WORKER__LEASE_S", "nan", "it must be a number of seconds above 0."),
    ("FILMGATE_WORKER__LEASE_S", "inf", "it must be a number of seconds above 0."),
    ("FILMGATE_WORKER__LEASE_S", "5", "worker.heartbeat_s (10) must be below worker.lease_s (5)"),
    ("FILMGATE_PUBLIC_URL", "http://[x", "it must be an address such as https://films.example.org."),
    ("FILMGATE_PUBLIC_URL", "http://a b", "it must be an address such as https://films.example.org."),
    ("FILMGATE_WORKER__SLOTS", "0", "it must be a whole number from 1 to 64."),
    ("FILMGATE_CALLBACKS__SCHEDULE_S", "10,-1", "it must be numbers of seconds above 0, such as 10,60,300."),
    ("FILMGATE_EDITION__TIMES", "unix", "it must be epoch_ms or string or iso."),
    ("FILMGATE_EDITION__DEFAULT_MODEL", "veo9", "it must be one of veo3, veo3_fast, veo3_lite."),
    ("FILMGATE_PUBLIC_URL", "films.example.org", "it must be an address such as https://films.example.org."),
    ("FILMGATE_PUBLIC_URL", "https://films.example.org:port", "it must be an address such as"),
    (
        "FILMGATE_DATABASE_URL",
        "mysql://x",
        "FILMGATE_DATABASE_URL is not acceptable; it must be an address such as sqlite",
    ),
    ("FILMGATE_DATABASE_URL", "postgresql+psycopg://x", "it must be an address such as sqlite"),
    ("FILMGATE_STORAGE_URL", "s3://films", "S3 storage cannot be used in this version yet"),
    ("FILMGATE_SERVER__TLS_CERT", "cert.pem", "server.tls_cert and server.tls_key go together"),
    ("FILMGATE_SECRET_KEY_FILE", "/nowhere/key", "FILMGATE_SECRET_KEY_FILE names /nowhere/key, which cannot be read"),
    ("FILMGATE_CONFIG", "/nowhere/f.toml", "There is no settings file /nowhere/f.toml"),
    ("FILMGATE_SERVER__PRT", "1", "FILMGATE_SERVER__PRT is no setting. Did you mean FILMGATE_SERVER__PORT?"),
    ("FILMGATE_NOGROUP__FIELD", "1", "FILMGATE_NOGROUP__FIELD is no setting."),
    ("FILMGATE_DATABSE_URL", "x", "FILMGATE_DATABSE_URL is no setting. Did you mean FILMGATE_DATABASE_URL?"),
    ("FILMGATE_DTAA", "x", "FILMGATE_DTAA is no setting. Did you mean FILMGATE_DATA?"),
    ("FILMGATE_SECRETKEY", "x", "FILMGATE_SECRETKEY is no setting. Did you mean FILMGATE_SECRET_KEY?"),
]


@pytest.mark.parametrize(("variable", "value", "sentence"), REFUSED)
def test_a_wrong_variable_is_refused_in_a_sentence(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ={**HOME, variable: value})
    assert sentence in str(refused.value)


def test_a_secret_is_never_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ={**HOME, "FILMGATE_SECRET_KEY": "tooshort"})
    assert str(refused.value) == "FILMGATE_SECRET_KEY is not acceptable; it must be at least 32 characters long."


REFUSED_FILES = [
    ("server.port = '80'", "server.port is '80'; it must be a whole number from 0 to 65535."),
    ("server.prot = 80", "has server.prot, which is no setting. Did you mean server.port?"),
    ("server = 80", "but [server] is a table of settings"),
    ("sever.port = 80", "has sever, which is no setting. Did you mean server?"),
    ("port", "is not valid TOML"),
    ("models = 3", "models are tables such as [models.veo3]"),
    ("models.veo3 = 3", "must be a table with the keys engine, fallback, options, prices"),
    ("models.veo3.engin = 'x'", "has engin, which is no setting. Did you mean engine?"),
    ("models.veo3.engine = 3", "is not usable: Expected `str`, got `int`"),
    ("models.veo3.prices.720p = -1", "prices.720p is -1; it must be 0 or more credits."),
    ("models.veo3.prices.721p = 1", "prices has 721p, which has no price. Did you mean 720p?"),
    (
        "models.veo3_fats.engine = 'x'",
        "needs prices for 720p, 1080p, 4k, extend: it is a model of your own. Did you mean veo3_fast?",
    ),
    ("models.Mine.engine = 'x'", "a model's name has small letters"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED_FILES)
def test_a_wrong_file_is_refused_in_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = toml(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        load(environ=HOME, toml=path)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_model_of_the_file_keeps_the_prices_that_it_does_not_name(tmp_path: Path) -> None:
    text = "[models.veo3]\nengine = 'diffusers'\nfallback = ['storyboard']\noptions.steps = 20\nprices = { 720p = 7 }"
    settings = load(environ=HOME, toml=toml(tmp_path, text))
    assert settings.routes()["veo3"].engines == ("diffusers", "storyboard")
    assert settings.routes()["veo3"].options == {"diffusers": {"steps": 20}}
    assert settings.prices()["veo3"] == {"720p": 7, "1080p": 255, "4k": 380, "4k_from_image": 370, "extend": 250}


@pytest.mark.parametrize(
    ("given", "prices"),
    [
        ("4k = 500", {"4k": 500}),  # from images too: nobody has said otherwise
        ("4k = 500, 4k_from_image = 400", {"4k": 500, "4k_from_image": 400}),
        ("4k_from_image = 1", {"4k": 380, "4k_from_image": 1}),
    ],
)
def test_a_new_price_of_4k_is_that_of_films_from_images_too(tmp_path: Path, given: str, prices: dict[str, int]) -> None:
    settings = load(environ=HOME, toml=toml(tmp_path, f"[models.veo3]\nprices = {{ {given} }}"))
    assert settings.prices()["veo3"] == {"720p": 250, "1080p": 255, "extend": 250} | prices
    assert settings.origins["models.veo3_fast"] == "default"


def test_the_processes_of_the_storyboard_are_an_option_of_its_engine() -> None:
    settings = load(environ={**HOME, "FILMGATE_STORYBOARD__PROCESSES": "3"})
    assert settings.routes()["veo3"].options == {"storyboard": {"processes": 3}}
    assert load(environ=HOME).routes()["veo3"].options == {"storyboard": {}}


@pytest.mark.parametrize(
    "name",
    [
        "FILMGATE_URL",
        "FILMGATE_API_KEY",
        "FILMGATE_TEST_X",
        "FILMGATE_TEST__X",
        "FILMGATE_PORT_8000_TCP",
        "FILMGATE_SERVICE_HOST",
    ],
)
def test_names_of_others_are_left_alone(name: str) -> None:
    assert load(environ={**HOME, name: "tcp://10.0.0.1:8000"}).warnings == ()


def test_a_name_that_nobody_knows_is_a_warning() -> None:
    warnings = load(environ={**HOME, "FILMGATE_SOMETHING_ELSE": "1"}).warnings
    assert warnings == ("FILMGATE_SOMETHING_ELSE is not a setting of Filmgate, and changes nothing.",)


words = st.text("ABC_", max_size=7)


@given(words, words)
def test_the_distance_is_one_between_names(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


@given(words, words, words)
def test_a_detour_is_never_shorter(one: str, over: str, other: str) -> None:
    assert distance(one, other) <= distance(one, over) + distance(over, other)


@given(st.sampled_from([each for each in known() if isinstance(each.default, float)]), st.floats(11, 29))
def test_numbers_come_through_the_environment_unchanged(setting: Setting, number: float) -> None:
    if setting.name == "worker.heartbeat_s":
        number = number / 3
    elif setting.name == "worker.lease_s":
        number = number + 1
    elif setting.name == "policy.image_threshold":
        number = number / 29
    settings = load(environ={**HOME, setting.variable: repr(number)})
    assert value_of(settings, setting.name) == number


def test_the_schedule_that_the_documentation_gives_for_a_day_lasts_a_day(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    example = page.split("## Receivers that are away for a day")[1].split("```toml")[1].split("```")[0]
    schedule = load(environ=HOME, toml=toml(tmp_path, example)).callbacks.schedule_s
    assert sum(schedule) == 86400
    assert list(schedule) == sorted(schedule)


def test_how_films_are_enlarged_reaches_who_enlarges_them(tmp_path: Path) -> None:
    text = '[media]\nupscale = "best"\nupscale_weights = "span.pth"'
    settings = load(environ=HOME, toml=toml(tmp_path, text))
    weights = str(tmp_path / "span.pth")
    assert settings.routes()["veo3"].options["upscale"] == {"way": "best", "weights": weights}
    with pytest.raises(SettingsError, match="lanczos or sharp or best"):
        load(environ=HOME | {"FILMGATE_MEDIA__UPSCALE": "blurred"})
