#!/usr/bin/env python3
"""How long people with a browser wait: for the answer to an offer, for a page to be a telephone, for a voice after
"Answer". Chromium against one server on the same machine. Prints a table.

  tests/load/browser.py [--offers 100] [--pages 20] [--calls 50]      the release binary, or $BELLWIRE
"""
import argparse
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import office as offices  # noqa: E402
from browser import Browser  # noqa: E402
from functional.test_phone_page import logged_in  # noqa: E402
from office import Office  # noqa: E402

QUIET = "logging:\n  level: WARNING\nsecurity:\n  calls_per_extension: 20000\n"
TABS = 8  # an extension may have ten sessions, and those of tabs that were closed last for a while
PAGES = [str(number) for number in range(1010, 1030)]

# Each offer is one of a connection of its own, for a session that has none.
OFFERS = """async (count) => {
  const post = (path, body) => fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
  const times = [];
  for (let i = 0; i < count; i++) {
    const {session} = await (await post('/api/webrtc/session', {extension: '1003'})).json();
    const connection = new RTCPeerConnection();
    connection.addTransceiver('audio');
    await connection.setLocalDescription(await connection.createOffer());
    const {sdp} = connection.localDescription;
    const before = performance.now();
    const answer = await (await post('/api/webrtc/offer', {session_id: session.session_id, sdp})).json();
    times.push(performance.now() - before);
    await connection.setRemoteDescription({type: 'answer', sdp: answer.sdp});
    connection.close();
    await fetch('/api/webrtc/session/' + session.session_id, {method: 'DELETE'});
  }
  return times;
}"""

# Both ends of "answered and heard", by one clock: ms since 1970. What is heard is read where the loudspeaker has it from.
PRESSES = "() => addEventListener('pointerdown', (event) => (window.pressed = performance.timeOrigin + event.timeStamp), true)"
WAITS_FOR_A_VOICE = """(hz) => {
  const [track] = document.querySelector('audio').srcObject.getAudioTracks();
  const frames = new MediaStreamTrackProcessor({track}).readable.getReader();
  // A page that is busy reads a frame late: its own mark says when it was played, by a clock that this one is set by.
  let clock = Infinity;
  const listen = async () => {
    for (;;) {
      const {value: frame, done} = await frames.read();
      if (done) return;
      clock = Math.min(clock, performance.timeOrigin + performance.now() - frame.timestamp / 1000);
      const samples = new Float32Array(frame.numberOfFrames);
      frame.copyTo(samples, {planeIndex: 0, format: 'f32-planar'});
      let re = 0, im = 0;
      samples.forEach((x, i) => {
        const turn = (2 * Math.PI * hz * i) / frame.sampleRate;
        re += x * Math.cos(turn);
        im += x * Math.sin(turn);
      });
      frame.close();
      const loud = (2 * Math.hypot(re, im)) / samples.length > 0.05;
      if (loud && window.heardAt === 0) window.heardAt = clock + frame.timestamp / 1000;
    }
  };
  window.heardAt = 0;
  listen();
}"""
SILENT = "async () => { window.heardAt = 0; await new Promise((r) => setTimeout(r, 100)); return window.heardAt === 0; }"


def offers(url, browser, count):
    page = logged_in(browser, url, "1003")
    page.evaluate(OFFERS, 1)  # what is done once for all is not counted
    times = page.evaluate(OFFERS, count)
    page.close()
    return times


def pages(url, browser, count):
    """From the wish to see the page to the moment at which sound can flow, each in a tab of its own."""
    times = []
    for number in PAGES:
        first = logged_in(browser, url, number)
        first.read("Ready")
        for _ in range(min(TABS, count - len(times))):
            page = first.another()
            page.goto(f"{url}/phone")
            times.append(page.wait("() => window.__connectedAt"))
            page.close()
        first.close()
        if len(times) == count:
            break
    return times


def calls(url, low, high, count):
    """From the press of "Answer" to the voice of who pressed it, at the page that called."""
    alice, bob = logged_in(low, url, "1001"), logged_in(high, url, "1002")
    for page in (alice, bob):
        page.read("Ready")
    bob.evaluate(PRESSES)
    alice.evaluate(WAITS_FOR_A_VOICE, 880)
    times = []
    for _ in range(count):
        alice.wait("() => document.getElementById('number') !== null")
        alice.fill("Name or number", "1002")
        alice.press("Enter")
        bob.see("button", "Answer")
        bob.wait("() => window.__connections.at(-1).getSenders()[0].track !== null")  # it rings for a moment
        alice.wait(SILENT)  # the end of the call before may still sound
        bob.click("button", "Answer")
        heard = alice.wait("() => window.heardAt")
        times.append(heard - bob.evaluate("() => window.pressed"))
        alice.click("button", "Hang up")
        bob.see("button", "Call")
    alice.close()
    bob.close()
    return times


def say(what, times, must):
    ordered = sorted(times)
    print(f"| {what} | {len(times)} | {statistics.median(times):.1f} | {ordered[len(times) * 9 // 10]:.1f} | "
          f"{ordered[-1]:.1f} | {must} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=100)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--calls", type=int, default=50)
    options = parser.parse_args()
    print(f"{offices.BINARY}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print("| milliseconds | times | median | p90 | most | median must be |\n|---|---|---|---|---|---|")
    with Office(["1001", "1002", "1003", *PAGES], config=QUIET) as office, Browser(tone=440) as low, Browser(tone=880) as high:
        url = f"http://127.0.0.1:{office.http}"
        say("POST offer to answer in hand", offers(url, low, options.offers), "10")
        say("page open to media connected", pages(url, low, options.pages), "500")
        say("\"Answer\" pressed to voice heard", calls(url, low, high, options.calls), "100")


if __name__ == "__main__":
    main()
