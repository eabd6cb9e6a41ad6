"""The documentation, served by the server that it describes: ``/docs``, each page with its ``.md``, ``/llms.txt``.

Nothing is loaded from elsewhere, and no page needs a script. The interactive page, ``/docs/openapi``, is one script of
ours that reads ``/openapi.json``. Links and samples on the pages carry the address under which this server was asked.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from html import escape
from itertools import groupby
from string import Template
from typing import Any, Final

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..domain.errors import Unauthenticated, UnknownAddress
from .auth import Authenticate
from .library import Library, Page, asset, library

PublicBase = Callable[[Request], str]

BASE: Final = "https://films.example.org"  #: what the pages call a server; its readers see the address of this one

#: Files beside the pages, and what they are.
ASSETS: Final = {
    "style.css": "text/css;charset=utf-8",
    "copy.js": "text/javascript;charset=utf-8",
    "console.js": "text/javascript;charset=utf-8",
    "mark.svg": "image/svg+xml",
}

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

_REFUSAL = "The documentation of this server needs an API key: send it as a bearer token, or as password.\n"


def routes(
    described: dict[str, Any], *, public_base: PublicBase, authenticate: Authenticate | None = None
) -> list[Route]:
    """The pages about the API that ``described``, an OpenAPI document, describes.

    With ``authenticate``, an API key is needed to read them; ``guarded`` asks for one in front of other routes.
    """
    books = library(described)
    made = [*_pages(books, public_base), Route("/llms.txt", _llms(books, public_base))]
    return made if authenticate is None else guarded(made, authenticate)


def guarded(unguarded: Sequence[Route], authenticate: Authenticate) -> list[Route]:
    """The same routes for holders of a key only. A browser asks its user for it: any name, and the key as password."""
    guard = [Middleware(_Guard, authenticate=authenticate)]
    return [Route(each.path, each.endpoint, methods=list(each.methods or ()), middleware=guard) for each in unguarded]


def _pages(books: Library, public_base: PublicBase) -> list[Route]:
    # Endpoints that are no coroutines run in a thread: the first reader of a page waits for its typesetting.
    def index(request: Request) -> Response:
        return _html(request, _index(books), public_base(request))

    def console(request: Request) -> Response:
        return _html(request, _console(books), public_base(request))

    def text(request: Request) -> Response:
        page = _known(books, request)
        return _text(request, page.text.replace(BASE, public_base(request)), "text/markdown;charset=utf-8")

    def page(request: Request) -> Response:
        return _html(request, _printed(books, _known(books, request)), public_base(request))

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            raise UnknownAddress("There is no such file: /docs leads to the documentation.")
        return _answer(request, asset(name), ASSETS[name])

    return [
        Route("/docs", index),
        Route("/docs/openapi", console),
        Route("/docs/static/{name}", file),
        Route("/docs/{name}.md", text),
        Route("/docs/{name}", page),
    ]


def _llms(books: Library, public_base: PublicBase) -> Callable[[Request], Response]:
    def llms(request: Request) -> Response:
        base = public_base(request)
        lines = [f"- {page.section} [{page.title}]({base}/docs/{page.name}.md): {page.summary}" for page in books.pages]
        return _text(request, "\n".join(["# Filmgate", "", *lines, ""]), "text/plain;charset=utf-8")

    return llms


def _known(books: Library, request: Request) -> Page:
    page = books.page(request.path_params["name"])
    if page is None:
        raise UnknownAddress("There is no such page: /docs lists those that there are.")
    return page


# ---- what the pages are printed on ----------------------------------------------------------------------------------


def _printed(books: Library, page: Page) -> str:
    body = f'<article class="page">{page.typeset.html}{_turning(books, page)}</article>{_beside(page)}'
    return _laid_out(books, page.title, page.summary, body, here=page.name)


def _index(books: Library) -> str:
    shelves = "".join(
        f'<section><h2>{escape(section)}</h2><ul class="cards">{"".join(map(_card, pages))}</ul></section>'
        for section, pages in groupby(books.pages, key=lambda page: page.section)
    )
    return _laid_out(books, "Filmgate", _WELCOME, f'<article class="index">{_HERO}{shelves}</article>', here="")


def _console(books: Library) -> str:
    return _laid_out(books, "Try the API", "Every address of the API, to be called from here.", _CONSOLE, "openapi")


def _laid_out(books: Library, title: str, summary: str, body: str, here: str) -> str:
    return Template(books.layout).substitute(
        title=escape(title), summary=escape(summary), menu=_menu(books, here), body=body
    )


def _menu(books: Library, here: str) -> str:
    groups = [
        f"<h2>{escape(section)}</h2><ul>{''.join(_item(page.name, page.title, here) for page in pages)}</ul>"
        for section, pages in groupby(books.pages, key=lambda page: page.section)
    ]
    return "".join([*groups, f"<h2>Try it</h2><ul>{_item('openapi', 'Try the API', here)}</ul>"])


def _item(name: str, title: str, here: str) -> str:
    current = ' aria-current="page"' if name == here else ""
    return f'<li><a href="/docs/{name}"{current}>{escape(title)}</a></li>'


def _card(page: Page) -> str:
    methods = "".join(f'<span class="method {method.lower()}">{method}</span>' for method, _ in page.addresses[:1])
    return (
        f'<li><a href="/docs/{page.name}"><strong>{escape(page.title)}{methods}</strong>'
        f"<span>{escape(page.summary)}</span></a></li>"
    )


def _beside(page: Page) -> str:
    items = "".join(f'<li><a href="#{each.anchor}">{escape(each.words)}</a></li>' for each in page.typeset.headings)
    text = f'<p><a href="/docs/{page.name}.md">This page as text</a></p>'
    return f'<nav class="beside" aria-label="On this page"><h2>On this page</h2><ul>{items}</ul>{text}</nav>'


def _turning(books: Library, page: Page) -> str:
    before, after = books.around(page)
    back = f'<a rel="prev" href="/docs/{before.name}">{escape(before.title)}</a>' if before else "<span></span>"
    onward = f'<a rel="next" href="/docs/{after.name}">{escape(after.title)}</a>' if after else ""
    return f'<nav class="turning" aria-label="Neighbouring pages">{back}{onward}</nav>'


_WELCOME = "The documentation of this server: a Veo3 API of your own."
_HERO = (
    '<header class="hero"><h1>A film from a sentence</h1>'
    "<p>This server speaks the Veo3 API. Order a film, ask how it is coming along or be called back, and fetch it. "
    "A program that was written for a hosted Veo3 API changes its base URL and its key.</p>"
    f'<p class="base"><span>Base URL</span><code>{BASE}</code></p>'
    '<p class="ways"><a class="first" href="/docs/quickstart">Start here</a><a href="/docs/openapi">Try the API</a>'
    '<a href="/llms.txt">All pages as text</a><a href="/openapi.json">OpenAPI</a></p></header>'
)
_CONSOLE = (
    '<article class="console"><h1>Try the API</h1>'
    "<p>Every address of this server, called from this page. The key stays in this page and is forgotten when you "
    "leave it. Calls are real: films that you order here are made and charged.</p>"
    '<div id="console"><noscript><p>This page needs JavaScript. The same is in <a href="/openapi.json">openapi.json'
    "</a>, and on the pages beside.</p></noscript></div></article>"
    '<script src="/docs/static/console.js" defer></script>'
)


# ---- answers --------------------------------------------------------------------------------------------------------


def _html(request: Request, text: str, base: str) -> Response:
    return _text(request, text.replace(BASE, escape(base)), "text/html;charset=utf-8")


def _text(request: Request, text: str, kind: str) -> Response:
    return _answer(request, text.encode(), kind)


def _answer(request: Request, body: bytes, kind: str) -> Response:
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    headers = {**_HEADERS, "ETag": tag}
    if tag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=kind)


def _tags(header: str) -> Iterable[str]:
    return (tag.strip().removeprefix("W/") for tag in header.split(","))


class _Guard:
    """In front of a route: a key, as bearer token or, since that is what browsers can ask for, as password."""

    def __init__(self, app: ASGIApp, authenticate: Authenticate) -> None:
        self._app = app
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._authenticate(Request(_with_bearer(scope)))
        except Unauthenticated:
            challenge = {"WWW-Authenticate": 'Basic realm="Filmgate", charset="UTF-8"', **_HEADERS}
            await PlainTextResponse(_REFUSAL, status_code=401, headers=challenge)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _with_bearer(scope: Scope) -> Scope:
    """The same request, with a password turned into a bearer token."""
    headers = [(name, _as_bearer(value) if name == b"authorization" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _as_bearer(authorization: bytes) -> bytes:
    scheme, _, word = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return authorization
    try:
        return b"Bearer " + b64decode(word.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
