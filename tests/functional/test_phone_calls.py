"""Calls on the page /phone: every state of them, by mouse and by keyboard alone, with names that try to be markup.

The requests of calls are answered by the test (stand_in.py), so that each state lasts as long as it is looked at; the media
is a real connection to another Chromium. With BELLWIRE_IMAGES=docs/images the screenshots of the guide are made anew.
"""
import os
import socket
import unittest

from browser import Browser
from functional.test_phone_page import NAMES, logged_in, named
from office import ROOT, Office, wait_until
from stand_in import StandIn

CALLER = "<b>Carol</b> <img src=x onerror=alert(1)>"
IMAGES = os.environ.get("BELLWIRE_IMAGES")


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = named(Office(), {**NAMES, "1003": "Carol Núñez", "1004": "Reception"})
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.far_end = Browser()
        cls.addClassCleanup(cls.far_end.close)
        cls.browser = Browser(tone=440)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.far = self.far_end.open("about:blank")
        self.addCleanup(self.far.close)
        self.server = StandIn(self.office, self.far)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.page = logged_in(self.browser, self.server.url)
        self.addCleanup(self.page.close)
        self.page.read("Ready")
        self.page.see("button", "Call Reception")  # names are known

    def verbs(self, verb):
        return [body for path, body in self.server.asked if path.endswith("/" + verb)]

    def asked(self, verb):
        """The newest request of this kind; waits for one."""
        return wait_until(lambda: self.verbs(verb), 60, f"a request {verb}")[-1]

    def fine(self, image=None):
        """Nobody is kept out, nothing is refused; and what it looks like."""
        self.assertEqual(self.page.axe(), [])
        self.assertEqual(self.page.violations(), [])
        if image and IMAGES:
            folder = ROOT / IMAGES
            folder.mkdir(exist_ok=True)
            for name, look in (("", {}), ("-dark", {"dark": True}), ("-phone", {"width": 390, "height": 844})):
                self.page.look(**look)
                self.page.screenshot(folder / f"phone-{image}{name}.png")
            self.page.look()

    def ring(self, **more):
        self.server.push("webrtc.incoming", call_id="c-900", caller="1003", **more)
        self.page.see("button", "Answer")

    def answered(self):
        self.page.see("button", "Hang up")
        self.server.push("webrtc.answered", call_id=self.server.call())
        self.page.see("timer")

    def both_hear(self):
        self.page.hears(880)
        self.far.hears(440, stream="window.heard")

    def test_idle(self):
        self.fine("idle")

    def test_a_call_that_comes_in_is_shown_answered_and_heard(self):
        self.ring(caller_info={"name": "Carol Núñez", "company": "Northwind Traders", "notes": "Asked for an offer last week.",
                               "url": "https://crm.example/contacts/7"})
        self.assertEqual(self.page.evaluate("() => document.title"), "Carol Núñez is calling")
        self.fine("incoming")
        self.page.click("button", "Answer")
        self.assertEqual(self.asked("accept"), {"call_id": "c-900"})
        self.both_hear()
        self.page.read("Good")
        self.fine("in-call")
        self.server.push("webrtc.ended", call_id="c-900", reason="Carol Núñez hung up.")
        self.page.see("button", "Call")
        self.page.read("Carol Núñez hung up.")
        self.assertEqual(self.page.evaluate("() => document.title"), "Bellwire Phone")

    def test_a_call_rings_and_is_announced_while_the_page_is_in_the_background(self):
        self.page.evaluate("""() => {
          window.told = [];
          window.bells = 0;
          window.Notification = class { static permission = 'granted'; constructor(title, more) { told.push(title, more.body); } close() { told.push('closed'); } };
          const Bell = window.OscillatorNode;
          window.OscillatorNode = class extends Bell { start(at) { window.bells += 1; super.start(at); } };
          Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
        }""")
        self.ring(caller_info={"name": "Carol Núñez"})
        self.assertEqual(self.page.evaluate("() => window.told"), ["Incoming call", "Carol Núñez"])
        self.page.wait("() => window.bells >= 4")  # two bells each time
        self.server.push("webrtc.ended", call_id="c-900", reason="The caller gave up.")
        self.page.read("The caller gave up.")
        self.assertEqual(self.page.evaluate("() => window.told.at(-1)"), "closed")
        bells = self.page.evaluate("() => window.bells")
        self.page.wait("async (n) => { await new Promise((r) => setTimeout(r, 3500)); return window.bells === n; }", bells)

    def test_a_caller_made_of_markup_is_text(self):
        self.ring(caller_info={"name": CALLER, "company": CALLER, "notes": "<script>alert(1)</script>", "url": "javascript:alert(1)"})
        heading = self.page.evaluate("() => document.getElementById('caller').textContent")
        self.assertEqual(heading, CALLER)
        self.page.click("button", "Answer")
        self.page.see("button", "Hang up")
        shown = self.page.evaluate("() => ({text: document.body.innerText, bad: document.querySelectorAll('img[src=x], h2 b, script:not([src]), a[href^=java]').length})")
        self.assertIn(CALLER, shown["text"])
        self.assertEqual(shown["bad"], 0)
        self.fine()
        self.assertEqual([t for t in self.page.told() if "Failed to load" not in t], [])

    def test_a_whole_call_by_keyboard(self):
        page = self.page
        page.type("1002")  # the field has the focus from the start
        page.press("Enter")
        self.assertEqual(self.asked("call")["target_extension"], "1002")
        self.answered()
        self.assertEqual(self.focus(), "Hang up")
        self.tab_to("Mute", back=True)
        page.press("Space")
        page.wait("() => document.querySelector('[aria-pressed=true]') !== null")
        page.press("Space")
        self.tab_to("Keypad")
        page.press("Enter")
        page.type("12#")
        page.read("12#")
        self.assertEqual([b["digits"] for b in self.verbs("dtmf")], ["1", "2", "#"])
        self.tab_to("Hold", back=True)
        page.press("Enter")
        self.asked("hold")
        page.see("button", "Resume")
        self.tab_to("Resume")
        page.press("Enter")
        self.asked("resume")
        page.see("button", "Transfer")
        self.tab_to("Transfer")
        page.press("Enter")
        page.type("Recep")  # the field has the focus
        page.press("Escape")
        self.assertEqual(self.focus(), "Transfer")
        page.press("F9")
        self.asked("hangup")
        page.see("button", "Call")
        self.assertEqual(self.focus(), "number")
        self.fine()

    def test_answering_and_declining_by_one_key(self):
        self.ring()
        self.assertEqual(self.focus(), "Answer")
        self.page.press("F9")
        self.assertEqual(self.asked("reject"), {"call_id": "c-900"})
        self.page.see("button", "Call")
        self.server.push("webrtc.incoming", call_id="c-901", caller="1003")
        self.page.see("button", "Answer")
        self.page.press("F8")
        self.assertEqual(self.asked("accept"), {"call_id": "c-901"})

    def test_a_call_does_not_take_the_focus_from_what_is_typed(self):
        self.page.type("10")
        self.ring()
        self.page.type("02")
        self.assertEqual(self.page.evaluate("() => document.getElementById('number')?.value ?? 'gone'"), "gone")
        self.assertEqual(self.verbs("accept"), [])

    def test_blind_transfer_by_name(self):
        self.page.click("button", "Call Bob Okafor")
        self.answered()
        self.page.click("button", "Transfer")
        self.page.fill("Transfer to", "recep")
        self.fine()
        self.page.click("button", "Transfer now")
        self.assertEqual(self.asked("transfer"), {"call_id": self.server.call(), "to": "1004"})

    def test_attended_transfer_asks_first(self):
        self.page.click("button", "Call Bob Okafor")
        self.answered()
        first = self.server.call()
        self.page.click("button", "Transfer")
        self.page.fill("Transfer to", "1003")
        self.page.click("button", "Ask first")
        self.page.see("button", "Resume")
        self.assertEqual(self.verbs("hold"), [{"call_id": first}])
        self.answered()
        self.page.see("button", "Connect Bob Okafor with Carol Núñez")
        self.fine()
        self.page.click("button", "Connect Bob Okafor with Carol Núñez")
        self.assertEqual(self.asked("transfer"), {"call_id": first, "with_call_id": self.server.call()})

    def test_a_refusal_is_said_in_the_words_of_the_server(self):
        self.server.refusals["/api/webrtc/call"] = 409, {"error": "Bob Okafor is busy.", "code": "busy"}
        self.page.click("button", "Call Bob Okafor")
        self.page.read("Bob Okafor is busy.")
        self.fine()

    def test_a_page_that_is_loaded_again_keeps_its_session(self):
        self.page.reload()
        self.page.read("Ready")
        self.assertEqual(len(self.server.sessions), 1)
        self.assertIn('"s-1"', self.page.evaluate("() => sessionStorage.getItem('bellwire.session')"))

    def test_a_second_page_has_a_session_of_its_own(self):
        page = self.page.another()
        page.goto(f"{self.server.url}/phone")
        page.read("Ready")
        self.assertEqual(len(self.server.sessions), 2)
        page.close()

    def test_the_self_test_hears_that_no_echo_comes_back(self):
        self.page.click("button", "Settings")
        self.fine()
        self.page.click("button", "Run the self-test")
        self.assertEqual(self.asked("call")["target_extension"], "*43")
        self.server.push("webrtc.answered", call_id=self.server.call())
        # The far end sends a tone of its own, which is no echo.
        self.page.wait("() => document.querySelector('[data-step=echo].failed') !== null")
        steps = self.page.evaluate("() => [...document.querySelectorAll('.steps li')].map((li) => li.dataset.step + ' ' + li.className)")
        self.assertEqual(steps, ["page good", "microphone good", "server good", "connection good", "echo failed"])
        self.page.read("Packets come back, and the tone is not in them.")
        self.fine("self-test")

    def focus(self):
        return self.page.evaluate("() => document.activeElement.id || document.activeElement.innerText.trim()")

    def tab_to(self, name, back=False):
        for _ in range(40):
            if self.focus() == name:
                return
            self.page.press("Shift+Tab" if back else "Tab")
        self.fail(f"{name} cannot be reached by the tabulator")


class SelfTest(unittest.TestCase):
    """What goes wrong where, and the sentence for it."""

    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)

    def failing(self, browser, url, **more):
        page = logged_in(browser, url, **more)
        page.click("button", "Settings")
        page.click("button", "Run the self-test")
        page.wait("() => document.querySelector('.steps .failed') !== null")
        self.assertEqual(page.axe(), [])
        return page.evaluate("() => { const li = document.querySelector('.steps .failed'); return [li.dataset.step, li.querySelector('p').innerText]; }")

    def test_no_microphone(self):
        with Browser(microphone=False) as browser:
            step, sentence = self.failing(browser, f"http://127.0.0.1:{self.office.http}")
        self.assertEqual(step, "microphone")
        self.assertIn("No microphone was found", sentence)

    def test_a_microphone_that_is_denied(self):
        with Browser(allowed=False) as browser:
            step, sentence = self.failing(browser, f"http://127.0.0.1:{self.office.http}", permissions=[])
        self.assertEqual(step, "microphone")
        self.assertIn("The microphone is blocked for this page", sentence)

    def test_a_page_without_https(self):
        # A name of this machine that no browser counts as this machine.
        with Browser(arguments=["--host-resolver-rules=MAP phone.example 127.0.0.1"]) as browser:
            step, sentence = self.failing(browser, f"http://phone.example:{self.office.http}", permissions=None)
        self.assertEqual(step, "page")
        self.assertIn("did not come over HTTPS", sentence)

    def test_no_way_for_the_sound(self):
        with Browser() as browser, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wall:
            wall.bind((self.office.host, 0))
            far = browser.open("about:blank")
            with StandIn(self.office, far, wall=wall.getsockname()[1]) as server:
                step, sentence = self.failing(browser, server.url)
        self.assertEqual(step, "connection")
        self.assertIn("UDP and TCP to its media port are blocked", sentence)


if __name__ == "__main__":
    unittest.main()
