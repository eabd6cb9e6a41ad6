"""The seams: what the services ask of engines, slots, stores and storage. Implementations live one floor up."""

from .accounts import (
    Account,
    AccountStore,
    AuditLog,
    Caller,
    FeatureStore,
    HeldSecret,
    Key,
    Upload,
    UploadStore,
    WebhookSecrets,
    WebhookStore,
)
from .engines import Clip, Engine, Job, Polled, RemoteEngine, RemoteJob, Secret, Translator
from .files import Storage, StoredFile
from .slots import Finished, Order, SlotHealth, Slots, Work
from .tasks import EventStore, Outbox, Progress, QueueView, TaskEvent, TaskStore, Watch, WorkerStore
from .time import Clock

__all__ = [
    "Account",
    "AccountStore",
    "AuditLog",
    "Caller",
    "Clip",
    "Clock",
    "Engine",
    "EventStore",
    "FeatureStore",
    "Finished",
    "HeldSecret",
    "Job",
    "Key",
    "Order",
    "Outbox",
    "Polled",
    "Progress",
    "QueueView",
    "RemoteEngine",
    "RemoteJob",
    "Secret",
    "SlotHealth",
    "Slots",
    "Storage",
    "StoredFile",
    "TaskEvent",
    "TaskStore",
    "Translator",
    "Upload",
    "UploadStore",
    "Watch",
    "WebhookSecrets",
    "WebhookStore",
    "Work",
    "WorkerStore",
]
