"""The pages that the server hands out: complete, safe, and in step with the types of the API."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from filmgate.dialects.files.described import OPERATIONS as FILES
from filmgate.dialects.market.described import OPERATIONS as MARKET
from filmgate.dialects.veo3.described import OPERATIONS as VEO3
from filmgate.domain.errors import Unauthenticated
from filmgate.http import docs, openapi
from filmgate.http.edition import CHOICES, PRESETS, Edition
from filmgate.http.errors import application
from filmgate.http.library import Page, library
from filmgate.http.typeset import anchor, typeset
from filmgate.ports import Caller

DESCRIBED = openapi.document([*VEO3, *MARKET, *FILES], title="Filmgate", version="1.2.3")
PAGES = library(DESCRIBED).pages
BY_NAME = {page.name: page for page in PAGES}
BASE = "https://films.test"
NAMES = [page.name for page in PAGES]
CODE = re.compile(r"`([^`]+)`")


def client(**more: Any) -> TestClient:
    made = docs.routes(DESCRIBED, public_base=lambda request: BASE, **more)
    return TestClient(application([*made, *openapi.routes(DESCRIBED)], renders={}, new_id=lambda: "1"))


# ---- the tables of fields -------------------------------------------------------------------------------------------


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, whatever refers to it, null aside."""
    options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    found: dict[str, Any] = options[0]
    return DESCRIBED["components"]["schemas"][found["$ref"].split("/")[-1]] if "$ref" in found else found


def table(page: Page, section: str) -> list[list[str]]:
    """The rows of the first table of a section, as cells; a cell that names several fields gives a row for each."""
    text = page.text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = text[text.index("\n| field |") + 1 :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [[name, *row[1:]] for row in rows for name in CODE.findall(row[0])]


def operations() -> Iterator[Any]:
    for page in PAGES:
        for method, path in page.addresses:
            yield pytest.param(page, DESCRIBED["paths"][path][method.lower()], id=f"{page.name}-{method}")


def asked(operation: dict[str, Any]) -> dict[str, tuple[bool, Any]]:
    """Field -> (needed, default)."""
    if "requestBody" in operation:
        [content] = operation["requestBody"]["content"].values()
        whole = resolved(content["schema"])
        needed = whole.get("required", [])
        return {name: (name in needed, field.get("default")) for name, field in whole["properties"].items()}
    return {each["name"]: (each["required"], None) for each in operation.get("parameters", [])}


def answered(operation: dict[str, Any]) -> dict[str, Any]:
    """The ``data`` of its answer."""
    whole = resolved(operation["responses"]["200"]["content"]["application/json"]["schema"])
    return resolved(whole["properties"]["data"])


def fields_of(schema: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield before + name
        yield from fields_of(resolved(field), f"{before}{name}.")


def test_every_address_has_a_page_and_no_page_an_address_that_is_not_there() -> None:
    described = {(method.upper(), path) for path, methods in DESCRIBED["paths"].items() for method in methods}
    assert {address for page in PAGES for address in page.addresses} == described


@pytest.mark.parametrize(("page", "operation"), list(operations()))
def test_the_fields_of_a_request_are_those_of_its_type(page: Page, operation: dict[str, Any]) -> None:
    wanted = asked(operation)
    if not wanted:
        assert "\n## Fields\n" not in page.text
        return
    told = {name: default for name, _, default, _ in table(page, "Fields")}
    missing = set(wanted) - set(told)
    assert not missing
    if operation.get("requestBody"):  # a query has fewer fields than the body of the same address
        assert set(told) == set(wanted)
    for name, (needed, default) in wanted.items():
        assert (told[name] == "**needed**") is needed, name
        if default not in (None, [], ""):
            assert told[name] == f"`{json.dumps(default).strip(chr(34))}`", name


@pytest.mark.parametrize(("page", "operation"), list(operations()))
def test_the_fields_of_an_answer_are_those_of_its_type(page: Page, operation: dict[str, Any]) -> None:
    fields = sorted(fields_of(answered(operation)))
    if not fields:  # a bare number or string
        return
    shown = table(BY_NAME["uploads"], "What comes back") if "file" in page.name else table(page, "Answer")
    assert sorted(row[0] for row in shown) == fields


def test_the_table_of_switches_names_every_switch_and_every_value() -> None:
    rows = [row.split("|")[1:3] for row in BY_NAME["editions"].text.splitlines() if row.startswith("| `")]
    told = {CODE.findall(switch)[0]: CODE.findall(values) for switch, values in rows if " or " not in switch}
    for switch, values in CHOICES.items():
        assert told[switch] == list(values), switch
        assert f"**`{getattr(Edition(), switch)}`**" in BY_NAME["editions"].text
    assert all(preset in told["preset"] for preset in PRESETS)


# ---- what is served -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/docs", "/docs/openapi", *(f"/docs/{name}" for name in NAMES)])
def test_a_page_loads_nothing_from_outside(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html;charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in policy
    assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", answer.text), "the policy forbids what stands inline"
    for tag in re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*>", answer.text):
        assert re.search(r'(?:src|href)="/docs/static/[\w.]+"', tag), tag


@pytest.mark.parametrize("path", ["/docs", "/docs/openapi", *(f"/docs/{name}" for name in NAMES)])
def test_every_link_of_a_page_leads_somewhere(path: str) -> None:
    reader = client()
    text = reader.get(path).text
    anchors = set(re.findall(r'\sid="([^"]+)"', text))
    for link in {unescape(each) for each in re.findall(r'href="([^"]+)"', text)}:
        target, _, place = link.partition("#")
        if not target:
            assert place in anchors, link
            continue
        url = target if target.startswith("/") else f"/docs/{target}"
        there = reader.get(url)
        assert there.status_code == 200, link
        assert not place or f'id="{place}"' in there.text, link


@pytest.mark.parametrize("name", NAMES)
def test_a_page_can_be_had_as_text(name: str) -> None:
    answer = client().get(f"/docs/{name}.md")
    assert answer.headers["content-type"] == "text/markdown;charset=utf-8"
    assert answer.text == BY_NAME[name].text.replace(docs.BASE, BASE)
    assert answer.text.startswith("# ")
    for method, path in BY_NAME[name].addresses:
        described = json.loads(answer.text.split("```json\n")[-1].split("\n```")[0])
        assert method.lower() in described["paths"][path]


def test_the_list_of_pages_is_flat_absolute_and_complete() -> None:
    lines = client().get("/llms.txt").text.splitlines()[2:]
    for line, page in zip(lines, PAGES, strict=True):
        assert re.fullmatch(rf"- {page.section} \[{page.title}\]\({BASE}/docs/{page.name}\.md\): \S.+", line), line


def test_the_pages_name_the_server_that_serves_them() -> None:
    words = re.sub("<[^>]+>", "", client().get("/docs/quickstart").text)
    assert f"export FILMGATE_URL={BASE}" in words
    assert docs.BASE not in client().get("/docs").text


@pytest.mark.parametrize(
    "path", ["/docs/nothing", "/docs/nothing.md", "/docs/static/layout.html", "/docs/static/x.css"]
)
def test_what_is_not_there_is_a_plain_404(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 404
    assert "/docs" in answer.text


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/generate", "/docs/generate.md", "/docs/static/style.css", "/llms.txt"]
)
def test_an_unchanged_page_is_not_sent_again(path: str) -> None:
    reader = client()
    tag = reader.get(path).headers["etag"]
    again = reader.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert reader.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_html_in_a_page_is_shown_as_text() -> None:
    made = typeset(
        '# T\n\n<script>alert(1)</script>\n\n```http\nGET /<b>\n```\n\n```x"y\n<i>\n```\n\n[l](javascript:alert(1))\n'
    )
    assert "<script" not in made.html
    assert "<b>" not in made.html
    assert "<i>" not in made.html
    assert 'href="javascript' not in made.html
    assert anchor("What it is, 2!") == "what-it-is-2"


# ---- with a key only ------------------------------------------------------------------------------------------------


async def known(request: Request) -> Caller:
    if request.headers.get("authorization") != "Bearer fg_right":
        raise Unauthenticated
    return Caller("default", "key")


def basic(words: str) -> str:
    return "Basic " + base64.b64encode(words.encode()).decode()


@pytest.mark.parametrize("path", ["/docs", "/docs/openapi", "/docs/generate", "/docs/static/style.css", "/llms.txt"])
@pytest.mark.parametrize(
    "given", [None, "Bearer fg_wrong", basic("me:fg_wrong"), "Basic ?", "Basic", basic("fg_right")]
)
def test_closed_pages_ask_for_a_key(path: str, given: str | None) -> None:
    answer = client(authenticate=known).get(path, headers={"Authorization": given} if given else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert "API key" in answer.text


@pytest.mark.parametrize("given", ["Bearer fg_right", basic("me:fg_right"), basic(":fg_right")])
def test_closed_pages_open_to_a_key(given: str) -> None:
    reader = client(authenticate=known)
    for path in ("/docs", "/docs/generate.md", "/llms.txt"):
        assert reader.get(path, headers={"Authorization": given}).status_code == 200
