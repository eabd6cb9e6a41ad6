"""Both clients against a real HTTP server on loopback that follows a script."""

from __future__ import annotations

import asyncio
import email
import gzip
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from filmgate.client import (
    AsyncFilmgate,
    ConnectionFailed,
    Film,
    Filmgate,
    FilmgateAPIError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    RateLimited,
    TaskFailed,
    TaskRef,
    Timeout,
    Unauthenticated,
    UnexpectedAnswer,
)

ID = "0" * 32


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


#: Answers one request: it is given the handler to write to.
Step = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    url: str = ""
    script: list[Step] = field(default_factory=list)  #: one step per request
    seen: list[Seen] = field(default_factory=list)


def says(code: int, data: Any = None, *, http: int = 200, msg: str = "success", **headers: str) -> Step:
    return gives(json.dumps({"code": code, "msg": msg, "data": data}).encode(), http=http, length=None, **headers)


def gives(body: bytes, *, http: int = 200, length: int | None = None, **headers: str) -> Step:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(http)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.send_header("Connection", "close")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return step


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def record(flag: int, **more: Any) -> Step:
    return says(200, {"taskId": ID, "successFlag": flag, **more})


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.seen.append(Seen(self.command, self.path, headers, body))
            state.script.pop(0)(self)

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}"
        serving = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield state
        listening.shutdown()
        serving.join()
    assert not state.script, "the client asked less often than the script says"


Call = Callable[..., Any]


@pytest.fixture(params=["blocking", "async"])
def call(request: pytest.FixtureRequest, server: Server) -> Call:
    """``call("retrieve", ...)``: one method of one of the two clients, run to its end."""

    def blocking(name: str, /, *args: Any, options: dict[str, Any] | None = None, **named: Any) -> Any:
        with Filmgate("fg_key", **{"base_url": server.url + "/", **(options or {})}) as films:
            return getattr(films, name)(*args, **named)

    def concurrent(name: str, /, *args: Any, options: dict[str, Any] | None = None, **named: Any) -> Any:
        async def run() -> Any:
            async with AsyncFilmgate("fg_key", **{"base_url": server.url + "/", **(options or {})}) as films:
                return await getattr(films, name)(*args, **named)

        return asyncio.run(run())

    return blocking if request.param == "blocking" else concurrent


# ------------------------------------------------------------ orders and records --------------------------------------


def test_an_order_in_the_words_of_the_wire(server: Server, call: Call) -> None:
    server.script = [says(200, {"taskId": ID})]
    task = call(
        "generate",
        "a dog",
        model="veo3_fast",
        aspect_ratio="9:16",
        resolution="1080p",
        duration=6,
        seeds=12345,
        watermark="Mine",
        callback_url="https://hooks.example.org/",
        image_urls=["https://images.example.org/a.png"],
        generation_type="FIRST_AND_LAST_FRAMES_2_VIDEO",
        enable_translation=False,
        enable_fallback=True,
        style="noir",
    )
    assert task == TaskRef(ID)
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/api/v1/veo/generate")
    assert seen.headers["authorization"] == "Bearer fg_key"
    assert seen.headers["content-type"] == "application/json"
    assert json.loads(seen.body) == {
        "prompt": "a dog",
        "model": "veo3_fast",
        "aspect_ratio": "9:16",
        "resolution": "1080p",
        "duration": 6,
        "seeds": 12345,
        "watermark": "Mine",
        "callBackUrl": "https://hooks.example.org/",
        "imageUrls": ["https://images.example.org/a.png"],
        "generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO",
        "enableTranslation": False,
        "enableFallback": True,
        "style": "noir",
    }


def test_what_is_not_said_is_not_sent(server: Server, call: Call) -> None:
    server.script = [says(200, {"taskId": ID})]
    call("generate", "köln")
    assert json.loads(server.seen[0].body) == {"prompt": "köln"}


def test_a_task_is_asked_for_by_id_or_reference(server: Server, call: Call) -> None:
    server.script = [record(0, progress=0.5), record(1)]
    assert call("retrieve", ID).progress == 0.5
    assert call("retrieve", TaskRef(ID)).succeeded
    assert [seen.path for seen in server.seen] == [f"/api/v1/veo/record-info?taskId={ID}"] * 2


def test_create_and_wait_tells_progress_on_the_way(server: Server, call: Call) -> None:
    server.script = [says(200, {"taskId": ID}), record(0, stage="drawing"), record(1, stage="succeeded")]
    stages: list[str] = []
    done = call(
        "create_and_wait", "a dog", seeds=12345, poll_interval=0.001, on_progress=lambda now: stages.append(now.stage)
    )
    assert done.succeeded
    assert stages == ["drawing", "succeeded"]
    assert json.loads(server.seen[0].body) == {"prompt": "a dog", "seeds": 12345}


def test_a_failed_task(server: Server, call: Call) -> None:
    server.script = [record(2, errorCode=400, errorMessage="Flagged.")]
    with pytest.raises(TaskFailed, match="Flagged") as failed:
        call("wait", ID)
    assert failed.value.code == 400


# ------------------------------------------------------------ films from films ----------------------------------------

OWN = "1" * 32


def test_an_extension_in_the_words_of_the_wire(server: Server, call: Call) -> None:
    server.script = [says(200, {"taskId": OWN}), says(200, {"taskId": OWN})]
    more: dict[str, Any] = {"model": "quality", "seeds": 12345, "watermark": "Mine", "callback_url": "https://h/"}
    assert call("extend", TaskRef(ID), "it runs", **more, style="noir") == TaskRef(OWN)
    call("extend", ID, "it runs")
    assert {seen.path for seen in server.seen} == {"/api/v1/veo/extend"}
    assert json.loads(server.seen[1].body) == {"taskId": ID, "prompt": "it runs"}
    assert json.loads(server.seen[0].body) == {
        "taskId": ID,
        "prompt": "it runs",
        "model": "quality",
        "seeds": 12345,
        "watermark": "Mine",
        "callBackUrl": "https://h/",
        "style": "noir",
    }


def test_a_1080p_version(server: Server, call: Call, tmp_path: Path) -> None:
    large = f"{server.url}/f/large.mp4"
    server.script = [says(400, msg="1080P is processing."), says(200, {"resultUrl": large}), gives(FILM)]
    film = call("upgrade", TaskRef(ID), "1080p", poll_interval=0.001)
    assert film == Film(large)
    assert call("download", film, tmp_path / "large.mp4").read_bytes() == FILM
    assert server.seen[0].path == f"/api/v1/veo/get-1080p-video?taskId={ID}&index=0"


def test_a_4k_version(server: Server, call: Call) -> None:
    server.script = [says(200, {"taskId": OWN, "resultUrls": None, "imageUrls": None})]
    assert call("upgrade", ID, "4k", index=1, callback_url="https://h/") == TaskRef(OWN)
    assert json.loads(server.seen[0].body) == {"taskId": ID, "index": 1, "callBackUrl": "https://h/"}


@pytest.mark.parametrize(("to", "more"), [("8k", {}), ("1080p", {"callback_url": "https://h/"})])
def test_a_version_that_cannot_be_asked_for(server: Server, call: Call, to: str, more: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        call("upgrade", ID, to, **more)


# ------------------------------------------------------------ files and credits ---------------------------------------

STORED = {
    "fileName": "dog.png",
    "filePath": "dogs/dog.png",
    "downloadUrl": "https://f/dog.png",
    "fileSize": 200000,
    "mimeType": "image/png",
    "expiresAt": "2026-01-31T10:30:00Z",
}
PICTURE = b"pixels" * 30_000


def form(seen: Seen) -> dict[str, Any]:
    """The parts of a form: name -> (file name or None, content)."""
    message = email.message_from_bytes(b"content-type: " + seen.headers["content-type"].encode() + b"\n\n" + seen.body)
    parts = [part for part in message.walk() if not part.is_multipart()]
    named = {str(part.get_param("name", header="content-disposition")): part for part in parts}
    return {name: (part.get_filename(), part.get_payload(decode=True)) for name, part in named.items()}


def test_a_file_is_uploaded_from_the_disk(server: Server, call: Call, tmp_path: Path) -> None:
    (tmp_path / "dog.png").write_bytes(PICTURE)
    server.script = [gives(json.dumps({"success": True, "code": 200, "msg": "ok", "data": STORED}).encode())]
    upload = call("upload", tmp_path / "dog.png", name="dog.png", upload_path="dogs")
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/api/file-stream-upload")
    assert seen.headers["authorization"] == "Bearer fg_key"
    assert form(seen) == {
        "uploadPath": (None, b"dogs"),
        "fileName": (None, b"dog.png"),
        "file": ("dog.png", PICTURE),
    }
    assert (upload.url, upload.name, upload.path) == ("https://f/dog.png", "dog.png", "dogs/dog.png")
    assert (upload.size, upload.mime, upload.expires.year) == (200000, "image/png", 2026)


def test_local_images_of_an_order_are_uploaded_first(server: Server, call: Call, tmp_path: Path) -> None:
    (tmp_path / "dog.png").write_bytes(PICTURE)
    server.script = [says(200, STORED), says(200, {"taskId": ID})]
    call("generate", "it wakes up", images=[str(tmp_path / "dog.png"), "https://elsewhere/cat.png"])
    assert form(server.seen[0])["file"] == ("dog.png", PICTURE)
    assert json.loads(server.seen[1].body)["imageUrls"] == ["https://f/dog.png", "https://elsewhere/cat.png"]


def test_a_broken_upload_is_begun_again_from_the_start(server: Server, call: Call, tmp_path: Path) -> None:
    (tmp_path / "dog.png").write_bytes(PICTURE)
    server.script = [hangs_up, says(200, STORED)]
    call("upload", tmp_path / "dog.png")
    assert form(server.seen[1])["file"] == ("dog.png", PICTURE)


def test_files_may_go_to_another_address(server: Server, call: Call) -> None:
    server.script = [says(200, STORED)]
    call("upload", b"raw", options={"base_url": "http://127.0.0.1:1", "upload_url": server.url + "/"})
    assert server.seen[0].path == "/api/file-stream-upload"


@pytest.mark.parametrize("what", ["nowhere.png", "."])
def test_a_file_that_cannot_be_read(server: Server, call: Call, tmp_path: Path, what: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        call("upload", tmp_path / what)


def test_a_file_that_the_server_refuses(server: Server, call: Call) -> None:
    body = {"success": False, "code": 400, "msg": "The file is empty.", "data": None}
    server.script = [gives(json.dumps(body).encode(), http=400)]
    with pytest.raises(InvalidRequest, match="empty"):
        call("upload", b"")


def test_credits_and_download_links(server: Server, call: Call) -> None:
    server.script = [says(200, 5916.25), says(200, "https://f/short"), says(422, msg="url is wrong")]
    assert call("credits") == 5916.25
    assert call("download_url", "https://f/long") == "https://f/short"
    with pytest.raises(InvalidRequest, match="url is wrong"):
        call("download_url", "https://foreign/")
    assert [seen.path for seen in server.seen] == ["/api/v1/chat/credit", *["/api/v1/common/download-url"] * 2]


# ------------------------------------------------------------ errors and retries --------------------------------------


@pytest.mark.parametrize("http", [200, 402])
def test_errors_come_by_code_in_both_modes(server: Server, call: Call, http: int) -> None:
    server.script = [says(402, msg="Credits insufficient.", http=http)]
    with pytest.raises(InsufficientCredits) as raised:
        call("generate", "a dog")
    assert (raised.value.code, raised.value.message) == (402, "Credits insufficient.")


@pytest.mark.parametrize("http", [200, 429])
def test_too_many_requests_are_waited_out_as_the_server_asks(server: Server, call: Call, http: int) -> None:
    server.script = [says(429, http=http, Retry_After="0"), says(429, Retry_After="0"), says(200, {"taskId": ID})]
    assert call("generate", "a dog") == TaskRef(ID)


def test_too_many_requests_too_often(server: Server, call: Call) -> None:
    server.script = [says(429, msg="Slow down.", Retry_After="0") for _ in range(3)]
    with pytest.raises(RateLimited, match="Slow down"):
        call("generate", "a dog", options={"max_retries": 2})


def test_a_dropped_connection_is_tried_again_for_a_record(server: Server, call: Call) -> None:
    server.script = [hangs_up, record(1)]
    assert call("retrieve", ID).succeeded


def test_a_dropped_connection_is_not_tried_again_for_an_order(server: Server, call: Call) -> None:
    server.script = [hangs_up]
    with pytest.raises(ConnectionFailed, match="broke") as raised:
        call("generate", "a dog")
    assert raised.value.sent


def test_a_silent_server_is_a_timeout(server: Server, call: Call) -> None:
    over = threading.Event()

    def stays_silent(handler: BaseHTTPRequestHandler) -> None:
        over.wait(10)
        hangs_up(handler)

    server.script = [stays_silent]
    with pytest.raises(Timeout, match="did not answer in time"):
        call("generate", "a dog", options={"timeout": 0.1})
    over.set()


def test_no_server(server: Server, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "url", "http://127.0.0.1:1")
    with pytest.raises(ConnectionFailed, match=r"No connection to http://127\.0\.0\.1:1") as raised:
        call("generate", "a dog", options={"max_retries": 0})
    assert not raised.value.sent


def test_an_address_without_a_scheme(server: Server, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "url", "films.example.org")
    with pytest.raises(InvalidRequest, match="http://"):
        call("generate", "a dog")


def test_another_kind_of_server(server: Server, call: Call) -> None:
    server.script = [gives(b"<html>Welcome</html>")]
    with pytest.raises(UnexpectedAnswer, match="check the base URL"):
        call("retrieve", ID)


# ------------------------------------------------------------ downloads -----------------------------------------------

FILM = b"film " * 50_000


def test_a_download_lands_whole_and_without_the_key(server: Server, call: Call, tmp_path: Path) -> None:
    server.script = [record(1, response={"resultUrls": [f"{server.url}/f/film.mp4"]}), gives(FILM)]
    progress: list[tuple[int, int | None]] = []
    (tmp_path / "a.mp4").write_bytes(b"older")
    path = call(
        "download",
        call("retrieve", ID),
        tmp_path / "a.mp4",
        on_progress=lambda received, total: progress.append((received, total)),
    )
    assert path == tmp_path / "a.mp4"
    assert path.read_bytes() == FILM
    assert progress[-1] == (len(FILM), len(FILM))
    assert progress == sorted(progress)
    assert "authorization" not in server.seen[-1].headers
    assert list(tmp_path.iterdir()) == [path]


def test_of_an_extension_the_whole_film_is_downloaded(server: Server, call: Call, tmp_path: Path) -> None:
    urls = {"resultUrls": [f"{server.url}/f/part.mp4"], "fullResultUrls": [f"{server.url}/f/full.mp4"]}
    server.script = [record(1, response=urls), gives(FILM)]
    call("download", call("retrieve", ID), tmp_path / "a.mp4")
    assert server.seen[-1].path == "/f/full.mp4"


def test_a_broken_download_is_begun_again(server: Server, call: Call, tmp_path: Path) -> None:
    server.script = [gives(FILM[:70_000], length=len(FILM)), gives(FILM)]
    call("download", f"{server.url}/f", str(tmp_path / "a.mp4"))
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_half_written_remains(server: Server, call: Call, tmp_path: Path) -> None:
    server.script = [gives(FILM[:70_000], length=len(FILM))]
    (tmp_path / "a.mp4").write_bytes(b"older")
    with pytest.raises(ConnectionFailed):
        call("download", f"{server.url}/f", tmp_path / "a.mp4", options={"max_retries": 0})
    assert (tmp_path / "a.mp4").read_bytes() == b"older"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_download_leaves_nothing(server: Server, call: Call, tmp_path: Path) -> None:
    def stop(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    server.script = [gives(FILM)]
    with pytest.raises(KeyboardInterrupt):
        call("download", f"{server.url}/f", tmp_path / "a.mp4", on_progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("http", "kind"), [(404, NotFound), (410, NotFound), (403, Unauthenticated)])
def test_a_film_that_is_gone(
    server: Server, call: Call, tmp_path: Path, http: int, kind: type[FilmgateAPIError]
) -> None:
    server.script = [gives(b"gone", http=http)]
    with pytest.raises(kind):
        call("download", f"{server.url}/f", tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_record_without_a_film(server: Server, call: Call, tmp_path: Path) -> None:
    server.script = [record(0)]
    with pytest.raises(NotFound, match="no film"):
        call("download", call("retrieve", ID), tmp_path / "a.mp4")


def test_redirects_and_compression_on_the_way_to_a_film(server: Server, call: Call, tmp_path: Path) -> None:
    server.script = [
        gives(b"", http=302, Location="/elsewhere"),
        gives(gzip.compress(FILM), Content_Encoding="gzip"),
    ]
    assert call("download", f"{server.url}/f", tmp_path / "a.mp4").read_bytes() == FILM


# ------------------------------------------------------------ construction --------------------------------------------


def test_key_and_address_come_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILMGATE_API_KEY", "from-environment")
    monkeypatch.setenv("FILMGATE_URL", server.url)
    server.script = [record(0)]
    with Filmgate() as films:
        films.retrieve(ID)
    assert server.seen[0].headers["authorization"] == "Bearer from-environment"


@pytest.mark.parametrize("kind", [Filmgate, AsyncFilmgate])
def test_without_a_key_there_is_no_client(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILMGATE_API_KEY", raising=False)
    with pytest.raises(Unauthenticated, match="FILMGATE_API_KEY"):
        kind()


@pytest.mark.parametrize("kind", [Filmgate, AsyncFilmgate])
@pytest.mark.parametrize("key", ["клю ч", "a\nb", "a b"])
def test_a_key_that_no_header_can_carry_is_refused(kind: type, key: str) -> None:
    with pytest.raises(Unauthenticated, match="printable ASCII"):
        kind(key)


def test_a_client_that_is_handed_in_stays_open(server: Server) -> None:
    server.script = [record(0)]
    with httpx2.Client() as http:
        with Filmgate("key", server.url, http_client=http) as films:
            films.retrieve(ID)
        assert not http.is_closed


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    def face(kind: type) -> dict[str, tuple[Any, Any]]:
        public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
        signatures = {name: inspect.signature(member) for name, member in public.items()}
        gives = {
            name: str(of.return_annotation).replace("AsyncIterator", "Iterator") for name, of in signatures.items()
        }
        return {name: (list(of.parameters.values()), gives[name]) for name, of in signatures.items()}

    assert face(Filmgate) == face(AsyncFilmgate)
    ours, theirs = (list(inspect.signature(kind).parameters) for kind in (Filmgate, AsyncFilmgate))
    assert ours == theirs


def test_every_public_method_says_what_it_does() -> None:
    for kind in (Filmgate, AsyncFilmgate):
        assert all(member.__doc__ for name, member in vars(kind).items() if not name.startswith("_"))


def test_the_public_face_is_complete() -> None:
    from filmgate import client

    public = {name for name, member in vars(client).items() if not name.startswith("_")}
    assert public == set(client.__all__)
    assert all(issubclass(getattr(client, name), FilmgateAPIError) for name in _errors())


def _errors() -> list[str]:
    from filmgate.client import _errors as errors

    names = [name for name, member in vars(errors).items() if isinstance(member, type)]
    return [name for name in names if issubclass(getattr(errors, name), Exception)]
