"""The settings themselves: what each is called, what it means, what it is when nobody says anything."""

# `setting` makes a dataclass field, as `dataclasses.field` does, which the rule cannot know.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_type_hints

import msgspec

from ..domain import limits
from ..domain.credits import DEFAULT_PRICES, Prices
from ..domain.routing import UPSCALE, Route
from ..engines.registry import Declared, Registry
from ..http import edition
from . import rules
from .rules import Bool, Count, MaybeFile, MaybeText, OneLanguage, Share, Switch

T = TypeVar("T")
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a setting beside its name, its type and its default."""

    sentence: str
    secret: bool = False  #: never shown; may come from a file named by NAME_FILE
    default_words: str = ""  #: in place of the default, where that is worked out


def setting(default: T, sentence: str, **facts: Any) -> T:
    """A field with its facts. Typed as its default, as ``dataclasses.field`` is."""
    return field(default=default, metadata={"facts": Facts(sentence, **facts)})


@dataclass(frozen=True, slots=True)
class Server:
    host: rules.Text = setting("127.0.0.1", "Address that the server listens on.")
    port: rules.Port = setting(8000, "Port that the server listens on; 0 takes any free one.")
    trusted_proxies: rules.Networks = setting(
        (), "Proxies whose X-Forwarded-Proto, -Host and -For are believed, as addresses or networks."
    )
    public_docs: rules.Bool = setting(True, "Whether the documentation can be read without a key.")
    tls_cert: rules.MaybeFile = setting(None, "Certificate chain (PEM) for HTTPS; goes with tls_key.")
    tls_key: rules.MaybeFile = setting(None, "Private key (PEM) for HTTPS; goes with tls_cert.")
    head_timeout_s: rules.Seconds = setting(10.0, "Seconds within which the head of a request must have come.")
    body_timeout_s: rules.Seconds = setting(
        30.0, "Seconds within which the body of a request must have come, and one more for each 16 KiB of it."
    )
    answer_timeout_s: rules.Seconds = setting(
        60.0, "Seconds after which a client that takes less than 1 KiB a second of its answer is let go."
    )
    max_connections: rules.Connections = setting(
        4000, "Connections that may be open at once; fewer where the limit of open files is low."
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    token: rules.MaybeToken = setting(
        None, "Bearer token for /metrics; without one, only this machine may read it.", secret=True
    )


@dataclass(frozen=True, slots=True)
class Log:
    format: rules.LogFormat = setting("text", "Form of the log: lines of text, or one JSON object a line.")
    level: rules.LogLevel = setting("info", "Least level of what is logged: debug, info, warning or error.")


@dataclass(frozen=True, slots=True)
class Otel:
    endpoint: rules.MaybeBaseUrl = setting(
        None, "Where traces are sent (OTLP over HTTP), such as http://127.0.0.1:4318; without one there are none."
    )


@dataclass(frozen=True, slots=True)
class Net:
    allow: rules.Reachable = setting(
        (), "Guarded addresses that callbacks and images may use all the same: networks and host names."
    )
    allow_private: rules.Bool = setting(
        False, "Whether callbacks and images may use loopback and private addresses; cloud metadata stays guarded."
    )


@dataclass(frozen=True, slots=True)
class Limits:
    creates_per_10s: rules.Count = setting(20, "New tasks that one account may create in ten seconds; 0 is no limit.")
    queue: rules.Count = setting(
        100_000, "Tasks of all accounts that may wait or run at once; an order beyond it is refused. 0 is no limit."
    )
    queue_per_account: rules.Count = setting(
        10_000, "Tasks of one account that may wait or run at once, so that none fills the queue. 0 is no limit."
    )
    running_per_account: rules.Count = setting(
        0, "Tasks of one account that may run at once, unless it has a number of its own; others wait. 0 is no limit."
    )
    queries_per_s: rules.Count = setting(
        10, "Questions about one task that an account may ask in a second, of each API process; 0 is no limit."
    )
    free_disk_mib: rules.Count = setting(
        1024, "MiB that must be free on the disk for new tasks and uploads to be taken; 0 is no such floor."
    )
    start_within_s: rules.Deadline = setting(
        0.0, "Seconds within which a task must be begun; one that is late fails, and costs nothing. 0 is no limit."
    )
    end_within_s: rules.Deadline = setting(
        0.0, "Seconds within which a task must end, from its order on; one that is late fails likewise. 0 is no limit."
    )

    def of_tasks(self) -> limits.Limits:
        """Those that the store keeps."""
        return limits.Limits(self.creates_per_10s, self.queue, self.queue_per_account, self.running_per_account)


@dataclass(frozen=True, slots=True)
class Worker:
    lease_s: rules.Seconds = setting(30.0, "Seconds after which the task of a silent worker is given to another.")
    heartbeat_s: rules.Seconds = setting(10.0, "Seconds between two signs of life of a worker; below lease_s.")
    slots: rules.Slots = setting(1, "Films that are rendered at the same time on this machine, for each engine.")
    free_disk_mib: rules.Count = setting(
        100, "MiB that must be free where data and films are kept; with less, no film is begun. 0 is no such floor."
    )
    drain_timeout_s: rules.Seconds = setting(
        30.0, "Seconds that running films get to end when the server is stopped; then they go back to the queue."
    )
    render_timeout_s: rules.Seconds = setting(900.0, "Seconds after which a film in the making is given up.")
    start_timeout_s: rules.Seconds = setting(
        300.0, "Seconds within which an engine must be loaded, its weights and all, and be ready for films."
    )
    silence_timeout_s: rules.Seconds = setting(
        300.0, "Seconds after which an engine that reports no progress is taken to hang, and is replaced."
    )


@dataclass(frozen=True, slots=True)
class Callbacks:
    schedule_s: rules.Waits = setting((10.0, 60.0, 300.0), "Seconds to wait before each new try of a callback.")
    timeout_s: rules.Seconds = setting(15.0, "Seconds within which a receiver must answer a callback.")


@dataclass(frozen=True, slots=True)
class Retention:
    media_s: rules.Seconds = setting(14 * DAY, "Seconds for which a film can be downloaded.")
    order_keys_s: rules.Seconds = setting(
        DAY, "Seconds for which an order is known by its Idempotency-Key, so that it is taken once if it comes again."
    )
    metadata_s: rules.Seconds = setting(61 * DAY, "Seconds after its end for which the record of a task is kept.")
    sweep_s: rules.Seconds = setting(60.0, "Seconds between two looks for what has outlived its time.")


@dataclass(frozen=True, slots=True)
class Policy:
    enabled: Bool = setting(True, "Whether prompts and watermarks are held against the rules.")
    rules: MaybeFile = setting(None, "TOML file that adds to the rules that ship, or changes them.")
    language: OneLanguage = setting("any", "Languages of prompts: any, or english where an engine reads no other.")
    translator: MaybeText = setting(None, "Installed translator that puts prompts into English.")
    images: Switch = setting(
        "auto", "Whether pictures are looked at for nudity: on, off, or auto, which is on where the extra is installed."
    )
    image_threshold: Share = setting(0.85, "From which score (0 to 1) on a picture is unsafe.")
    image_frames: Count = setting(
        24, "One of so many frames is looked at, of films that are not the storyboard's; 0 looks at none."
    )


@dataclass(frozen=True, slots=True)
class Media:
    upscale: rules.Upscale = setting(
        "lanczos", "How films are enlarged that no engine makes anew: lanczos, sharp, or best, which needs a GPU."
    )
    upscale_weights: MaybeFile = setting(None, "Weights of a SPAN network, for best.")


@dataclass(frozen=True, slots=True)
class Provenance:
    sign: Bool = setting(False, "Whether films are signed (C2PA); needs the extra c2pa.")
    certificate: MaybeFile = setting(
        None,
        "Certificates (PEM) of who signs, their own first; goes with key. Without, one is made at the first start.",
    )
    key: MaybeFile = setting(
        None, "Private key (PEM, not encrypted) that films are signed with; goes with certificate."
    )


@dataclass(frozen=True, slots=True)
class Uploads:
    keep_s: rules.Seconds = setting(3 * DAY, "Seconds for which an uploaded file is kept.")
    account_mib: rules.Count = setting(5120, "MiB that the uploads of one account may take up; 0 is no limit.")


@dataclass(frozen=True, slots=True)
class Links:
    download_s: rules.Seconds = setting(1200.0, "Seconds for which a direct download link can be used.")


@dataclass(frozen=True, slots=True)
class Edition(edition.Edition):
    """The switches between editions of the wire format: names, values and defaults are those of ``http.edition``."""

    def switches(self) -> dict[str, str]:
        """Name and value of every switch."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


#: What the switches mean.
_SWITCHES = {
    "http_status": Facts("HTTP status of an answer: always 200 (envelope), or that of the code inside (mirror)."),
    "callback_result_urls": Facts(
        "Form of the lists of links in a callback.", default_words="array (json_string with preset quickstart)"
    ),
    "prompt_json": Facts("Form of promptJson in a callback."),
    "times": Facts("Form of the times in a task's record."),
    "top_level_result_urls": Facts("Form of the list of links at the top level of a task's record."),
    "default_model": Facts("Model of a request that names none."),
    "preset": Facts("Set of switches to begin with; quickstart sends the lists in callbacks as JSON strings."),
}


@dataclass(frozen=True, slots=True)
class Storyboard:
    processes: rules.Count = setting(0, "Processes that draw one film; 0 takes a core each, up to two.")


@dataclass(frozen=True, slots=True)
class Upgrades:
    price_1080p: rules.Count = setting(DEFAULT_PRICES["upgrade"]["upgrade_1080p"], "Credits for the 1080p version.")
    price_4k: rules.Count = setting(DEFAULT_PRICES["upgrade"]["upgrade_4k"], "Credits for the 4K version.")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """An engine under a name of the operator's own: [engines.NAME] in the TOML file."""

    kind: str  #: as it is installed
    config: msgspec.Struct | None = None  #: the rest of the table, as the engine's class wants it
    slots: int | None = None  #: films at the same time, of an engine that renders here; None: as worker.slots says
    concurrency: int = 10  #: films at the same time, of an engine that renders elsewhere
    starts_per_minute: int = 0  #: orders sent there; 0 is no limit
    within_s: float = 3600.0  #: a film that is not made there in so many seconds is given up
    poll_s: float = 5.0  #: between two looks at a film, where the other side does not say
    faults_to_rest: int = 5  #: so many faults in a row, and for a while it is not asked ...
    rest_s: float = 30.0  #: ... for so long; then one order shows whether it is well again


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What stands behind a model's public name: [models.NAME] in the TOML file."""

    engine: str = "storyboard"
    fallback: tuple[str, ...] = ()  #: engines that are asked next, in order
    options: Mapping[str, Any] = field(default_factory=dict)  #: handed to ``engine`` as they are
    prices: Mapping[str, int] = field(
        default_factory=dict
    )  #: "720p", "1080p", "4k", "extend", "4k_from_image" -> credits
    failover: bool = True  #: whether they are asked where an engine breaks down, too, and not only where it refuses


def default_models() -> Mapping[str, ModelSettings]:
    """The three public models, all on the storyboard."""
    named = {name: dict(of) for name, of in DEFAULT_PRICES.items() if name != "upgrade"}
    return MappingProxyType({name: ModelSettings(prices=prices) for name, prices in named.items()})


@dataclass(frozen=True)
class Settings:
    """The whole tree. ``load`` makes it; ``origins`` says where each value came from."""

    data: rules.Folder = setting(
        Path("filmgate-data"),
        "Folder of everything that Filmgate keeps; private to its user.",
        default_words="$XDG_DATA_HOME/filmgate, or ~/.local/share/filmgate",
    )
    database_url: rules.DatabaseUrl = setting(
        None,
        "Database of tasks, accounts and keys: a SQLite file, or a PostgreSQL that several machines share.",
        secret=True,
        default_words="sqlite:///DATA/filmgate.db",
    )
    storage_url: rules.StorageUrl = setting(None, "Where films are kept.", default_words="file://DATA/media")
    public_url: rules.MaybeBaseUrl = setting(
        None, "Address at the start of every link; without it, the one that the task was created through."
    )
    secret_key: rules.MaybeSecret = setting(
        None,
        "Signs the links to films, and seals webhook secrets; where none is set, links are signed with a key that is "
        "made at the first start, and webhook secrets are kept in clear.",
        secret=True,
    )
    initial_api_key: rules.MaybeSecret = setting(
        None, "API key of the first account; made at the first start where none is set.", secret=True
    )
    server: Server = field(default_factory=Server)
    log: Log = field(default_factory=Log)
    metrics: Metrics = field(default_factory=Metrics)
    otel: Otel = field(default_factory=Otel)
    net: Net = field(default_factory=Net)
    limits: Limits = field(default_factory=Limits)
    worker: Worker = field(default_factory=Worker)
    callbacks: Callbacks = field(default_factory=Callbacks)
    retention: Retention = field(default_factory=Retention)
    policy: Policy = field(default_factory=Policy)
    media: Media = field(default_factory=Media)
    provenance: Provenance = field(default_factory=Provenance)
    uploads: Uploads = field(default_factory=Uploads)
    links: Links = field(default_factory=Links)
    edition: Edition = field(default_factory=Edition)
    storyboard: Storyboard = field(default_factory=Storyboard)
    upgrades: Upgrades = field(default_factory=Upgrades)
    engines: Mapping[str, EngineSettings] = field(default_factory=dict)
    models: Mapping[str, ModelSettings] = field(default_factory=default_models)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def database(self) -> str:
        """The database's address, worked out: "sqlite:////var/lib/filmgate/filmgate.db"."""
        return self.database_url or f"sqlite:///{self.data / 'filmgate.db'}"

    @property
    def storage(self) -> str:
        """The storage's address, worked out: "file:///var/lib/filmgate/media"."""
        return self.storage_url or f"file://{self.data / 'media'}"

    def routes(self) -> Mapping[str, Route]:
        """Model -> its engines in order of preference."""
        return {
            name: Route(name, (model.engine, *model.fallback), self._options(model), model.failover)
            for name, model in self.models.items()
        }

    def registry(self) -> Registry:
        """The installed engines, and those with a table of their own."""
        return Registry({name: Declared(each.kind, each.config) for name, each in self.engines.items()})

    def engine(self, name: str) -> EngineSettings:
        """What was said about an engine; the defaults where nothing was."""
        return self.engines.get(name, EngineSettings(name))

    def _options(self, model: ModelSettings) -> dict[str, Mapping[str, Any]]:
        """Engine -> its options: the table's are those of its first engine."""
        options = {model.engine: model.options}
        if self.media != Media():
            options[UPSCALE] = self._upscaling()
        if self.storyboard.processes:
            options["storyboard"] = {"processes": self.storyboard.processes, **options.get("storyboard", {})}
        return options

    def _upscaling(self) -> Mapping[str, Any]:
        weights = self.media.upscale_weights
        return {"way": self.media.upscale, "weights": None if weights is None else str(weights)}

    def prices(self) -> Prices:
        """Credits as ``domain.credits.price`` wants them."""
        upgrade = {"upgrade_1080p": self.upgrades.price_1080p, "upgrade_4k": self.upgrades.price_4k}
        return {**{name: model.prices for name, model in self.models.items()}, "upgrade": upgrade}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as the loader, ``config show`` and the documentation see it."""

    name: str  #: "worker.lease_s"; those outside a group have no dot
    hint: Any  #: its type, with its Rule
    default: Any
    facts: Facts

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "FILMGATE_" + self.name.replace(".", "__").upper()

    @property
    def flag(self) -> str:
        """What its flag is called where a command has one."""
        return "--" + self.name.rpartition(".")[2].removesuffix("_s").replace("_", "-")


@cache
def known() -> tuple[Setting, ...]:
    """Every setting but the models, in the order of the tree."""
    return tuple(_settings_of(Settings, ""))


def _settings_of(group: type, prefix: str) -> Iterator[Setting]:
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        if "facts" in each.metadata:
            yield Setting(prefix + each.name, hints[each.name], each.default, each.metadata["facts"])
        elif hints[each.name] is Edition:
            yield from _switches(f"{each.name}.")
        elif is_dataclass(hints[each.name]):
            yield from _settings_of(cast("type", hints[each.name]), f"{each.name}.")


def _switches(prefix: str) -> Iterator[Setting]:
    for each in fields(Edition):
        choices = edition.CHOICES.get(each.name)
        hint = rules.Text if choices is None else rules.one_of(choices)
        yield Setting(prefix + each.name, hint, each.default, _SWITCHES[each.name])
