"""Chromium, driven over a pair of pipes by its own protocol; nothing leaves the machine, and what would is listed."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium")
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
    """One page of a running browser. requests : the addresses that were asked for, in order."""

    def __init__(self, commands, answers):
        self.commands, self.answers, self.number, self.session, self.requests = commands, answers, 0, {}, []
        (target,) = (own for own in self.call("Target.getTargets")["targetInfos"] if own["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = {"sessionId": attached["sessionId"]}
        for domain in ("Network", "Page"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """One command of the protocol, and what it answers."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **self.session}
        self.commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(b"".join(iter(lambda: self.answers.read(1), b"\0")))
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, url):
        """Load a page."""
        self.call("Page.navigate", url=url)
        place = "location.href.split('#')[0] === arguments[0]"  # what stands behind the # is the page's own
        self.wait(f"return document.readyState === 'complete' && {place}", url.split("#")[0])

    def resize(self, width, height=900):
        """What a screen of this many pixels shows."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 800
        )

    def run(self, script, *arguments):
        """What a script returns."""
        called = f"(function () {{ {script} }}).apply(null, {json.dumps(arguments)})"
        found = self.call("Runtime.evaluate", expression=called, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script, *arguments, seconds=30):
        """What a script returns as soon as that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):  # the page that it ran in may be gone
                if found := self.run(script, *arguments):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {script}\n{self.run('return document.body.innerText')[:2000]}")

    def text(self):
        """What a person reads on the page."""
        return self.run("return document.body.innerText")

    def screenshot(self):
        """The page as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

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
    (theirs, commands), (answers, to_us) = os.pipe(), os.pipe()
    flags = [*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder}/profile", "about:blank"]
    running = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{to_us}', "bash", CHROMIUM, *flags],
        cwd=folder,
        pass_fds=(theirs, to_us),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(to_us)
    try:
        with os.fdopen(commands, "wb", buffering=0) as sent, os.fdopen(answers, "rb") as received:
            yield Page(sent, received)
    finally:
        running.terminate()
        running.wait(30)
