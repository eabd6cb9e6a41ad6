"""Veo 3.1 of Google, on Vertex AI: films are made in the operator's own project there, and paid for by it.

The SDK (``filmgate[google]``) places orders and asks how they stand; it is imported when the engine is opened. A film
comes from the operator's bucket, or in the answer itself where there is no bucket.

All that has to be known about an order is the name of its operation: it holds project, place and model.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote

import httpx2
import msgspec

from ..domain.errors import (
    ContentRejected,
    EngineFailed,
    EngineUnavailable,
    ImageRejected,
    MinorRejected,
    PersonRejected,
    Rejection,
    TaskError,
    Unsupported,
)
from ..domain.routing import Capabilities
from ..domain.spec import Kind, Mode
from ..ports import Clip, Polled, Progress, RemoteJob, Secret
from .upstream import capped, download, is_refusal_of_content, lost, reaching, refused, rejection, said, sentence

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.genai import Client, types

MISSING = "The engine google_veo needs the SDK of Google: run `pip install 'filmgate[google]'`."
_WHO = "Google"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ADDED_S = 7  #: an extension is so long, always
_CONNECT_S = 10.0
#: Categories of Google's filters by the number that its texts end with:
#: https://cloud.google.com/vertex-ai/generative-ai/docs/video/responsible-ai-and-usage-guidelines
_MINOR, _PERSON = frozenset({"58061214", "17301594"}), frozenset({"29310472", "15236754"})
_NUMBER = re.compile(r"\b\d{8}\b")
#: Of google.rpc.Code, what is the order's fault: INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE.
_OF_THE_ORDER = frozenset({3, 9, 11})

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model's route may add to an order; each as Google names it, None as Google has it by itself."""

    model: str = ""
    negative_prompt: str | None = None
    audio: bool = True
    person_generation: Literal["dont_allow", "allow_adult", "allow_all"] | None = None
    enhance_prompt: bool | None = None
    resize_mode: Literal["crop", "pad"] | None = None
    compression_quality: Literal["optimized", "lossless"] | None = None


class GoogleVeoEngine:
    name = "google_veo"

    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        project: str = ""  #: of Google Cloud; "" where there is an api_key
        location: str = "us-central1"
        model: str = "veo-3.1-generate-001"
        credentials: Path | None = None  #: the key file of a service account; without one, and without an api_key, the
        #: machine's own (Application Default Credentials)
        api_key: Secret = Secret("")  #: of Vertex AI in express mode
        bucket: str = ""  #: "gs://films/veo": where films are put; "": they come in the answer
        timeout_s: Seconds = 60.0  #: for a whole answer
        download_s: Seconds = 900.0  #: for a film from the bucket
        largest_mb: Annotated[int, msgspec.Meta(ge=1)] = 1024  #: MiB of a film
        base_url: str = ""  #: of a gateway in front of Vertex AI
        storage_url: str = "https://storage.googleapis.com"

        def __post_init__(self) -> None:
            if self.bucket and not re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]+(/.*)?", self.bucket):
                raise ValueError('bucket must be as in "gs://films/veo"')
            if self.bucket and self.api_key:
                raise ValueError("an api_key opens no bucket: take the bucket out, or use a project and credentials")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client: Client | None = None
        self._http: httpx2.AsyncClient | None = None
        self._credentials: Credentials | None = None

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset({Kind.GENERATE, Kind.EXTEND}),
            modes=frozenset(Mode),
            audio=True,
            seeded=True,
            max_references=3,
        )

    async def open(self) -> None:
        """Raises EngineUnavailable where the SDK, the project, or credentials are missing."""
        if not (self._config.project or self._config.api_key):
            raise EngineUnavailable(
                'The engine google_veo needs a Google Cloud project: write project = "..." (or, for the express mode '
                'of Vertex AI, api_key_file = "...") into its table in filmgate.toml.'
            )
        limits = httpx2.Timeout(self._config.timeout_s, connect=min(_CONNECT_S, self._config.timeout_s))
        cap = capped(self._config.largest_mb * 4 // 3 + 1)  # a film in an answer is in base64
        http = httpx2.AsyncClient(timeout=limits, event_hooks={"response": [cap]})
        try:
            self._client, self._credentials = await asyncio.to_thread(_connected, self._config, http)
        except BaseException:
            await http.aclose()
            raise
        self._http = http

    async def close(self) -> None:
        if self._client is not None and self._http is not None:
            await self._client.aio.aclose()
            await asyncio.to_thread(self._client.close)
            await self._http.aclose()
        self._client = self._http = None

    # ------------------------------------------------------------ an order

    async def start(self, job: RemoteJob) -> str:
        """The name of the operation. Raises Rejections, EngineUnavailable; EngineFailed where the order may have been
        taken although no answer says so."""
        options = _options(job)
        source = await asyncio.to_thread(_source, job)
        config = await asyncio.to_thread(_order, job, options, self._config)
        client = self._opened()
        async with self._asking(ordering=True):
            operation = await client.aio.models.generate_videos(
                model=options.model or self._config.model, source=source, config=config
            )
        if not operation.name:
            raise lost(_WHO)
        return operation.name

    async def poll(self, upstream_id: str) -> Polled:
        operation = await self._operation(upstream_id)
        if not operation.done:
            return Polled(Progress(0.1, "rendering at Google"))
        _film(operation)
        return Polled(Progress(1.0, "made by Google"), done=True)

    async def collect(self, upstream_id: str, into: Path) -> Clip:
        film, path = _film(await self._operation(upstream_id)), into / "film.mp4"
        if film.uri:
            await self._fetch(film.uri, path)
        else:
            await asyncio.to_thread(path.write_bytes, film.video_bytes or b"")
        return Clip(path, whole=True)

    async def cancel(self, upstream_id: str) -> None:
        """Google knows no way to stop a film."""

    async def check(self) -> str:
        model = self._config.model
        client = self._opened()
        try:
            async with self._asking(about=f"the model {model}"):
                found = await client.aio.models.get(model=model)
        except TaskError as error:
            raise EngineUnavailable(str(error)) from None
        return f"Google answers and has {said(found.name or model)}"

    async def _operation(self, name: str) -> types.GenerateVideosOperation:
        from google.genai import types

        client = self._opened()
        async with self._asking():
            operation = await client.aio.operations.get(types.GenerateVideosOperation.model_validate({"name": name}))
        if operation.name != name:
            raise EngineUnavailable("Google gave an answer that is not about the film that it was asked about.")
        return operation

    async def _fetch(self, uri: str, path: Path) -> None:
        """A film from the operator's bucket."""
        bucket, _, item = uri.removeprefix("gs://").partition("/")
        if not uri.startswith("gs://") or not bucket or not item or self._credentials is None:
            raise EngineFailed(f"Google says that the film is at {said(uri)}, where this server cannot fetch it.")
        async with self._asking():
            token = await asyncio.to_thread(_token, self._credentials)
        assert self._http is not None  # there is a client, so it was opened
        await download(
            self._http,
            f"{self._config.storage_url.rstrip('/')}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(item, safe='')}"
            "?alt=media",
            path,
            who="Google Cloud Storage",
            cap_mb=self._config.largest_mb,
            within_s=self._config.download_s,
            headers={"authorization": f"Bearer {token}"},
            secrets=(token,),
        )

    # ------------------------------------------------------------ errors

    @asynccontextmanager
    async def _asking(self, *, ordering: bool = False, about: str = "the film") -> AsyncIterator[None]:
        """Around calls of the SDK: what they raise becomes an error of ours, without our secrets in it."""
        from google.auth import exceptions as auth
        from google.genai import errors

        failure: TaskError
        try:
            async with reaching(_WHO, self._config.timeout_s, ordering=ordering):
                yield
            return
        except errors.APIError as error:
            failure = _refusal(error.code, self._said(error.message), ordering, about)
        except auth.TransportError as error:
            raise EngineUnavailable("Google's sign-in cannot be reached.") from error
        except auth.GoogleAuthError:
            failure = refused(_WHO, 401, "")
        except (ValueError, TypeError, AttributeError, KeyError) as error:  # what the SDK makes of garbage
            raise (
                lost(_WHO) if ordering else EngineUnavailable("Google gave an answer that cannot be read.")
            ) from error
        raise failure from None  # the SDK's error holds the whole answer, and what that says of our secrets

    def _said(self, message: object) -> str:
        token = getattr(self._credentials, "token", None)
        return sentence(message or "", self._config.api_key, token if isinstance(token, str) else None)

    def _opened(self) -> Client:
        if self._client is None:
            raise EngineUnavailable("The engine google_veo has not been opened.")
        return self._client


def _connected(config: GoogleVeoEngine.Config, http: httpx2.AsyncClient) -> tuple[Client, Credentials | None]:
    """The SDK's client, which takes seconds to import. Raises EngineUnavailable."""
    try:
        from google import genai
        from google.auth import exceptions as auth
        from google.genai import types
    except ImportError as error:
        raise EngineUnavailable(MISSING) from error
    options = types.HttpOptions(
        base_url=config.base_url or None, timeout=round(config.timeout_s * 1000), httpx_async_client=http
    )
    try:
        if config.api_key:
            return genai.Client(vertexai=True, api_key=config.api_key.reveal(), http_options=options), None
        credentials = _credentials(config.credentials)
        client = genai.Client(
            vertexai=True,
            project=config.project,
            location=config.location,
            credentials=credentials,
            http_options=options,
        )
    except (auth.GoogleAuthError, OSError, ValueError) as error:
        raise EngineUnavailable(
            "google_veo has no credentials of Google that can be used: name the key file of a service account as "
            "credentials in its table, or run `gcloud auth application-default login`."
        ) from error
    return client, credentials


def _credentials(file: Path | None) -> Credentials:
    import google.auth
    from google.oauth2 import service_account

    if file is None:
        found: Credentials = google.auth.default(scopes=[_SCOPE])[0]
    else:
        found = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(file), scopes=[_SCOPE]
        )
    return found


def _token(credentials: Credentials) -> str:
    """A token that is valid now. Blocking."""
    from google.auth.transport.requests import Request

    if not credentials.valid:
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    return str(credentials.token)


# ---------------------------------------------------------------- an order in Google's words


def _options(job: RemoteJob) -> Options:
    try:
        return msgspec.convert(dict(job.options), Options)
    except msgspec.ValidationError as error:
        raise EngineFailed(f"The options of google_veo for this model are not usable: {error}.") from error


def _source(job: RemoteJob) -> types.GenerateVideosSource:
    """What a film starts from. Reads files."""
    from google.genai import types

    if job.spec.kind is Kind.EXTEND:
        if job.source is None:
            raise EngineFailed("The film that should go on is not there: make it anew.")
        film = types.Video(video_bytes=job.source.read_bytes(), mime_type="video/mp4")
        return types.GenerateVideosSource(prompt=job.spec.prompt, video=film)
    first = _image(job.images[0]) if job.spec.mode is Mode.FRAMES else None
    return types.GenerateVideosSource(prompt=job.spec.prompt, image=first)


def _order(job: RemoteJob, options: Options, config: GoogleVeoEngine.Config) -> types.GenerateVideosConfig:
    """Everything else. Reads files."""
    from google.genai import types

    spec = job.spec
    asked: dict[str, Any] = {
        "number_of_videos": 1,
        "aspect_ratio": "9:16" if spec.portrait else "16:9",
        "resolution": spec.resolution.value,
        "duration_seconds": _ADDED_S if spec.kind is Kind.EXTEND else spec.seconds,
        "seed": spec.seed,
        "generate_audio": options.audio,
        "negative_prompt": options.negative_prompt,
        "person_generation": options.person_generation,
        "enhance_prompt": options.enhance_prompt,
        "resize_mode": options.resize_mode,
        "compression_quality": options.compression_quality,
        "output_gcs_uri": f"{config.bucket.rstrip('/')}/{job.task_id}" if config.bucket else None,
        **_further_images(job),
    }
    return types.GenerateVideosConfig(**{name: value for name, value in asked.items() if value is not None})


def _further_images(job: RemoteJob) -> Mapping[str, Any]:
    from google.genai import types

    if job.spec.mode is Mode.FRAMES and len(job.images) > 1:
        return {"last_frame": _image(job.images[1])}
    if job.spec.mode is Mode.REFERENCE:
        kind = types.VideoGenerationReferenceType.ASSET
        images = [types.VideoGenerationReferenceImage(image=_image(each), reference_type=kind) for each in job.images]
        return {"reference_images": images}
    return {}


def _image(path: Path) -> types.Image:
    from google.genai import types

    return types.Image(image_bytes=path.read_bytes(), mime_type="image/png")


# ---------------------------------------------------------------- what became of it


def _film(operation: types.GenerateVideosOperation) -> types.Video:
    """The film of an operation that has ended. Raises why there is none."""
    if operation.error:
        raise _ended(operation.error)
    made = operation.response
    films = [each.video for each in (made.generated_videos if made else None) or () if each.video]
    if films and (films[0].uri or films[0].video_bytes):
        return films[0]
    reasons = (made.rai_media_filtered_reasons if made else None) or ()
    if reasons or (made and made.rai_media_filtered_count):
        raise _content(sentence(" ".join(reasons)))
    raise EngineFailed("Google says that the film is done, and gives none.")


def _ended(error: Mapping[str, Any]) -> TaskError:
    """An operation that ended with a google.rpc.Status."""
    code, message = error.get("code"), sentence(error.get("message") or "")
    if is_refusal_of_content(error.get("status"), message) or _categories(message):
        return _content(message)
    if code in _OF_THE_ORDER:
        return Unsupported(f"Google does not take the order: {message}")
    return EngineFailed(f"Google could not make the film: {message}")


def _refusal(status: int, message: str, ordering: bool, about: str) -> TaskError:
    """A call that was answered with an error."""
    if status == 400 and (is_refusal_of_content(None, message) or _categories(message)):
        return _content(message)
    return refused(_WHO, status, message, ordering=ordering, about=about)


def _categories(message: str) -> frozenset[str]:
    return frozenset(_NUMBER.findall(message)) if "support code" in message.lower() else frozenset()


_KINDS: Final[tuple[tuple[frozenset[str], type[Rejection]], ...]] = ((_MINOR, MinorRejected), (_PERSON, PersonRejected))


def _content(message: str) -> Rejection:
    """What one of Google's filters has refused."""
    found = _categories(message)
    by_number = next((kind for numbers, kind in _KINDS if found & numbers), None)
    of_image = ImageRejected if "input image" in message.lower() else ContentRejected
    return rejection(by_number or of_image, _WHO, message)
