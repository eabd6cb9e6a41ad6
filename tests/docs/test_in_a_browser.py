"""The documentation as a reader sees it: in a browser, on a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.browser import Browser, browsing
from support.server import KEY, Server, serving, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("docs") / "data") as running:
        yield running


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path / "profile") as opened:
        yield opened


def test_pages_ask_only_this_server_and_break_no_rule(server: Server, browser: Browser) -> None:
    for path in ("/docs", "/docs/quickstart", "/docs/openapi"):
        browser.open(server.url + path)
    asked = [each["request"]["url"] for each in browser.said("Network.requestWillBeSent")]
    assert len(asked) > 6
    assert [url for url in asked if not url.startswith((server.url, "about:"))] == []
    assert [entry["entry"]["text"] for entry in browser.said("Log.entryAdded")] == []
    assert browser.said("Runtime.exceptionThrown") == []


@pytest.mark.parametrize("path", ["/docs", "/docs/record-info", "/docs/callbacks", "/docs/openapi"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_no_page_is_wider_than_its_window(server: Server, browser: Browser, path: str, width: int) -> None:
    browser.open(server.url + path, width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_the_paper(server: Server, browser: Browser, dark: bool) -> None:
    """As WCAG measures it: 4.5 to 1 for text."""
    browser.open(f"{server.url}/docs/generate", dark=dark)
    pairs = [("--ink", "--paper"), ("--ink", "--card"), ("--soft", "--paper"), ("--accent", "--paper")]
    pairs += [("--accent-ink", "--accent"), ("--get", "--card"), ("--post", "--card"), ("--accent", "--card")]
    pairs += [(each, "--code") for each in ("--keyword", "--string", "--comment", "--number", "--called", "--ink")]
    for front, back in pairs:
        assert contrast(colour(browser, front), colour(browser, back)) >= 4.5, (front, back)


def colour(browser: Browser, name: str) -> tuple[float, ...]:
    text = browser.run(f"getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()")
    return tuple(int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(rgb: tuple[float, ...]) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_menu_opens_on_a_phone_and_stands_open_on_a_desk(server: Server, browser: Browser) -> None:
    seen = "document.querySelector('#menu nav a').checkVisibility({contentVisibilityAuto: true})"
    browser.open(f"{server.url}/docs/generate", width=1400)
    assert browser.run(seen) is True
    browser.open(f"{server.url}/docs/limits", width=400)
    assert browser.run(seen) is False
    browser.run("document.querySelector('#menu summary').click()")
    until(lambda: browser.run(seen), "the menu is drawn open", 10)


def test_without_scripts_the_pages_can_be_read(server: Server, browser: Browser) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)
    browser.call("Page.navigate", url=f"{server.url}/docs/generate")
    until(lambda: "Refusals" in words(browser), "the page is there", 20)
    assert "Reverse proxy and TLS" in words(browser)


def words(browser: Browser) -> str:
    """All that the page says to a screen reader."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    return " ".join(str(node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored"))


def test_a_film_can_be_ordered_from_the_page(server: Server, browser: Browser) -> None:
    browser.open(f"{server.url}/docs/openapi")
    until(lambda: browser.run("document.querySelectorAll('#console details').length"), "the addresses are listed", 20)
    described = server.http.get("/openapi.json").json()["paths"]
    shown = browser.run("[...document.querySelectorAll('#console summary code')].map((each) => each.textContent)")
    assert sorted(shown) == sorted(path for path, methods in described.items() for _ in methods)

    order = browser.run(SEND % (json.dumps("wrong key"), json.dumps({"prompt": "A film from a page"})))
    assert json.loads(order.partition("\n")[2])["code"] == 401
    order = browser.run(SEND % (json.dumps(KEY), json.dumps({"prompt": "It's a film from a page", "duration": 4})))
    assert order.startswith("HTTP 200\n")
    task = json.loads(order.partition("\n")[2])["data"]["taskId"]
    assert server.ended(task)["successFlag"] == 1
    assert "It'\\''s a film" in browser.run("document.querySelector('#generate .code code').textContent")


#: Fill in the key and the body of generate, send it, and wait for the answer.
SEND = """(async () => {
  const form = document.querySelector('#generate form');
  document.querySelector('.key input').value = %s;
  const area = form.querySelector('textarea');
  area.value = JSON.stringify(%s);
  area.dispatchEvent(new Event('input', { bubbles: true }));
  form.querySelector('.send').click();
  const answer = form.querySelectorAll('.code code')[1];
  while (!answer.textContent.startsWith('HTTP')) await new Promise((done) => setTimeout(done, 20));
  const told = answer.textContent;
  answer.textContent = '';
  return told;
})()"""
