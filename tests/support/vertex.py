"""Vertex AI and Cloud Storage as far as Veo needs them, with the sign-in of service accounts.

The forms are those that google-genai 3.6 writes and reads. An order with a field that Veo has not, or without a valid
token, is refused, as Google does it. Words in the prompt make the filters refuse: see ``REFUSALS``.
"""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from filmgate.media.edit import join
from filmgate.media.probe import probe

from .peer import Asked, Films, Peer, Told, as_json, film

PROJECT, LOCATION, MODEL = "films-1", "us-central1", "veo-3.1-generate-001"
TOKEN = "ya29.a-token-that-nobody-may-see"
KEY = "AIza-a-key-that-nobody-may-see"
_MODELS = f"(?:projects/{PROJECT}/locations/{LOCATION}/)?publishers/google/models/([a-z0-9.-]+)"
_PARAMETERS = {
    "sampleCount", "storageUri", "durationSeconds", "seed", "aspectRatio", "resolution", "personGeneration",
    "negativePrompt", "enhancePrompt", "generateAudio", "resizeMode", "compressionQuality",
}  # fmt: skip
_INSTANCE = frozenset({"prompt", "image", "lastFrame", "referenceImages", "video"})
_SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
_GUIDELINES = "violates Vertex AI's usage guidelines. If you think this was an error, send feedback. Support codes:"
#: Word in the prompt -> google.rpc.Status with which the operation ends.
REFUSALS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "underage": (3, f"Veo could not generate videos because the prompt {_GUIDELINES} 58061214"),
        "prominent": (3, f"Veo could not generate videos because the prompt {_GUIDELINES} 29310472"),
        "gory": (3, f"The prompt could not be submitted. It {_GUIDELINES} 61493863"),
        "badpicture": (3, f"Veo could not generate videos because the input image {_GUIDELINES} 42876398"),
        "overload": (8, "Quota exceeded for quota metric 'Online prediction concurrent requests'."),
        "internal": (13, "Internal error encountered."),
        "toolong": (4, "The operation took too long."),
        "wrong": (3, "Unsupported output video duration 9 seconds."),
    }
)
FILTERED = "We encountered an issue with the audio for your prompt, which means we could not create your video."


class Vertex(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.films = Films()
        self.bucket: dict[str, bytes] = {}  #: "bucket/name" -> what is stored there
        self.orders: list[dict[str, Any]] = []
        self.signed_in = 0

    def route(self, asked: Asked) -> str:
        path = urlsplit(asked.path).path
        if path == "/token":
            return "sign in"
        if path.startswith("/storage/"):
            return "content"
        if path.endswith(":predictLongRunning"):
            return "start"
        return "poll" if path.endswith(":fetchPredictOperation") else "model"

    def answer(self, asked: Asked) -> Told:
        route = self.route(asked)
        if route == "sign in":
            return self._sign_in(asked)
        if not self._may(asked, route):
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return {"start": self._start, "poll": self._poll, "content": self._content, "model": self._model}[route](asked)

    def credentials(self, folder: Path) -> Path:
        """The key file of a service account that signs in here."""
        path = folder / "service-account.json"
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": _private_key(),
            "client_email": "films@films-1.example",
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(account))
        return path

    def _sign_in(self, asked: Asked) -> Told:
        form = parse_qs(asked.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        assert form["assertion"][0].count(".") == 2
        self.signed_in += 1
        return as_json({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    def _may(self, asked: Asked, route: str) -> bool:
        if asked.headers.get("authorization") == f"Bearer {TOKEN}":
            return True
        return route != "content" and asked.headers.get("x-goog-api-key") == KEY

    def _start(self, asked: Asked) -> Told:
        found = re.fullmatch(f"/v1beta1/{_MODELS}:predictLongRunning", asked.path)
        if found is None or not found[1].startswith("veo-3.1-"):
            return _error(404, "NOT_FOUND", "Publisher model was not found.")
        order = asked.json
        if (wrong := _wrong(order)) is not None:
            return _error(400, "INVALID_ARGUMENT", wrong)
        self.orders.append(order)
        model = f"projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{found[1]}"
        name = f"{model}/operations/{uuid.uuid4()}"
        self.films.put(name, order)
        return as_json({"name": name})

    def _poll(self, asked: Asked) -> Told:
        name = asked.json["operationName"]
        assert asked.json == {"operationName": name}
        assert asked.path == f"/v1beta1/{name.partition('/operations/')[0]}:fetchPredictOperation"
        if name not in self.films.made:
            return _error(404, "NOT_FOUND", f"Operation {name} was not found.")
        if not self.films.done(name):
            return as_json({"name": name})
        return as_json({"name": name, "done": True, **self._outcome(name)})

    def _outcome(self, name: str) -> dict[str, Any]:
        order = self.films.made[name]
        prompt = order["instances"][0]["prompt"]
        for word, (code, message) in REFUSALS.items():
            if word in prompt:
                return {"error": {"code": code, "message": message}}
        kind = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
        if "filtered" in prompt:
            return {"response": {"@type": kind, "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [FILTERED]}}
        video = self._stored(name, order)
        return {"response": {"@type": kind, "raiMediaFilteredCount": 0, "videos": [{**video, "mimeType": "video/mp4"}]}}

    def _stored(self, name: str, order: dict[str, Any]) -> dict[str, str]:
        made = _made(order)
        if "storageUri" not in order["parameters"]:
            return {"bytesBase64Encoded": base64.b64encode(made).decode()}
        place = f"{order['parameters']['storageUri'].rstrip('/')}/{name[-36:]}/sample_0.mp4"
        self.bucket[place.removeprefix("gs://")] = made
        return {"gcsUri": place}

    def _content(self, asked: Asked) -> Told:
        parts = urlsplit(asked.path)
        found = re.fullmatch(r"/storage/v1/b/([^/]+)/o/([^/]+)", parts.path)
        assert found is not None
        assert parts.query == "alt=media"
        kept = self.bucket.get(f"{unquote(found[1])}/{unquote(found[2])}")
        if kept is None:
            return _error(404, "notFound", "No such object.")
        return Told(200, kept, {"content-type": "video/mp4"})

    def _model(self, asked: Asked) -> Told:
        found = re.fullmatch(f"/v1beta1/{_MODELS}", asked.path)
        if asked.method != "GET" or found is None or found[1] != MODEL:
            return _error(404, "NOT_FOUND", "Publisher model was not found.")
        return as_json({"name": f"publishers/google/models/{MODEL}", "versionId": "001"})


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def _error(status: int, word: str, message: str) -> Told:
    return as_json({"error": {"code": status, "message": message, "status": word}}, status)


def _wrong(order: dict[str, Any]) -> str | None:
    """What Veo does not take of an order, or None."""
    if set(order) != {"instances", "parameters"} or len(order["instances"]) != 1:
        return "Invalid request."
    instance, parameters = order["instances"][0], order["parameters"]
    unknown = (set(instance) - _INSTANCE) | (set(parameters) - _PARAMETERS)
    if unknown:
        return f"Unknown fields: {sorted(unknown)}"
    lengths = (7,) if "video" in instance else (8,) if "referenceImages" in instance else (4, 6, 8)
    if parameters["durationSeconds"] not in lengths:
        return f"Unsupported output video duration {parameters['durationSeconds']} seconds."
    if parameters["aspectRatio"] not in ("16:9", "9:16") or parameters["resolution"] not in _SIZES:
        return "Unsupported aspect ratio or resolution."
    return _wrong_pictures(instance)


def _wrong_pictures(instance: dict[str, Any]) -> str | None:
    references = instance.get("referenceImages", [])
    if len(references) > 3 or (references and ("image" in instance or "lastFrame" in instance)):
        return "Too many reference images, or images of another kind beside them."
    if any(each["referenceType"].lower() != "asset" for each in references):
        return "Only asset images are supported."
    if "lastFrame" in instance and "image" not in instance:
        return "A last frame needs a first one."
    images = [instance[key] for key in ("image", "lastFrame") if key in instance] + [
        each["image"] for each in references
    ]
    for each in images:
        assert each["mimeType"] == "image/png"
        Image.open(io.BytesIO(base64.b64decode(each["bytesBase64Encoded"]))).load()
    return None


def _made(order: dict[str, Any]) -> bytes:
    instance, parameters = order["instances"][0], order["parameters"]
    size = _SIZES[parameters["resolution"]]
    width, height = size if parameters["aspectRatio"] == "16:9" else size[::-1]
    made = film(width, height, parameters["durationSeconds"], audio=parameters.get("generateAudio", True))
    if "video" not in instance:
        return made
    with TemporaryDirectory() as name:
        first, second, both = (Path(name) / each for each in ("first.mp4", "second.mp4", "both.mp4"))
        first.write_bytes(base64.b64decode(instance["video"]["bytesBase64Encoded"]))
        assert 1 <= probe(first).seconds <= 30
        second.write_bytes(made)
        join(first, second, both, lambda done, stage: None)
        return both.read_bytes()
