"""A real browser, told over a pipe what to do (the DevTools protocol): no library, and no port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .server import until
from .tools import program


@dataclass
class Browser:
    """One window. ``events`` is everything that it has said by itself."""

    orders: IO[bytes]
    answers: IO[bytes]
    session: str = ""
    number: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Do one thing, and wait for its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.orders.write(json.dumps(message).encode() + b"\0")
        self.orders.flush()
        while True:
            said = self._next()
            if said.get("id") == self.number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self.events.append(said)

    def open(self, url: str, *, dark: bool = False, width: int = 1280, height: int = 900) -> None:
        """Go to a page, and wait until it is loaded."""
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=media)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Page.navigate", url="about:blank")  # so that the page before is not taken for this one
        self.call("Page.navigate", url=url)
        there = f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
        until(lambda: self.run(there), f"the browser has loaded {url}", 30)
        # Two frames on, all that depends on the size of the window has heard of it.
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for. Fails where it throws."""
        made = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in made, made
        return made["result"].get("value")

    def said(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all events of a kind so far."""
        self.call("Browser.getVersion") if not self.session else self.run("0")
        return [each["params"] for each in self.events if each.get("method") == method]

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            assert byte, "the browser has gone"
            message += byte
        said: dict[str, Any] = json.loads(message)
        return said


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser without a screen, with one empty page open."""
    chromium = program("chromium", "chromium-browser", "google-chrome")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    flags += ["--remote-debugging-pipe", "--no-first-run", f"--user-data-dir={profile}", "about:blank"]
    read_orders, write_orders = os.pipe()
    read_answers, write_answers = os.pipe()
    shell = f'exec "$0" "$@" 3<&{read_orders} 4>&{write_answers}'
    process = subprocess.Popen(
        ["bash", "-c", shell, chromium, *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(read_orders, write_answers),
        start_new_session=True,
    )
    os.close(read_orders)
    os.close(write_answers)
    with os.fdopen(write_orders, "wb") as orders, os.fdopen(read_answers, "rb") as answers:
        try:
            yield _attached(Browser(orders, answers))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _attached(browser: Browser) -> Browser:
    pages = [each for each in browser.call("Target.getTargets")["targetInfos"] if each["type"] == "page"]
    page = pages[0]["targetId"] if pages else browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
    for domain in ("Page", "Network", "Log", "Runtime"):
        browser.call(f"{domain}.enable")
    return browser
