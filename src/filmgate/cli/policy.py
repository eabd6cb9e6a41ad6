"""``filmgate policy``: the rules for prompts, tried out and shown."""

from __future__ import annotations

from typing import Any

import click

from ..domain.policy import Category, Finding, Rules
from ..settings import Settings
from .failures import Exit
from .options import WORDS, as_json, with_settings
from .saying import say, say_json
from .tables import Row, show_table


@click.group()
def policy() -> None:
    """Try the rules for prompts, and show them."""


@policy.command()
@click.argument("prompt", type=WORDS)
@with_settings
@as_json
@click.pass_context
def check(ctx: click.Context, settings: Settings, prompt: str, json_: bool) -> None:
    """Say whether PROMPT is refused, by which rule, and what the client would be told."""
    found = _rules(settings).find(prompt)
    in_force = settings.policy.enabled
    if json_:
        say_json(_verdict(found) | {"inForce": in_force})
    else:
        _tell(found)
        if not in_force:
            say("The rules are switched off (policy.enabled): the server refuses nothing.", err=True)
    if found is not None:
        ctx.exit(Exit.FAILED)


@policy.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List the categories, with those of an operator's own."""
    categories = _rules(settings).categories
    if json_:
        say_json([_facts(each) for each in categories])
        return
    rows = [Row((each.name, each.refusal, _fallback(each), str(_count(each)), each.about)) for each in categories]
    show_table(("category", "refusal", "fallback", "phrases", "about"), rows)


def _rules(settings: Settings) -> Rules:
    from ..app.policy import rules_of

    return rules_of(settings)


def _tell(found: Finding | None) -> None:
    if found is None:
        say("Nothing in the rules is against it.")
        return
    code, msg = _told(found)
    say(f'Refused by {found.category.name}: "{found.words}".')
    say(f"The client is told {code}: {msg}")
    if found.category.fallback:
        say("A fallback engine may make it, where the order allows that (enableFallback, 16:9).")


def _told(found: Finding) -> tuple[int, str]:
    from ..http.codes import code_of

    return code_of(found.error)


def _verdict(found: Finding | None) -> dict[str, Any]:
    if found is None:
        return {"refused": False}
    code, msg = _told(found)
    category = found.category
    return {
        "refused": True,
        "category": category.name,
        "words": found.words,
        "fallback": category.fallback,
        "code": code,
        "msg": msg,
    }


def _facts(category: Category) -> dict[str, Any]:
    return {
        "name": category.name,
        "about": category.about,
        "refusal": category.refusal.value,
        "fallback": category.fallback,
        "phrases": list(category.phrases),
        "exceptions": list(category.exceptions),
        "together": [list(phrases) for phrases in category.together],
        "within": category.within,
    }


def _count(category: Category) -> int:
    return len(category.phrases) + sum(map(len, category.together))


def _fallback(category: Category) -> str:
    return "may be asked" if category.fallback else "-"
