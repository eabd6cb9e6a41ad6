"""From the Markdown of a page to its HTML. Pure; slow enough to be done once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


@dataclass(frozen=True, slots=True)
class Heading:
    """A second-level heading, for the list beside the page."""

    anchor: str
    words: str


@dataclass(frozen=True, slots=True)
class Typeset:
    html: str
    headings: tuple[Heading, ...]


def typeset(text: str) -> Typeset:
    """The page in HTML, safe to serve: HTML in the Markdown is shown as text. Links to ``x.md`` lead to ``x``."""
    markdown = _markdown()
    tokens = markdown.parse(text)
    headings = _anchored(tokens)
    for link in _links(tokens):
        link.attrSet("href", re.sub(r"^([\w-]+)\.md(?=$|#)", r"\1", str(link.attrGet("href") or "")))
    return Typeset(markdown.renderer.render(tokens, markdown.options, {}), headings)


def anchor(words: str) -> str:
    """The anchor of a heading: small letters, digits and dashes."""
    return "-".join(re.findall(r"[a-z0-9]+", words.lower()))


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    rules = {
        "fence": _fence,
        "heading_open": _heading_open,
        "heading_close": _heading_close,
        "table_open": _table_open,
        "table_close": _table_close,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


def _anchored(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Give every heading but the title its anchor; those of the second level."""
    found = []
    for opening, words in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag != "h1":
            plain = words.content.replace("`", "")
            opening.attrSet("id", anchor(plain))
            if opening.tag == "h2":
                found.append(Heading(anchor(plain), plain))
    return tuple(found)


def _links(tokens: Sequence[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or () if child.type == "link_open"]


def _fence(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    language = (token.info.split() or ["text"])[0]
    if language == "http":
        return "".join(_address(line) for line in token.content.splitlines())
    body = _coloured(token.content, language)
    name = escape(language)
    return f'<figure class="code" data-language="{name}"><pre tabindex="0"><code>{body}</code></pre></figure>\n'


def _address(line: str) -> str:
    method, _, path = line.partition(" ")
    return (
        f'<p class="address"><span class="method {escape(method.lower())}">{escape(method)}</span>'
        f"<code>{escape(path)}</code></p>\n"
    )


def _coloured(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _heading_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    name = token.attrGet("id")
    return f'<{token.tag} id="{name}"><a href="#{name}">' if name else f"<{token.tag}>"


def _heading_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tag = tokens[index].tag
    return f"</{tag}>\n" if tag == "h1" else f"</a></{tag}>\n"


def _table_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Wide tables scroll in a frame of their own; the frame can be reached by keyboard."""
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"
