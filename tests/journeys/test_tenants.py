"""Two tenants share a server. Each tries everything against the other's tasks, films, uploads, callbacks and keys."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from filmgate.client import SignatureInvalid, webhooks
from support.receiver import Receiver, receiving
from support.server import Server, serving, until

UNKNOWN = "0" * 32
GENERATE = "/api/v1/veo/generate"
RECORD = "/api/v1/veo/record-info"
DOWNLOAD = "/api/v1/common/download-url"
CREDIT = "/api/v1/chat/credit"
UPLOAD = "/api/file-base64-upload"


@dataclass
class Tenant:
    """An account with a key, and one of each thing that belongs to it."""

    name: str
    http: httpx2.Client
    key_id: str
    secret: str
    receiver: Receiver
    task_id: str = ""
    film: str = ""
    picture: str = ""

    def answer(self, method: str, path: str, **fields: Any) -> tuple[int, dict[str, str], bytes]:
        told = self.http.request(
            method, path, params=fields if method == "GET" else None, json=None if method == "GET" else fields
        )
        return told.status_code, {k: v for k, v in told.headers.items() if k != "date"}, told.content

    def code(self, method: str, path: str, **fields: Any) -> int:
        return int(json.loads(self.answer(method, path, **fields)[2])["code"])

    def record(self, task_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self.http.get(RECORD, params={"taskId": task_id}).json()["data"]
        return data

    def ended(self, task_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            return found if (found := self.record(task_id))["successFlag"] else None

        record: dict[str, Any] = until(look, f"{task_id} ends")
        return record

    def ordered(self, **fields: Any) -> str:
        answer = self.http.post(GENERATE, json={"prompt": "a dog", "duration": 4, **fields}).json()
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])

    @property
    def credits(self) -> int:
        return int(self.http.get(CREDIT).json()["data"])


def picture(colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def furnish(tenant: Tenant, colour: str) -> None:
    """A film with a callback, and an upload of the same path and name as everybody's."""
    tenant.task_id = tenant.ordered(callBackUrl=tenant.receiver.url)
    tenant.film = tenant.ended(tenant.task_id)["resultUrl"]
    place = {"uploadPath": "images", "fileName": "me.png", "base64Data": picture(colour)}
    tenant.picture = tenant.http.post(UPLOAD, json=place).json()["data"]["downloadUrl"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind a proxy on this machine."""
    data = tmp_path_factory.mktemp("tenants") / "data"
    with serving(data, FILMGATE_SERVER__TRUSTED_PROXIES="127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
def tenants(server: Server) -> Iterator[tuple[Tenant, Tenant]]:
    with receiving() as first, receiving() as second:
        both = []
        for name, receiver, colour in (("acme", first, "red"), ("umbra", second, "blue")):
            server.cli("accounts", "create", name, "--credits", "5000")
            server.cli("keys", "webhook", "--account", name, "--vendor", f"secret-of-{name}")
            made = json.loads(server.cli("keys", "create", "--account", name, "--json"))
            http = httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {made['key']}"}, timeout=30)
            both.append(Tenant(name, http, made["id"], made["key"], receiver))
            furnish(both[-1], colour)
        yield both[0], both[1]
        for tenant in both:
            tenant.http.close()


@pytest.fixture(params=[0, 1], ids=["acme", "umbra"])
def meeting(request: pytest.FixtureRequest, tenants: tuple[Tenant, Tenant]) -> tuple[Tenant, Tenant]:
    """(who tries, whose it is)"""
    return tenants[request.param], tenants[1 - request.param]


def job(model: str, **fields: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", "/api/v1/jobs/createTask", {"model": model, "input": fields}


def attempts(task_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Everything that can be asked of a task, or made of its film."""
    of_task = {"taskId": task_id}
    return [
        ("GET", RECORD, of_task),
        ("GET", "/api/v1/jobs/recordInfo", of_task),
        ("GET", "/api/v1/veo/get-1080p-video", of_task),
        ("GET", "/api/v1/veo/get-4k-video", of_task),
        ("POST", "/api/v1/veo/get-4k-video", of_task),
        ("POST", "/api/v1/veo/extend", {**of_task, "prompt": "on"}),
        job("veo/extend", task_id=task_id, prompt="on"),
        job("veo/get-1080p-video", taskId=task_id),
        job("veo/get-4k-video", task_id=task_id),
    ]


def test_nothing_can_be_asked_of_the_other_s_task(meeting: tuple[Tenant, Tenant]) -> None:
    """Each answer is that for a task that there is not, to the byte; and nobody has paid or ordered anything."""
    tries, owns = meeting
    before = tries.credits, owns.credits
    for theirs, nobodys in zip(attempts(owns.task_id), attempts(UNKNOWN), strict=True):
        refused = tries.answer(theirs[0], theirs[1], **theirs[2])
        assert refused == tries.answer(nobodys[0], nobodys[1], **nobodys[2]), theirs[1]
        assert json.loads(refused[2])["code"] in (404, 422)
    assert (tries.credits, owns.credits) == before
    assert owns.code("GET", RECORD, taskId=owns.task_id) == 200


def test_the_other_s_files_are_not_handed_out_anew(meeting: tuple[Tenant, Tenant]) -> None:
    tries, owns = meeting
    forged = owns.film.replace(owns.task_id, tries.task_id)
    for url in (owns.film, owns.picture, forged):
        assert tries.answer("POST", DOWNLOAD, url=url) == tries.answer("POST", DOWNLOAD, url="https://a.example/x.mp4")
    assert owns.code("POST", DOWNLOAD, url=owns.film) == 200


def test_uploads_of_one_name_are_two_files(meeting: tuple[Tenant, Tenant]) -> None:
    tries, owns = meeting
    assert tries.picture != owns.picture
    assert httpx2.get(tries.picture).content != httpx2.get(owns.picture).content


def test_the_other_s_images_are_not_read_from_the_storage(tmp_path: Path) -> None:
    """Where this machine may not be called, a link of ours is of use to its owner alone."""
    with serving(tmp_path / "data", FILMGATE_NET__ALLOW_PRIVATE="false") as guarded:
        tenants = []
        for name in ("acme", "umbra"):
            guarded.cli("accounts", "create", name, "--credits", "5000")
            made = json.loads(guarded.cli("keys", "create", "--account", name, "--json"))
            http = httpx2.Client(base_url=guarded.url, headers={"Authorization": f"Bearer {made['key']}"}, timeout=30)
            tenants.append(Tenant(name, http, made["id"], made["key"], Receiver("")))
            sent = {"uploadPath": "images", "fileName": "me.png", "base64Data": picture("red")}
            tenants[-1].picture = http.post(UPLOAD, json=sent).json()["data"]["downloadUrl"]
        acme, umbra = tenants
        mine = acme.ended(acme.ordered(imageUrls=[acme.picture]))
        assert mine["successFlag"] == 1, mine
        for link in (acme.picture, mine["resultUrl"]):
            theirs = umbra.ended(umbra.ordered(imageUrls=[link]))
            assert theirs["successFlag"] in (2, 3)
            assert "Failed to fetch the image" in theirs["errorMessage"]
        assert umbra.credits == 5000
        for tenant in tenants:
            tenant.http.close()


def test_links_open_for_whoever_holds_them(meeting: tuple[Tenant, Tenant]) -> None:
    """By design: a link is the permission. Without its signature it opens nothing, whatever key comes along."""
    tries, owns = meeting
    for url in (owns.film, owns.picture):
        assert httpx2.get(url).status_code == 200
        before, _, rest = url.partition("/f/")
        expiry, signature, path = rest.split("/", 2)
        for forged in (f"{int(expiry) + 1}/{signature}/{path}", f"{expiry}/{'0' * len(signature)}/{path}"):
            assert tries.http.get(f"{before}/f/{forged}").status_code == 404


def test_callbacks_go_to_their_owner_signed_with_its_secret(meeting: tuple[Tenant, Tenant]) -> None:
    tries, owns = meeting
    told = until(lambda: owns.receiver.raw, "the callback has come")[0]
    headers = owns.receiver.headers[0]
    assert webhooks.verify_vendor(told, headers, f"secret-of-{owns.name}", tolerance_s=None).task_id == owns.task_id
    with pytest.raises(SignatureInvalid):
        webhooks.verify_vendor(told, headers, f"secret-of-{tries.name}", tolerance_s=None)
    assert not any(owns.task_id in json.dumps(body) for body in tries.receiver.bodies)


def test_nothing_of_the_operator_s_can_be_reached_with_a_key(meeting: tuple[Tenant, Tenant]) -> None:
    tries, owns = meeting
    for path in ("/api/v1/accounts", "/api/v1/keys", f"/api/v1/keys/{owns.key_id}", "/api/v1/audit"):
        assert tries.code("GET", path) == 404
    for name in ("key", "key_id", "account", "accountId"):
        body = {"prompt": "a dog", "duration": 4, name: owns.key_id if "key" in name else owns.name}
        before = owns.credits
        tries.ended(tries.http.post(GENERATE, json=body).json()["data"]["taskId"])
        assert owns.credits == before
    assert tries.http.get(CREDIT, headers={"Authorization": f"Bearer {owns.key_id}"}).json()["code"] == 401


def test_a_key_of_a_network_opens_from_there_only(server: Server, tenants: tuple[Tenant, Tenant]) -> None:
    """The proxy on this machine says where a request came from; what the client made up before is not believed."""
    made = json.loads(server.cli("keys", "create", "--account", "acme", "--allow", "198.51.100.0/24", "--json"))

    def asked(key: str, forwarded: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": forwarded}
        told = httpx2.get(server.url + CREDIT, headers=headers)
        return told.status_code, told.content

    unknown = asked("fg_unknown", "198.51.100.7")
    assert json.loads(unknown[1])["code"] == 401
    assert json.loads(asked(made["key"], "203.0.113.1, 198.51.100.7")[1])["code"] == 200
    assert json.loads(asked(made["key"], "[2001:db8::1]:4, 198.51.100.7:443, 127.0.0.1")[1])["code"] == 200
    for elsewhere in ("198.51.100.7, 203.0.113.1", "203.0.113.1", "", "unknown", "198.51.100.7, unknown"):
        assert asked(made["key"], elsewhere) == unknown


def test_a_key_is_rotated_while_the_server_runs(server: Server, tenants: tuple[Tenant, Tenant]) -> None:
    made = json.loads(server.cli("keys", "create", "--account", "acme", "--json"))

    def code(secret: str) -> int:
        return int(httpx2.get(server.url + CREDIT, headers={"Authorization": f"Bearer {secret}"}).json()["code"])

    second = json.loads(server.cli("keys", "rotate", made["id"], "--json"))["key"]
    assert [code(made["key"]), code(second)] == [200, 200]
    third = json.loads(server.cli("keys", "rotate", made["id"], "--overlap", "0", "--json"))["key"]
    assert [code(made["key"]), code(second), code(third)] == [401, 401, 200]


def test_the_use_of_keys_is_noted_when_the_server_stops(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False) as server:
        assert server.http.get(CREDIT).json()["code"] == 200
        assert server.stop() == 0
        [key] = json.loads(server.cli("keys", "list", "--json"))
        assert key["lastUsed"] is not None
