"""The seams: what the services ask of engines, slots, stores and storage. Implementations live one floor up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from .domain.audit import SERVER, Note
from .domain.callback import Callback, Delivery
from .domain.credits import NO_CAPS, Caps, Entry, Spent
from .domain.errors import TaskError
from .domain.features import Feature
from .domain.forecast import Queue
from .domain.listing import ANY, Page, Sought
from .domain.routing import Capabilities
from .domain.spec import Kind, Spec
from .domain.task import Artifact, Lease, OrderKey, Role, Status, Task

# ---------------------------------------------------------------- time --------------------------------------------


class Clock(Protocol):
    """The only way in for time. Every period is a setting; tests shorten settings or hand in a clock."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""

    async def sleep(self, seconds: float) -> None: ...


# ---------------------------------------------------------------- engines -----------------------------------------


@dataclass(frozen=True)
class Job:
    """One attempt at a task as an engine sees it."""

    task_id: str
    attempt: int
    spec: Spec  #: ``spec.seed`` is always set
    workdir: Path  #: the engine's own; removed afterwards
    report: Callable[[float, str], None]  #: fraction 0 to 1 that never falls, and the stage in plain words
    cancelled: Callable[[], bool]  #: nobody wants it any more: raise anything. Asked by engines with leaves_within_s
    images: tuple[Path, ...] = ()  #: checked, upright PNGs in the order of the spec
    source: Path | None = None  #: the film that is upgraded or extended
    state: bytes = b""  #: its Clip.state
    options: Mapping[str, Any] = field(default_factory=dict)  #: from the model's route


@dataclass(frozen=True)
class Clip:
    """What an engine made: a playable file in the workdir, and what it needs to continue or enlarge it."""

    path: Path
    state: bytes = b""  #: opaque; stored with the task


class Engine(Protocol):
    """Renders on this machine. Blocking; lives in a slot. Errors are TaskErrors; anything else is an engine's bug."""

    name: str

    def capabilities(self) -> Capabilities:
        """Cheap: called without ``load``, in processes that have none of the engine's libraries."""

    def load(self) -> None:
        """Once per slot, before the first job. Raises EngineUnavailable with what to install or set."""

    def render(self, job: Job) -> Clip: ...

    def close(self) -> None: ...


class Translator(Protocol):
    """Puts prompts into English, for engines that read nothing else. Blocking; lives in a thread of the runner."""

    name: str

    def translate(self, text: str, languages: frozenset[str]) -> str:
        """``languages``: those that the text may be in. Raises TaskErrors; anything else is a translator's bug."""


# ---------------------------------------------------------------- watching ----------------------------------------


class Watch(Protocol):
    """Is told what a worker does, as it happens. Never raises, never waits."""

    def claimed(self, task: Task, engine: str, waited_s: float) -> None: ...

    def stage(self, task: Task, engine: str, stage: str, seconds: float) -> None:
        """A part of an attempt is done: "inputs", "render", "finish" or "publish"."""

    def ended(self, task: Task, engine: str, outcome: str, seconds: float) -> None:
        """An attempt is over: "succeeded", or the slug of its error."""

    def told(self, callback: Callback, delivery: Delivery) -> None:
        """One try to deliver a callback is over."""


# ---------------------------------------------------------------- slots -------------------------------------------


class Work(StrEnum):
    """What a slot is asked to do. Engines render; everything else is done by the media slot."""

    RENDER = "render"  #: an engine: spec (and images, state, source) -> a Clip
    FINISH = "finish"  #: ``clip`` -> the film as it is stored, and its poster
    IMAGES = "images"  #: ``images`` as they were fetched -> checked, upright, PNG
    UPSCALE = "upscale"  #: ``source`` -> a clip of the spec's size
    JOIN = "join"  #: ``source`` and then ``clip`` -> one film
    JUDGE = "judge"  #: ``images``, or frames of ``clip``: raises ImageRejected or ContentRejected for an unsafe one


@dataclass(frozen=True)
class Order:
    """A piece of work for a slot: plain data, since it crosses a process boundary."""

    task_id: str
    attempt: int
    spec: Spec
    workdir: Path  #: absolute
    work: Work = Work.RENDER
    clip: Path | None = None
    images: tuple[Path, ...] = ()
    source: Path | None = None  #: the film that is extended or upgraded
    state: bytes = b""  #: its Clip.state
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """A file that the media slot has checked and made ready."""

    path: Path
    role: Role
    mime: str
    width: int
    height: int
    seconds: float = 0.0
    has_audio: bool = False


@dataclass(frozen=True)
class SlotHealth:
    kind: str  #: an engine's name, or "media"
    pid: int | None
    state: str  #: "starting", "idle", "busy", "dead"
    task_id: str | None = None


class Slots(Protocol):
    """Child processes, each with one engine loaded (or, kind "media", with the tools for finished films).

    Cancelling ``render`` or ``media`` ends the work: an engine that can leave it is told to and given the time that it
    says it needs; otherwise, and then, the slot is killed, and a new one takes its place.
    """

    async def open(self, kind: str, count: int) -> None:
        """Start and load; returns when all are ready. Raises EngineUnavailable."""

    def free(self, kind: str) -> int:
        """How many slots of this kind could take an order now."""

    def on_free(self, tell: Callable[[], None]) -> None:
        """Call this whenever a slot has become free, or a fresh one has taken the place of a dead one."""

    async def render(self, kind: str, order: Order, report: Callable[[float, str], None]) -> Clip:
        """Run an engine. Raises what the engine raised, EngineCrashed, or EngineTimeout."""

    async def media(self, order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
        """What ``order.work`` says, by the media slot. Raises InputUnusable for an image that is none."""

    def health(self) -> Sequence[SlotHealth]: ...

    async def close(self) -> None: ...


# ---------------------------------------------------------------- rows --------------------------------------------


@dataclass(frozen=True)
class Caller:
    """Who is asking: the account and key behind a bearer token."""

    account_id: str
    key_id: str
    edition: Mapping[str, str] = field(default_factory=dict)
    caps: Caps = field(default_factory=Caps)
    addresses: tuple[str, ...] = ()  #: networks that the key may be used from; none named is everywhere
    priority: int = 0  #: of its tasks, among those of the account


@dataclass(frozen=True)
class Key:
    """An API key as the operator sees it; the secret itself is never stored."""

    id: str
    account_id: str
    label: str
    hint: str  #: the first characters, so that people can tell keys apart
    created_ms: int
    revoked_ms: int | None = None
    edition: Mapping[str, str] = field(default_factory=dict)
    expires_ms: int | None = None
    last_used_ms: int | None = None
    caps: Caps = field(default_factory=Caps)
    max_running: int | None = None  #: tasks of it that may run at the same time
    addresses: tuple[str, ...] = ()  #: networks that it may be used from; none named is everywhere
    priority: int = 0  #: of its tasks, among those of the account; see ``domain/limits.py``


@dataclass(frozen=True)
class Progress:
    fraction: float
    stage: str


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """A step in the life of a task. They are numbered 1, 2, 3 ...; its creation, which is not stored, is number 0."""

    number: int
    at_ms: int
    status: Status
    progress: float
    stage: str


class EventStore(Protocol):
    async def since(self, task_id: str, number: int, limit: int) -> Sequence[TaskEvent]:
        """The events of a task after that one, the oldest first."""


class QueueView(Protocol):
    async def queue(self, limit: int) -> Queue:
        """The queue as it stands; of those that wait, the first ``limit`` by priority and age."""


class TaskStore(Protocol):
    """Tasks and what hangs on their state. Every method is one transaction, named after the event."""

    async def submit(self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None) -> Task:
        """Store a new task and hold its price; the task as it is stored, its time that at which it was taken.

        Where the account has ordered the same under this key before, it is that task, and nothing is stored or held.
        On disk on return. Raises KeyReused, InsufficientCredits, TooManyRequests (QueueFull is one) or, by the caps of
        the API key, KeySpent: nothing is stored.
        """

    async def ordered(self, account_id: str, order_key: OrderKey) -> Task | None:
        """The task that was ordered under this key, if any. Raises KeyReused where that was another order."""

    async def forget_order_keys(self, before_ms: int, limit: int) -> int:
        """Forget keys of orders that came before this time; how many."""

    async def get(self, task_id: str, account_id: str | None = None) -> Task:
        """Raises TaskNotFound, also for a task of another account; account None is the operator."""

    async def submit_once(self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None) -> Task:
        """As ``submit``, for an upgrade, of which a film has one: where there is one already that has not failed, that
        one is returned and nothing is stored or held."""

    async def upgrade_of(
        self, source_id: str, kind: Kind, index: int, failed_since_ms: int | None = None
    ) -> Task | None:
        """The upgrade of a film that has not failed, or, since that time, the last one that has; if there is any."""

    async def state_of(self, task_id: str) -> bytes:
        """The Clip.state of a succeeded task."""

    async def list(
        self,
        *,
        account_id: str | None = None,
        sought: Sought = ANY,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Task]:
        """The newest first; with ``before``, those that are older than this task. Raises TaskNotFound for it."""

    async def page(self, account_id: str, sought: Sought, *, before: int | None = None, limit: int = 50) -> Page:
        """The newest of an account, or those with a number below ``before``. Orders that come meanwhile move nothing;
        what a page costs does not depend on how many tasks there are."""

    async def claim(self, owner: str, lease_ms: int, models: Sequence[str]) -> Lease | None:
        """Take the task that is due next, least-served account first; of these models only.

        Tasks whose account or key has as many running as it may have wait, and stand in nobody's way.
        """

    async def heartbeat(self, owner: str, lease_ms: int, progress: Mapping[str, Progress]) -> set[str]:
        """Renew all leases of a worker and note the progress of its tasks. Returns the ids that it still holds."""

    async def checkpoint(self, lease: Lease, checkpoint: str) -> None: ...

    async def succeed(
        self, lease: Lease, artifacts: Sequence[Artifact], *, engine: str, state: bytes, fallback_used: bool = False
    ) -> Task:
        """Publish the film, settle the hold, queue the callback. Raises LeaseLost: nothing changed."""

    async def end(self, lease: Lease, error: TaskError) -> Task:
        """Reject (a Rejection) or fail (any other), refund the hold, queue the callback. Raises LeaseLost."""

    async def retry(self, lease: Lease, error: TaskError, run_at_ms: int) -> Task:
        """Back to the queue after a passing fault."""

    async def drain(self, lease: Lease) -> Task:
        """Back to the queue, the attempt not counted."""

    async def cancel(self, task_id: str, account_id: str | None = None) -> Task:
        """By the owner, or by the operator where no account is named. Raises TaskNotFound, or IllegalTransition once it
        has ended."""

    async def held(self, owner: str) -> Mapping[str, int]:
        """The tasks that a worker holds now, each with the attempt that it is in."""

    async def expire(self, *, begun_by_ms: int | None, ended_by_ms: int | None, limit: int) -> Sequence[Task]:
        """Fail tasks that were created before ``begun_by_ms`` and have never been begun, or before ``ended_by_ms`` and
        have not ended: a number of each."""

    async def sweep_leases(self, owner: str | None = None) -> Sequence[Task]:
        """Requeue (or, at the last straw, fail) tasks whose lease has run out; with ``owner``, all of that owner's."""

    async def bring_forward(self, longest_ms: int) -> None:
        """The clock has gone back: nothing that is queued waits longer than this from now."""

    async def waiting_time(self) -> float | None:
        """Seconds until the next queued task is due (0: now), or None when none is queued."""


@dataclass(frozen=True)
class Account:
    """Who owns tasks and credits, as the operator sees it."""

    id: str
    label: str
    created_ms: int
    balance: int = 0
    weight: float = 1.0  #: its share of the workers, beside those of others
    max_running: int | None = None  #: tasks of it that may run at the same time; None: as the settings say
    live: int = 0  #: tasks that have not ended


class AccountStore(Protocol):
    """Accounts, keys and the ledger. Each change is noted in the audit log in the same transaction, with who did it."""

    async def authenticate(self, digest: str) -> Caller | None:
        """The caller behind the SHA-256 (hex) of a key, unless it is revoked, or its time is over."""

    async def create_account(
        self,
        account_id: str,
        label: str,
        *,
        credits: int = 0,
        weight: float = 1.0,
        max_running: int | None = None,
        by: str = SERVER,
    ) -> bool:
        """With so many credits to begin with. False where there is an account of this id already."""

    async def account(self, account_id: str) -> Account:
        """Raises InvalidRequest where there is none."""

    async def accounts(self) -> Sequence[Account]: ...

    async def change_account(self, account_id: str, change: Callable[[Account], Account], *, by: str) -> Account:
        """``change`` says what label, weight and max_running become. Raises InvalidRequest where there is none."""

    async def create_key(self, key: Key, digest: str, *, by: str = SERVER) -> None: ...

    async def change_key(self, key_id: str, change: Callable[[Key], Key], *, by: str) -> Key:
        """``change`` says what everything but id, account, hint and times past becomes. Raises InvalidRequest where
        there is no such live key."""

    async def rotate_key(self, key_id: str, digest: str, hint: str, overlap_ms: int, *, by: str) -> Key:
        """A new secret for the key; older ones end after the overlap at the latest. Raises InvalidRequest as above."""

    async def revoke_key(self, key_id: str, *, by: str = SERVER) -> bool:
        """False where there is no such live key."""

    async def keys(self, account_id: str | None = None) -> Sequence[Key]: ...

    async def spent(self) -> Mapping[str, Spent]:
        """Key -> what it has spent, for those that have spent anything."""

    async def note_uses(self, uses: Mapping[str, int]) -> None:
        """Key -> when it was last used, all of them in one statement."""

    async def post(self, entry: Entry, *, by: str = SERVER) -> None:
        """An entry of the operator's, such as a grant. Raises InsufficientCredits, InvalidRequest: nothing is added."""

    async def balance(self, account_id: str) -> int: ...

    async def entries(self, account_id: str, *, limit: int | None = None) -> Sequence[Entry]:
        """In the order in which they were added; with a limit, so many of the newest."""

    async def secret(self, name: str, candidate: str) -> str:
        """The server secret of this name; ``candidate`` becomes it if there is none yet (the first one wins)."""


class AuditLog(Protocol):
    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Note]:
        """The newest first."""


@dataclass(frozen=True)
class Upload:
    """A file that a client has sent. ``key`` names it in the storage."""

    id: str
    account_id: str
    key: str
    name: str
    original_name: str
    path: str  #: uploadPath, as it was said
    mime: str
    bytes: int
    created_ms: int
    expires_ms: int


class UploadStore(Protocol):
    async def put(self, upload: Upload) -> str | None:
        """Note an upload; the storage key of the one of the same account, path and name that it replaces, or None."""

    async def get(self, account_id: str, key: str) -> Upload | None: ...

    async def stored_bytes(self, account_id: str) -> int:
        """The size of all uploads of an account."""

    async def expired(self, limit: int) -> Sequence[Upload]:
        """Uploads whose time is over; forgotten when returned."""


@dataclass(frozen=True)
class WebhookSecrets:
    """What callbacks of an account are signed with: the newest first; the older ones until they have run out."""

    vendor: tuple[str, ...] = ()  #: raw strings: the vendor's own signature, which does not cover the body
    standard: tuple[str, ...] = ()  #: "whsec_...": Standard Webhooks


@dataclass(frozen=True)
class HeldSecret:
    """A webhook secret that is good, without the secret."""

    kind: str
    sealed: bool  #: encrypted under the operator's key; else in clear


class WebhookStore(Protocol):
    """Each change is noted in the audit log in the same transaction, with who did it, and without the secret."""

    async def secrets(self, account_id: str) -> WebhookSecrets:
        """Raises a FilmgateError where the newest of a kind was sealed with a key that is not at hand."""

    async def held(self, account_id: str) -> Sequence[HeldSecret]:
        """What there is, whether or not it could be opened."""

    async def rotate(self, account_id: str, kind: str, secret: str, overlap_ms: int, *, by: str = SERVER) -> None:
        """A new secret of kind "vendor" or "standard"; the old ones still sign for ``overlap_ms``."""

    async def remove(self, account_id: str, kind: str, *, by: str = SERVER) -> None:
        """Sign no longer."""

    async def seal(self) -> int:
        """Encrypt what still lies there in clear, if the operator has set a key; how many that were."""


class FeatureStore(Protocol):
    def is_on(self, feature: Feature) -> bool:
        """As it stands in the database at this moment."""

    def all(self) -> Mapping[Feature, bool]: ...

    async def set(self, feature: Feature, is_on: bool, actor: str) -> None:
        """In effect at once, in every process; noted in the audit log."""


class WorkerStore(Protocol):
    """Who is there to do the work: what readiness rests on."""

    async def announce(self, worker: str, engines: Sequence[str], until_ms: int) -> None:
        """This worker has these engines loaded, and will say so again before ``until_ms``."""

    async def withdraw(self, worker: str) -> None: ...

    async def live(self) -> Mapping[str, Sequence[str]]:
        """Worker -> its engines, of those that were heard of in time."""


class Outbox(Protocol):
    async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
        """Take the callbacks whose time has come; each is ours for ``lease_ms``, until its ``next_at_ms``: then due."""

    async def give_back(self, callbacks: Sequence[Callback]) -> None:
        """What was taken and not sent is due now. One whose lease has ended, or that was settled, stays as it is."""

    async def delivered(self, callback: Callback, delivery: Delivery) -> None: ...

    async def retry_at(self, callback: Callback, delivery: Delivery, at_ms: int) -> None: ...

    async def gave_up(self, callback: Callback, delivery: Delivery, *, refused: bool = False) -> None: ...

    async def deliveries(self, callback_id: str) -> Sequence[Delivery]: ...

    async def of_task(self, task_id: str) -> Sequence[Callback]: ...

    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Callback]:
        """The newest first."""

    async def redeliver(self, callback_id: str) -> Callback:
        """Due again, now, with its whole schedule, under the same id. Raises TaskNotFound."""

    async def bring_forward(self, longest_ms: int) -> None:
        """The clock has gone back: nothing that is owed waits longer than this from now."""

    async def waiting_time(self) -> float | None:
        """Seconds until the next callback is due, or None."""


# ---------------------------------------------------------------- files -------------------------------------------


@dataclass(frozen=True)
class StoredFile:
    """An open stored file: its size, and its bytes from ``start`` (inclusive) to ``end`` (exclusive)."""

    size: int
    modified_ms: int
    read: Callable[[int, int], AsyncIterator[bytes]]


class Storage(Protocol):
    """Keys are relative paths of [a-z0-9._-] segments. A key is visible whole or not at all."""

    async def begin(self, known: Sequence[str] = ()) -> None:
        """Before the first use. Raises StorageUnavailable where none of the ``known`` keys is there: it is another."""

    async def check(self) -> None:
        """Raises StorageUnavailable where nothing can be put."""

    async def put(self, key: str, source: Path) -> None:
        """Take over a local file: durable on return. Raises StorageUnavailable."""

    async def open(self, key: str) -> StoredFile | None:
        """None where there is no such file."""

    async def delete(self, key: str) -> None:
        """Silent where there is none."""

    async def keys(self, prefix: str) -> Sequence[str]: ...

    async def sweep(self, older_than_ms: int = 0, prefix: str = "") -> None:
        """Remove what interrupted puts have left below a folder, "" or "a/b/"; call it when nobody puts there whose
        file is wanted, or with an age that no put reaches."""
