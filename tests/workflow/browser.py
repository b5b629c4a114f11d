"""Chromium, driven by the WebDriver protocol over plain HTTP; nothing leaves the machine."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1400,900",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page that needs the network fails
]


class Page:
    """One page of a running browser."""

    def __init__(self, session):
        self.session = session

    def call(self, command, **content):
        """One command of the protocol."""
        data = json.dumps(content).encode()
        request = urllib.request.Request(f"{self.session}/{command}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        """Load a page."""
        self.call("url", url=url)

    def run(self, script, *arguments):
        """What a script returns."""
        return self.call("execute/sync", script=script, args=list(arguments))

    def wait(self, script, *arguments, seconds=30):
        """What a script returns as soon as that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.run(script, *arguments):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {script}\n{self.run('return document.body.innerText')[:2000]}")

    def text(self):
        """What a person reads on the page."""
        return self.run("return document.body.innerText")

    def click(self, label):
        """Click on what shows `label`."""
        self.wait(
            """
            const [label] = arguments;
            const found = [...document.querySelectorAll("a, button, [role=button]")].find(
                (node) => node.innerText.trim().toLowerCase() === label.toLowerCase());
            if (found) found.click();
            return Boolean(found);
            """,
            label,
        )


@contextlib.contextmanager
def browser(folder):
    """A headless Chromium whose profile lies in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen(
        [DRIVER, f"--port={port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    options = {"binary": CHROMIUM, "args": [*FLAGS, f"--user-data-dir={folder}/profile"]}
    wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
    try:
        for _ in range(100):
            with contextlib.suppress(urllib.error.URLError):
                session = Page(url).call("session", **wanted)["sessionId"]
                break
            time.sleep(0.1)
        yield Page(f"{url}/session/{session}")
        urllib.request.urlopen(urllib.request.Request(f"{url}/session/{session}", method="DELETE"), timeout=60)
    finally:
        driver.terminate()
        driver.wait()
