"""A headless Chromium for tests, spoken to over pipes in its DevTools protocol, without network."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE = 120.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class Browser:
    """One page of a browser: goes to files, runs scripts, remembers what the page complained of."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def open(self, page: Path, width: int, height: int) -> None:
        """Open a file in a window of a size and wait until it is loaded."""
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attach = {"targetId": target, "flatten": True}
        self._session = self._send("Target.attachToTarget", attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        self._send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self._send("Page.navigate", {"url": page.resolve().as_uri()})
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        sent = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self._send("Runtime.evaluate", sent)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + _PATIENCE
        while not self.run(condition):
            if time.monotonic() > end:
                raise AssertionError(f"waited for {condition}; {self.complaints}")
            time.sleep(0.1)

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a place of the window."""
        self._send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def picture(self, path: Path) -> None:
        """Save what the window shows."""
        data = self._send("Page.captureScreenshot", {"format": "png"})["data"]
        path.write_bytes(base64.b64decode(data))

    def _send(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method}
        message["params"] = parameters or {}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        for answer in self._answers():
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._hear(answer)
        raise AssertionError("the browser has ended")

    def _answers(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" in self._rest:
                whole, self._rest = self._rest.split(b"\0", 1)
                yield json.loads(whole)
            if not select.select([self._reading], [], [], _PATIENCE)[0]:
                raise AssertionError("the browser does not answer")
            part = os.read(self._reading, 1 << 20)
            if not part:
                return
            self._rest += part

    def _hear(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled" if parameters["type"] == "error":
                self.complaints.append(str(parameters["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.complaints.append(str(parameters["entry"]["text"]))
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own and end it afterwards."""
    from_test, to_browser = os.pipe()
    from_browser, to_test = os.pipe()
    command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    # The browser reads from file 3 and writes to file 4.
    script = f'exec 3<&{from_test} 4>&{to_test}; exec "$@"'
    started = subprocess.Popen(
        ["bash", "-c", script, "bash", *command],
        pass_fds=(from_test, to_test),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_test)
    os.close(to_test)
    try:
        yield Browser(from_browser, to_browser)
    finally:
        started.terminate()
        started.wait(timeout=30)
        os.close(from_browser)
        os.close(to_browser)
