"""The pages of the documentation: which there are, in which order, and what each says. They lie in ``pages/``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

from .typeset import Typeset, typeset

#: Sections and their pages, in reading order.
SECTIONS: Final = (
    ("Start", ("quickstart",)),
    ("Films", ("generate", "record-info", "events", "get-1080p-video", "get-4k-video", "extend")),
    ("Tasks", ("tasks", "cancel", "media")),
    ("Jobs", ("jobs-create-task", "jobs-record-info")),
    ("Account", ("models", "credits", "download-url")),
    ("Files", ("uploads", "file-base64-upload", "file-url-upload", "file-stream-upload")),
    ("Callbacks", ("callbacks", "webhook-verification")),
    ("Reference", ("errors", "limits", "editions")),
    ("Operation", ("reverse-proxy",)),
)

_ADDRESSES = re.compile(r"^```http\n(.+?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One page. ``text`` is its Markdown, as it is served beside the HTML."""

    name: str
    section: str
    text: str

    @cached_property
    def title(self) -> str:
        return self.text.partition("\n")[0].removeprefix("# ")

    @cached_property
    def summary(self) -> str:
        """The first paragraph, in one line, without marks and links."""
        paragraph = " ".join(self.text.split("\n\n")[1].split())
        return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", paragraph).replace("`", "")

    @cached_property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """(method, path) of what the page is about."""
        lines = [line for block in _ADDRESSES.findall(self.text) for line in block.splitlines()]
        return tuple((method, path) for method, _, path in (line.partition(" ") for line in lines))

    @cached_property
    def typeset(self) -> Typeset:
        return typeset(self.text)


@dataclass(frozen=True)
class Library:
    """All pages in reading order, and what they are printed on."""

    pages: tuple[Page, ...]
    layout: str

    def page(self, name: str) -> Page | None:
        return next((page for page in self.pages if page.name == name), None)

    def around(self, page: Page) -> tuple[Page | None, Page | None]:
        """The pages before and after."""
        place = self.pages.index(page)
        before = self.pages[place - 1] if place else None
        return before, next(iter(self.pages[place + 1 :]), None)


def library(described: dict[str, Any]) -> Library:
    """Read the pages. Those of endpoints get their part of the OpenAPI document ``described`` at the end."""
    pages = tuple(_read(name, section, described) for section, names in SECTIONS for name in names)
    return Library(pages, asset("layout.html").decode())


def asset(name: str) -> bytes:
    """A file of ``pages/``."""
    return files(__package__).joinpath("pages", name).read_bytes()


def _read(name: str, section: str, described: dict[str, Any]) -> Page:
    page = Page(name, section, asset(f"{name}.md").decode())
    part = _part(described, page.addresses)
    return Page(name, section, f"{page.text.rstrip()}\n\n{part}") if part else page


def _part(described: dict[str, Any], addresses: tuple[tuple[str, str], ...]) -> str:
    """The description of these addresses as a section of a page, with the schemas that it refers to."""
    paths: dict[str, Any] = {}
    for method, path in addresses:
        if operation := described["paths"].get(path, {}).get(method.lower()):
            paths.setdefault(path, {})[method.lower()] = operation
    if not paths:
        return ""
    all_schemas = described["components"]["schemas"]
    told = {
        "openapi": described["openapi"],
        "paths": paths,
        "components": {"schemas": {name: all_schemas[name] for name in sorted(_named(paths, all_schemas))}},
    }
    return f"## OpenAPI\n\n```json\n{json.dumps(told, indent=2, ensure_ascii=False)}\n```\n"


def _named(part: Any, schemas: dict[str, Any]) -> set[str]:
    """The schemas that a part of the document refers to, and those that these refer to."""
    found: set[str] = set()
    open_ends = [part]
    while open_ends:
        text = json.dumps(open_ends.pop())
        fresh = set(re.findall(r'"#/components/schemas/([^"]+)"', text)) - found
        found |= fresh
        open_ends += [schemas[name] for name in fresh]
    return found
