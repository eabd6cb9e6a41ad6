"""Any server with `/v1/videos`: create, poll, download. Films are made there, on its GPUs or its own account.

What the servers do differently is in ``SERVERS``; what was read is named beside each. (OpenAI itself has announced the
end of its own service; the protocol lives on in the others.)
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from ..domain.errors import ContentRejected, EngineFailed, EngineUnavailable, TaskError, Unsupported
from ..domain.routing import Capabilities
from ..domain.spec import Kind, Mode, Resolution
from ..ports import Clip, Polled, Progress, RemoteJob, Secret
from .upstream import (
    answer,
    as_object,
    download,
    is_refusal_of_content,
    lost,
    message_of,
    refused,
    rejection,
    said,
    sentence,
)


@dataclass(frozen=True, slots=True)
class Server:
    """What one kind of server does otherwise than the others."""

    title: (
        str  #: what it is called in sentences that the owners of tasks read; where it stands is none of their business
    )
    frames: int = 1  #: of a first and a last frame, how many it takes
    references: int = 0  #: pictures of what appears in the film
    several: str = ""  #: the field for more than one picture: a JSON list of ``{"image_url": ...}``
    rich: bool = (
        False  #: takes ``seed``, ``fps`` and ``negative_prompt``; others refuse an order with fields they do not know
    )
    sound: str = ""  #: the field that asks for sound
    deletes: bool = False  #: has DELETE. Whether the GPU stops is another question
    at_once: bool = False  #: answers an order when the film is done


SERVERS: Final[Mapping[str, Server]] = MappingProxyType(
    {
        # openai 3.57.0: openai/types/video_create_params.py, openai/resources/videos.py
        "openai": Server("OpenAI Videos", deletes=True),
        # vllm-omni 0.30.0: vllm_omni/entrypoints/openai/video/generation/helpers.py, .../api_server.py. A failed film
        # is told with HTTP 4xx or 5xx and the job as the body; ``model`` must be the one that is served; DELETE stops
        # the work within seconds. How many pictures it takes depends on the model.
        "vllm_omni": Server(
            "vLLM-Omni",
            frames=2,
            references=3,
            several="image_reference",
            rich=True,
            sound="generate_sound",
            deletes=True,
        ),
        # sglang 0.5.23: sglang/multimodal_gen/runtime/entrypoints/openai/video_api.py. DELETE forgets the job, the GPU
        # goes on; a film in S3 has ``url``, and asking for its content is then an error.
        "sglang": Server("SGLang", rich=True, deletes=True),
        # litellm 1.110.2: litellm/proxy/video_endpoints/endpoints.py, litellm/llms/openai/videos/transformation.py. The
        # id holds the provider and the model. No DELETE.
        "litellm": Server("LiteLLM"),
        # LocalAI: core/http/endpoints/localai/video.go (POST /video: its /v1/videos passes over length and picture, see
        # core/http/endpoints/openai/video.go). JSON with pictures in base64; the answer comes with the film's address.
        "localai": Server("LocalAI", frames=2, rich=True, at_once=True),
    }
)

_FPS = 24
_CONNECT_S = 10.0
_WAITING, _WORKING = frozenset({"queued", "pending", "created"}), frozenset({"in_progress", "processing", "running"})
_DONE = frozenset({"completed", "succeeded", "success", "done"})
_FAILED = frozenset({"failed", "error", "cancelled", "canceled", "expired", "deleted", "incomplete"})
_ANSWER_CAP = 4 * 1024 * 1024  #: bytes; an order's pictures come back from no server
_LONGEST_ID = 2000
_AT = "at:"  #: the id of a film that is done already: where it lies

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model's route may add."""

    negative_prompt: str = ""
    fields: Mapping[str, str | int | float | bool] = {}  #: sent as they are, in place of ours of the same name


class OpenAIVideosEngine:
    name = "openai_videos"

    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        base_url: str  #: with /v1: "http://gpu-1:8000/v1"
        server: Literal["openai", "vllm_omni", "sglang", "litellm", "localai"] = "openai"
        model: str = ""  #: as the server names it; some need none
        api_key: Secret = Secret("")
        frames: Annotated[int, msgspec.Meta(ge=0, le=2)] = 1  #: of a first and a last frame, how many the model takes
        references: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0  #: how many reference images
        audio: bool = False  #: its films have sound
        resolutions: tuple[Resolution, ...] = (Resolution.P720,)  #: what it may be asked for; larger ones are scaled up
        seconds: tuple[Literal[4, 6, 8], ...] = (4, 6, 8)
        timeout_s: Seconds = 60.0  #: for a whole answer, films apart
        render_s: Seconds = 7200.0  #: for the answer of a server that gives it when the film is done
        download_s: Seconds = 900.0  #: for a film
        largest_mb: Annotated[int, msgspec.Meta(ge=1)] = 1024  #: MiB of a film

        def __post_init__(self) -> None:
            if urlsplit(self.base_url).scheme not in ("http", "https") or not urlsplit(self.base_url).hostname:
                raise ValueError('base_url must be an address, as in "http://gpu-1:8000/v1"')

    def __init__(self, config: Config) -> None:
        self._config = config
        self._server = SERVERS[config.server]
        self._root = config.base_url.rstrip("/")
        self._who = self._server.title
        self._client: httpx2.AsyncClient | None = None

    def capabilities(self) -> Capabilities:
        frames = min(self._config.frames, self._server.frames)
        references = min(self._config.references, self._server.references)
        modes = {Mode.TEXT} | ({Mode.FRAMES} if frames else set()) | ({Mode.REFERENCE} if references else set())
        return Capabilities(
            kinds=frozenset({Kind.GENERATE}),
            modes=frozenset(modes),
            resolutions=frozenset(self._config.resolutions),
            seconds=self._config.seconds,
            audio=self._config.audio,
            seeded=self._server.rich,
            max_frames=frames,
            max_references=references,
            languages=frozenset({"*"}),
            answers_within_s=self._config.render_s if self._server.at_once else self._config.timeout_s,
        )

    async def open(self) -> None:
        limits = httpx2.Timeout(self._config.timeout_s, connect=min(_CONNECT_S, self._config.timeout_s))
        self._client = httpx2.AsyncClient(headers={"user-agent": "filmgate"}, timeout=limits)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ------------------------------------------------------------ an order

    async def start(self, job: RemoteJob) -> str:
        """Raises Unsupported, ContentRejected, EngineUnavailable; EngineFailed where it may have been taken."""
        if self._server.at_once:
            return await self._made_at_once(job)
        pictures = [await asyncio.to_thread(image.read_bytes) for image in job.images]
        parts = [*self._texts(job).items(), *self._pictures(pictures)]
        found = await self._ordered(f"{self._root}/videos", self._config.timeout_s, files=parts)
        name = found.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
            raise lost(self._who)
        return name

    async def _ordered(self, address: str, within_s: float, **content: Any) -> Mapping[str, Any]:
        """The answer to an order that was taken."""
        status, _, body = await self._call("POST", address, within_s, ordering=True, **content)
        if not 200 <= status < 300:
            raise self._error(status, body, ordering=True)
        if (found := as_object(body)) is None:
            raise lost(self._who)
        return found

    def _texts(self, job: RemoteJob) -> dict[str, Any]:
        """Name -> a part of the form. Each is a part even where there is no file: one server reads nothing else."""
        fields = {name: (None, _text(value)) for name, value in self._fields(job).items()}
        return dict(fields)

    def _fields(self, job: RemoteJob) -> dict[str, Any]:
        spec, options = job.spec, _options(job)
        width, height = spec.size
        fields: dict[str, Any] = {"prompt": spec.prompt, "seconds": spec.seconds, "size": f"{width}x{height}"}
        if self._config.model:
            fields["model"] = self._config.model
        if self._server.rich:
            fields |= {"seed": spec.seed, "fps": _FPS}
            if options.negative_prompt:
                fields["negative_prompt"] = options.negative_prompt
        if self._server.sound and self._config.audio:
            fields[self._server.sound] = True
        return fields | dict(options.fields)

    def _pictures(self, pictures: list[bytes]) -> list[tuple[str, Any]]:
        if not pictures:
            return []
        if len(pictures) == 1:
            return [("input_reference", ("image.png", pictures[0], "image/png"))]
        if not self._server.several:
            raise Unsupported(f"{self._who} takes one image with an order, and {len(pictures)} came with this one.")
        listed = [{"image_url": f"data:image/png;base64,{base64.b64encode(each).decode()}"} for each in pictures]
        return [(self._server.several, (None, json.dumps(listed)))]

    async def _made_at_once(self, job: RemoteJob) -> str:
        """The film is done when the answer comes, and the answer says where it lies."""
        width, height = job.spec.size
        body = self._fields(job) | {
            "width": width,
            "height": height,
            "num_frames": job.spec.seconds * _FPS,
            "response_format": "url",
        }
        for field, image in zip(("start_image", "end_image"), job.images, strict=False):
            body[field] = base64.b64encode(await asyncio.to_thread(image.read_bytes)).decode()
        limits = httpx2.Timeout(self._config.render_s, connect=_CONNECT_S)
        address = f"{self._root.removesuffix('/v1')}/video"
        found = await self._ordered(address, self._config.render_s, json=body, timeout=limits)
        films = found.get("data")
        where = films[0].get("url") if isinstance(films, list) and films and isinstance(films[0], dict) else None
        if not isinstance(where, str) or not urlsplit(where).path.startswith("/"):
            raise lost(self._who)
        return _AT + urlsplit(where).path

    # ------------------------------------------------------------ a film

    async def poll(self, upstream_id: str) -> Polled:
        if upstream_id.startswith(_AT):
            return Polled(Progress(1.0, f"made by {self._who}"), done=True)
        film, headers = await self._film(upstream_id)
        status = film.get("status")
        if status in _DONE:
            return Polled(Progress(1.0, f"made by {self._who}"), done=True)
        stage = f"waiting at {self._who}" if status in _WAITING else f"rendering at {self._who}"
        return Polled(Progress(_fraction(film), stage), again_s=_again(headers))

    async def collect(self, upstream_id: str, into: Path) -> Clip:
        path, address = into / "film.mp4", await self._address(upstream_id)
        await download(
            self._connected(),
            address,
            path,
            who=self._who,
            cap_mb=self._config.largest_mb,
            within_s=self._config.download_s,
            headers=self._key if _origin(address) == _origin(self._root) else None,
            secrets=(self._config.api_key,),
        )
        return Clip(path, rough=True)

    async def cancel(self, upstream_id: str) -> None:
        if not self._server.deletes or upstream_id.startswith(_AT):
            return
        status, _, body = await self._call("DELETE", self._of(upstream_id))
        if status >= 400 and status not in (404, 409, 410):  # it has gone already, or is just being stopped
            raise self._error(status, body)

    async def check(self) -> str:
        status, _, body = await self._call("GET", f"{self._root}/models")
        listed = (as_object(body) or {}).get("data")
        if status != 200 or not isinstance(listed, list):
            raise EngineUnavailable(str(self._error(status, body, about="its models")))
        names = [str(each["id"]) for each in listed if isinstance(each, dict) and "id" in each]
        if self._config.model and self._config.model not in names:
            raise EngineUnavailable(
                f"{self._who} has no model {self._config.model!r}: it has {said(', '.join(names) or 'none')}."
            )
        has = self._config.model or ", ".join(names) or "no model"
        return f"{urlsplit(self._root).netloc} answers and has {said(has)}"

    async def _film(self, upstream_id: str) -> tuple[Mapping[str, Any], httpx2.Headers]:
        """The job as the other side tells it. Raises what became of it where it has failed."""
        status, headers, body = await self._call("GET", self._of(upstream_id))
        film = as_object(body)
        if film is not None and film.get("status") in _FAILED:  # one server tells it with a status of 400 and more
            raise self._failure(film)
        if status != 200:
            raise self._error(status, body)
        if film is None or not isinstance(film.get("status"), str):
            raise EngineUnavailable(f"{self._who} gave an answer that cannot be read.")
        if film["status"] not in _WAITING | _WORKING | _DONE:
            raise EngineFailed(f"{self._who} says that the film is {said(film['status'])!r}, which is not known here.")
        return film, headers

    async def _address(self, upstream_id: str) -> str:
        if upstream_id.startswith(_AT):
            return f"{_origin(self._root)}{upstream_id.removeprefix(_AT)}"
        film, _ = await self._film(upstream_id)
        elsewhere = film.get("url")
        if isinstance(elsewhere, str) and urlsplit(elsewhere).scheme in ("http", "https"):
            return elsewhere
        return f"{self._of(upstream_id)}/content"

    def _of(self, upstream_id: str) -> str:
        return f"{self._root}/videos/{quote(upstream_id, safe='')}"

    async def _call(
        self, method: str, url: str, within_s: float | None = None, *, ordering: bool = False, **content: Any
    ) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and body of an answer. The key goes with it, so ``url`` must be one of this server's."""
        client = self._connected()
        return await answer(
            client,
            client.build_request(method, url, headers=self._key, **content),
            who=self._who,
            within_s=within_s or self._config.timeout_s,
            cap=_ANSWER_CAP,
            ordering=ordering,
        )

    @property
    def _key(self) -> dict[str, str]:
        key = self._config.api_key.reveal()
        return {"authorization": f"Bearer {key}"} if key else {}

    # ------------------------------------------------------------ errors

    def _error(self, status: int, body: bytes, *, ordering: bool = False, about: str = "the film") -> TaskError:
        message = sentence(message_of(body), self._config.api_key)
        error = (as_object(body) or {}).get("error")
        code = error.get("code") if isinstance(error, dict) else None
        if 400 <= status < 500 and is_refusal_of_content(code, message):
            return rejection(ContentRejected, self._who, message)
        return refused(self._who, status, message, ordering=ordering, about=about)

    def _failure(self, film: Mapping[str, Any]) -> TaskError:
        """Why there will be no film, as the job says it."""
        error = film.get("error")
        error = error if isinstance(error, dict) else {"message": error or f"the film is {film['status']}"}
        code, message = error.get("code"), sentence(error.get("message") or error.get("code"), self._config.api_key)
        if is_refusal_of_content(code, message):
            return rejection(ContentRejected, self._who, message)
        if isinstance(code, int) and 400 <= code < 500 and code != 408:
            return Unsupported(f"{self._who} does not take the order: {message}")
        return EngineFailed(f"{self._who} could not make the film: {message}")

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            raise EngineUnavailable("The engine openai_videos has not been opened.")
        return self._client


def _again(headers: httpx2.Headers) -> float | None:
    """Seconds to the next look, where the server says so."""
    asked = headers.get("openai-poll-after-ms", "").strip()
    return int(asked[:9]) / 1000 if asked.isascii() and asked.isdecimal() else None


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _options(job: RemoteJob) -> Options:
    try:
        return msgspec.convert(dict(job.options), Options)
    except msgspec.ValidationError as error:
        raise EngineFailed(f"The options of openai_videos for this model are not usable: {error}.") from error


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _fraction(film: Mapping[str, Any]) -> float:
    """0 to 1, of a progress in percent; some servers say it as a text, some do not say it."""
    try:
        return min(1.0, max(0.0, float(film.get("progress") or 0) / 100))
    except (TypeError, ValueError):
        return 0.0
