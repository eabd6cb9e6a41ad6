"""A server with `/v1/videos`, in the manner of each of those that the engine knows.

What each takes and answers is read off the packages named in ``filmgate.engines.openai_videos``. A field that the real
one refuses is refused here. Words in the prompt make films fail: see ``FAILURES``.
"""

from __future__ import annotations

import base64
import email
import email.policy
import io
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from PIL import Image

from .peer import Asked, Films, Peer, Told, as_json, film

KEY, MODEL = "sk-a-key-that-nobody-may-see", "house/films-5b"
_PLAIN = frozenset({"prompt", "model", "seconds", "size", "input_reference"})
_RICH = _PLAIN | {"seed", "fps", "negative_prompt", "num_inference_steps", "guidance_scale", "extra_params"}
_FIELDS = {
    "openai": _PLAIN,
    "litellm": _PLAIN,
    "sglang": _RICH | {"task_type", "enable_upscaling"},
    "vllm_omni": _RICH | {"image_reference", "generate_sound"},
}
#: Word in the prompt -> code and message of a film that fails.
FAILURES: Mapping[str, tuple[Any, str]] = {
    "gory": ("moderation_blocked", "Your request was blocked by our moderation system."),
    "explodes": ("video_generation_failed", "CUDA out of memory."),
    "odd": (400, "num_frames must be 4n+1 for this model."),
}


class Videos(Peer):
    def __init__(self, server: str, *, size: tuple[int, int] | None = None, extra_s: float = 0.0) -> None:
        """``size``: what its model makes, whatever was ordered; ``extra_s``: how much longer its films are."""
        super().__init__()
        self.server, self.size, self.extra_s = server, size, extra_s
        self.films = Films()
        self.orders: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.in_cloud = False  #: films are put elsewhere, as SGLang does with S3
        self.poll_after_ms: int | None = None

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def route(self, asked: Asked) -> str:
        path = urlsplit(asked.path).path
        if path == "/v1/models":
            return "models"
        if path.startswith(("/generated-videos/", "/cloud/")) or path.endswith("/content"):
            return "content"
        if asked.method == "DELETE":
            return "delete"
        return "start" if asked.method == "POST" else "poll"

    def answer(self, asked: Asked) -> Told:
        path = unquote(urlsplit(asked.path).path)
        if path.startswith("/cloud/"):
            assert "authorization" not in asked.headers, "the key of one host came to another"
            return self._film(path.rpartition("/")[2])
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self._error(401, "Incorrect API key provided.")
        answers = {
            "models": self._models,
            "content": self._content,
            "delete": self._delete,
            "start": self._start,
            "poll": self._poll,
        }
        return answers[self.route(asked)](asked, path)

    def _error(self, status: int, message: str, code: Any = None) -> Told:
        if self.server == "sglang":
            return as_json({"detail": message}, status)
        return as_json({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)

    def _models(self, asked: Asked, path: str) -> Told:
        return as_json({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    # ------------------------------------------------------------ orders

    def _start(self, asked: Asked, path: str) -> Told:
        if self.server == "localai":
            return self._at_once(asked, path)
        if path != "/v1/videos" or not asked.headers["content-type"].startswith("multipart/form-data"):
            return self._error(404, "There is no such route.")
        order = _form(asked)
        if (wrong := self._wrong(order)) is not None:
            return self._error(400, wrong)
        name = f"video_{base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()}"
        self.orders.append(order)
        self.films.put(name, order)
        return as_json(self._job(name, "queued"))

    def _wrong(self, order: dict[str, Any]) -> str | None:
        if unknown := set(order) - _FIELDS[self.server]:
            return f"Unknown parameter: {sorted(unknown)[0]!r}."
        if order.get("model", MODEL) != MODEL or (self.server == "litellm" and "model" not in order):
            return f"Model mismatch: request specifies {order.get('model')!r} but server is running {MODEL!r}."
        if order["seconds"] not in ("4", "6", "8"):
            return f"Invalid value for seconds: {order['seconds']}."
        for picture in [order.get("input_reference"), *_listed(order)]:
            if picture is not None:
                Image.open(io.BytesIO(picture)).load()
        return None

    def _at_once(self, asked: Asked, path: str) -> Told:
        """LocalAI: the film is done when the answer comes."""
        if path != "/video":
            return self._error(404, "There is no such route.")
        order = asked.json
        for key in ("start_image", "end_image"):
            if key in order:
                Image.open(io.BytesIO(base64.b64decode(order[key]))).load()
        name = f"b64{uuid.uuid4().hex}.mp4"
        order |= {"size": f"{order['width']}x{order['height']}", "seconds": str(order["num_frames"] // order["fps"])}
        if "explodes" in order["prompt"]:
            return self._error(500, "rpc error: CUDA out of memory.")
        self.orders.append(order)
        self.films.put(name, order)
        return as_json(
            {"id": str(uuid.uuid4()), "created": 1, "data": [{"url": f"http://inside/generated-videos/{name}"}]}
        )

    def _job(self, name: str, status: str, **further: Any) -> dict[str, Any]:
        order = self.films.made[name]
        return {
            "id": name,
            "object": "video",
            "model": MODEL,
            "status": status,
            "progress": 0,
            "created_at": 1764000000,
            "size": order["size"],
            "seconds": order["seconds"],
            **further,
        }

    # ------------------------------------------------------------ films

    def _poll(self, asked: Asked, path: str) -> Told:
        name = path.removeprefix("/v1/videos/")
        if name not in self.films.made:
            return self._error(404, "Video not found")
        headers = {} if self.poll_after_ms is None else {"openai-poll-after-ms": str(self.poll_after_ms)}
        if not self.films.done(name):
            left = self.films.left[name]
            status = "queued" if left + 1 == self.films.looks else "in_progress"
            progress = 0 if self.server == "vllm_omni" else round(100 * (1 - (left + 1) / self.films.looks))
            return as_json(self._job(name, status, progress=progress), headers=headers)
        for word, (code, message) in FAILURES.items():
            if word in self.films.made[name]["prompt"]:
                return self._failed(name, code, message)
        cloud = {"url": f"{self.url.replace('127.0.0.1', 'localhost')}/cloud/{name}"} if self.in_cloud else {}
        return as_json(self._job(name, "completed", progress=100, **cloud), headers=headers)

    def _failed(self, name: str, code: Any, message: str) -> Told:
        if self.server == "sglang":
            return as_json(self._job(name, "failed", error={"message": message}))
        if self.server != "vllm_omni":
            return as_json(self._job(name, "failed", error={"code": str(code), "message": message}))
        status = code if isinstance(code, int) else 500
        return as_json(self._job(name, "failed", error={"code": status, "message": message}), status)

    def _content(self, asked: Asked, path: str) -> Told:
        if self.in_cloud:
            return self._error(400, "Video has been uploaded to cloud storage. Please use the cloud URL")
        return self._film(path.removeprefix("/v1/videos/").removesuffix("/content").rpartition("/")[2])

    def _film(self, name: str) -> Told:
        order = self.films.made.get(name)
        if order is None:
            return self._error(404, "Video not found")
        width, height = self.size or (int(side) for side in order["size"].split("x"))
        made = film(width, height, int(order["seconds"]) + self.extra_s, audio="generate_sound" in order)
        return Told(200, made, {"content-type": "video/mp4"})

    def _delete(self, asked: Asked, path: str) -> Told:
        name = path.removeprefix("/v1/videos/")
        if self.server in ("litellm", "localai"):
            return self._error(405, "Method Not Allowed")
        if self.films.made.pop(name, None) is None:
            return self._error(404, "Video not found")
        self.deleted.append(name)
        return as_json({"id": name, "object": "video.deleted", "deleted": True})


def _form(asked: Asked) -> dict[str, Any]:
    """The fields of a multipart form: texts as text, files as bytes."""
    head = f"content-type: {asked.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + asked.body, policy=email.policy.HTTP)
    form: dict[str, Any] = {}
    for part in parts.iter_parts():
        body = part.get_payload(decode=True)
        assert isinstance(body, bytes)
        name = part.get_param("name", header="content-disposition")
        form[str(name)] = body if part.get_filename() else body.decode()
    return form


def _listed(order: dict[str, Any]) -> list[bytes]:
    listed = json.loads(order.get("image_reference", "[]"))
    return [base64.b64decode(each["image_url"].removeprefix("data:image/png;base64,")) for each in listed]
