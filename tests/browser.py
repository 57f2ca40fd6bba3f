"""Chromium for tests: pages that are clicked, typed into and listened to. One browser per microphone.

    with Browser(tone=440) as alice:
        page = alice.open(url)
        page.click("button", "Call")
        page.hears(880)
"""
import json
import math
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import wave

import node_packages

# Chromium would hide addresses of this machine behind names that only multicast DNS knows, and talk to its maker.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-features=WebRtcHideLocalIpsWithMdns",
             "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"]
FAKE_MICROPHONE = ["--use-fake-device-for-media-stream"]


def tone_file(folder, hz, seconds=20):
    """A sine, whole periods of it, so that the repetition is not heard."""
    path = pathlib.Path(folder) / f"tone-{hz}.wav"
    rate = 48000
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        period = [int(12000 * math.sin(2 * math.pi * hz * n / rate)) for n in range(rate)]
        out.writeframes(b"".join(v.to_bytes(2, "little", signed=True) for v in period) * seconds)
    return path


class Browser:
    def __init__(self, tone=None, microphone=True, arguments=(), namespace=None, allowed=True):
        """`tone`: what its microphone hears, in Hz; None: the beeps of Chromium. `microphone`: whether there is one.
        `allowed`: whether pages get it without a question (else by the permissions of open())."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-browser-"))
        words = [*ARGUMENTS, *arguments]
        if microphone:
            words += FAKE_MICROPHONE
        if allowed:
            words += ["--use-fake-ui-for-media-stream"]
        if tone:
            words.append(f"--use-file-for-fake-audio-capture={tone_file(self.folder, tone)}")
        executable = shutil.which("chromium")
        assert executable, "chromium is not installed (apt-get install chromium)"
        options = json.dumps({"executable": executable, "arguments": words})
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen([*inside, "node", "browser.mjs", options], cwd=node_packages.installed(), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.answers, self.last = {}, 0
        self.lock, self.arrived = threading.Lock(), threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self._answer(0, 120)

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.arrived:
                self.answers[answer["id"]] = answer
                self.arrived.notify_all()
        with self.arrived:
            self.answers[None] = True
            self.arrived.notify_all()

    def _answer(self, number, seconds):
        with self.arrived:
            self.arrived.wait_for(lambda: number in self.answers or None in self.answers, seconds)
            answer = self.answers.pop(number, None)
        if answer is None:
            self.log.seek(0)
            raise AssertionError(f"the browser does not answer; it said: {self.log.read()[-3000:]}")
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def ask(self, action, **more):
        with self.lock:
            self.last += 1
            number = self.last
            self.process.stdin.write(json.dumps({"id": number, "do": action, **more}) + "\n")
            self.process.stdin.flush()
        return self._answer(number, 60 + more.get("seconds", 240))

    def open(self, url=None, **more):
        return Page(self, self.ask("open", url=url, **more))

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(60)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait(10)
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page:
    def __init__(self, browser, name):
        self.browser, self.name = browser, name

    def ask(self, action, **more):
        return self.browser.ask(action, page=self.name, **more)

    def goto(self, url):
        return self.ask("goto", url=url)

    def reload(self):
        self.ask("reload")

    def evaluate(self, code, argument=None):
        """A JavaScript function of one argument."""
        return self.ask("evaluate", code=code, argument=argument)

    def wait(self, code, argument=None, seconds=120):
        """Until the function answers something true, which comes back."""
        return self.ask("wait", code=code, argument=argument, seconds=seconds)

    def click(self, role, name, seconds=120):
        self.ask("click", role=role, name=name, seconds=seconds)

    def see(self, role, name=None, seconds=120):
        self.ask("see", role=role, name=name, seconds=seconds)

    def read(self, text, seconds=120):
        self.ask("read", text=text, seconds=seconds)

    def fill(self, label, text):
        self.ask("fill", label=label, text=text)

    def press(self, key):
        self.ask("press", key=key)

    def type(self, text):
        self.ask("type", text=text)

    def look(self, dark=False, width=1200, height=800):
        self.ask("look", dark=dark, width=width, height=height)

    def screenshot(self, file):
        self.ask("screenshot", file=str(file))

    def violations(self):
        """What the content security policy refused."""
        return self.evaluate("() => window.__violations")

    def told(self):
        """Errors and warnings of its console."""
        return self.ask("told")

    def axe(self):
        """Serious and critical findings about accessibility."""
        return [f for f in self.ask("axe") if f["impact"] in ("serious", "critical")]

    def loudest(self, stream="document.querySelector('audio').srcObject"):
        """(Hz, dB) of the stream; (0, -200) if there is none yet."""
        heard = self.evaluate("async () => { const s = " + stream + "; return s ? await window.__loudest(s) : {hz: 0, db: -200}; }")
        return heard["hz"], heard["db"]

    def hears(self, hz, seconds=120, **more):
        """Until this is the loudest frequency, three times running; when that began comes back (time.monotonic)."""
        end, running, heard, first = time.monotonic() + seconds, 0, None, 0
        while time.monotonic() < end:
            heard = self.loudest(**more)
            running = running + 1 if abs(heard[0] - hz) < 15 and heard[1] > -60 else 0
            if running == 1:
                first = time.monotonic()
            if running == 3:
                return first
            time.sleep(0.05)
        raise AssertionError(f"{hz} Hz was to be heard, but {heard[0]:.0f} Hz at {heard[1]:.0f} dB is")

    def listens(self, hz):
        """From now on notes when its loudspeaker plays that frequency."""
        self.evaluate("(hz) => window.__listen(hz)", hz)

    def longest_silence(self, since):
        """Of what it listens for, in seconds, after the moment `since` (time.time)."""
        return self.evaluate("""(since) => {
          const heard = [since, ...window.__heard.filter((at) => at > since), performance.timeOrigin + performance.now()];
          return Math.max(...heard.slice(1).map((at, i) => at - heard[i]));
        }""", since * 1000) / 1000

    def own_address(self):
        """Where its media goes out, as its newest connection measured it; None: nowhere."""
        return self.evaluate("""async () => {
          const report = await window.__connections.at(-1)?.getStats() ?? new Map();
          const all = [...report.values()];
          const transport = all.find((r) => r.type === 'transport');
          const pair = transport?.dtlsState === 'connected' ? report.get(transport.selectedCandidatePairId) : undefined;
          return pair?.state === 'succeeded' ? report.get(pair.localCandidateId)?.address : undefined;
        }""")

    def another(self):
        """A second tab: the same login, nothing else in common."""
        return Page(self.browser, self.ask("another"))

    def close(self):
        self.ask("close")
