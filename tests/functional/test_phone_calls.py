"""Calls on the page /phone: every state of them, by mouse and by keyboard alone, with names that try to be markup.

At the other ends are pages of the same server. With BELLWIRE_IMAGES=docs/images the screenshots of the guide are made anew.
"""
import contextlib
import os
import unittest

from api_client import login
from browser import Browser
from coturn import Coturn
from functional.test_phone_page import logged_in, named
from netns import Network, ip
from office import ROOT, Office, password, wait_until

CAROL = "<b>Carol</b> <img src=x onerror=alert(1)>"
NAMES = {"1001": "Alice Winter", "1002": "Bob Okafor", "1003": "Carol Núñez", "1004": "Reception"}
IMAGES = os.environ.get("BELLWIRE_IMAGES")


class AtThePhone(unittest.TestCase):
    """Alice at her page; colleagues come to theirs when they are needed."""
    names = NAMES

    @classmethod
    def setUpClass(cls):
        cls.office = named(Office(), cls.names)
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.url = f"http://127.0.0.1:{cls.office.http}"
        cls.high, cls.browser = Browser(tone=880), Browser(tone=440)
        cls.addClassCleanup(cls.high.close)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.page = self.opened(self.browser, "1001", says=True)

    def opened(self, browser, number, **more):
        page = logged_in(browser, self.url, number, **more)
        self.addCleanup(self.forget, number)  # whose page it was; or calls would ring there in the next test
        self.addCleanup(page.close)
        page.read("Ready")
        page.wait("() => document.querySelectorAll('[aria-label=Colleagues] li').length === 3")  # names are known
        return page

    def forget(self, number):
        client = login(self.office, number, password(number))
        for session in client.ask("GET", "/api/webrtc/sessions")[2]:
            client.ask("DELETE", f"/api/webrtc/session/{session['session_id']}")

    def colleague(self, number):
        return self.opened(self.high, number)

    def calls(self):
        return self.office.json("call", "ls")

    def states(self):
        """Whose leg of the only call stands how."""
        calls = self.calls()
        return {leg["party"]: leg["state"] for leg in calls[0]["legs"]} if len(calls) == 1 else {}

    def fine(self, image=None):
        """Nobody is kept out, nothing is refused; and what it looks like."""
        self.assertEqual(self.page.axe(), [])
        self.assertEqual(self.page.violations(), [])
        if image and IMAGES:
            folder = ROOT / IMAGES
            folder.mkdir(exist_ok=True)
            for name, look in (("", {}), ("-dark", {"dark": True}), ("-phone", {"width": 390, "height": 844})):
                self.page.look(**look)
                self.page.evaluate("() => document.querySelector('.steps .failed')?.scrollIntoView({block: 'nearest'})")
                self.page.screenshot(folder / f"phone-{image}{name}.png")
            self.page.look()

    def dial(self, page, number):
        page.evaluate("() => document.getElementById('number').focus()")
        page.type(number)
        page.press("Enter")

    def rings(self, number="1003"):
        """That colleague calls, whose page comes back."""
        caller = self.colleague(number)
        self.dial(caller, "1001")
        self.page.see("button", "Answer")
        return caller

    def talks(self, name="Bob Okafor", number="1002"):
        other = self.colleague(number)
        self.page.click("button", f"Call {name}")
        other.click("button", "Answer")
        self.page.see("timer")
        return other

    def titled(self, title):
        self.page.wait("(title) => document.title === title", title)

    def only_legs_of(self, *numbers):
        wait_until(lambda: set(self.states()) == set(numbers), 60, f"one call of {numbers} is left")

    def pop(self, **info):
        """What a CRM knows of the caller."""
        call = self.calls()[0]["call_id"]
        self.page.evaluate("(message) => window.__say(message)", {"event_type": "crm.screen_pop", "data": {"call_id": call, "caller_info": info}})

    def focus(self):
        return self.page.evaluate("() => document.activeElement.id || document.activeElement.innerText.trim()")

    def focused(self, name):
        wait_until(lambda: self.focus() == name, 60, f"{name} has the focus")

    def tab_to(self, name, back=False):
        for _ in range(40):
            if self.focus() == name:
                return
            self.page.press("Shift+Tab" if back else "Tab")
        self.fail(f"{name} cannot be reached by the tabulator")


class Calls(AtThePhone):
    def test_idle(self):
        self.fine("idle")

    def test_a_call_that_comes_in_is_shown_answered_and_heard(self):
        caller = self.rings()
        self.titled("Carol Núñez is calling")
        self.fine("incoming")
        self.page.click("button", "Answer")
        self.page.hears(880)
        caller.hears(440)
        self.page.read("Good")
        self.fine("in-call")
        self.pop(name="Carol Núñez", company="Northwind Traders", notes="Asked for an offer last week.", url="https://crm.example/contacts/7")
        self.page.read("Northwind Traders")
        self.fine()
        caller.click("button", "Hang up")
        self.page.see("button", "Call")
        self.page.read("1003 hung up")
        self.titled("Bellwire Phone")

    def test_a_call_rings_and_is_announced_while_the_page_is_in_the_background(self):
        self.page.evaluate("""() => {
          window.told = [];
          window.bells = 0;
          window.Notification = class { static permission = 'granted'; constructor(title, more) { told.push(title, more.body); } close() { told.push('closed'); } };
          const Bell = window.OscillatorNode;
          window.OscillatorNode = class extends Bell { start(at) { window.bells += 1; super.start(at); } };
          Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
        }""")
        caller = self.rings()
        self.page.wait("() => window.told.length > 0")
        self.assertEqual(self.page.evaluate("() => window.told"), ["Incoming call", "Carol Núñez"])
        self.page.wait("() => window.bells >= 4")  # two bells each time
        caller.click("button", "Hang up")
        self.page.see("button", "Call")
        self.page.wait("() => window.told.at(-1) === 'closed'")
        bells = self.page.evaluate("() => window.bells")
        self.page.wait("async (n) => { await new Promise((r) => setTimeout(r, 3500)); return window.bells === n; }", bells)

    def test_a_whole_call_by_keyboard(self):
        page, bob = self.page, self.colleague("1002")
        page.type("1002")  # the field has the focus from the start
        page.press("Enter")
        bob.click("button", "Answer")
        page.see("timer")
        self.focused("Hang up")
        self.tab_to("Mute", back=True)
        page.press("Space")
        page.wait("() => document.querySelector('[aria-pressed=true]') !== null")
        page.press("Space")
        self.tab_to("Keypad")
        page.press("Enter")
        page.type("12#")
        page.read("12#")
        self.tab_to("Hold", back=True)
        page.press("Enter")
        page.see("button", "Resume")
        wait_until(lambda: self.states().get("1002") == "held", 60, "the other side is held")
        self.tab_to("Resume")
        page.press("Enter")
        page.see("button", "Transfer")
        wait_until(lambda: self.states().get("1002") == "up", 60, "the other side is back")
        self.tab_to("Transfer")
        page.press("Enter")
        page.type("Recep")  # the field has the focus
        page.press("Escape")
        self.focused("Transfer")
        page.press("F9")
        bob.read("1001 hung up")
        page.see("button", "Call")
        self.focused("number")
        self.fine()

    def test_answering_and_declining_by_one_key(self):
        caller = self.rings()
        self.focused("Answer")
        self.page.press("F9")
        self.page.see("button", "Call")
        caller.see("button", "Call")
        self.dial(caller, "1001")
        self.page.see("button", "Answer")
        self.page.press("F8")
        self.page.see("timer")
        caller.see("timer")

    def test_a_call_does_not_take_the_focus_from_what_is_typed(self):
        self.page.type("10")
        self.rings()
        self.page.type("02")
        self.assertEqual(self.page.evaluate("() => document.getElementById('number')?.value ?? 'gone'"), "gone")
        self.assertEqual(self.calls()[0]["state"], "ringing")

    def test_blind_transfer_by_name(self):
        bob, reception = self.talks(), self.colleague("1004")
        self.page.click("button", "Transfer")
        self.page.fill("Transfer to", "recep")
        self.fine()
        self.page.click("button", "Transfer now")
        reception.click("button", "Answer")
        self.page.see("button", "Call")
        reception.hears(880)
        bob.hears(880)
        self.only_legs_of("1002", "1004")

    def test_attended_transfer_asks_first(self):
        bob, carol = self.talks(), self.colleague("1003")
        self.page.click("button", "Transfer")
        self.page.fill("Transfer to", "1003")
        self.page.click("button", "Ask first")
        carol.click("button", "Answer")
        self.page.see("button", "Resume")
        self.page.see("button", "Connect Bob Okafor with Carol Núñez")
        self.fine()
        self.page.click("button", "Connect Bob Okafor with Carol Núñez")
        self.page.see("button", "Call")
        carol.hears(880)
        bob.hears(880)
        self.only_legs_of("1002", "1003")

    def test_a_refusal_is_said_in_the_words_of_the_server(self):
        self.page.click("button", "Call Bob Okafor")
        self.page.read("1002 is not registered")
        self.fine()

    def sessions(self):
        return self.page.evaluate("() => fetch('/api/webrtc/sessions').then((r) => r.json()).then((all) => all.map((s) => s.session_id))")

    def test_a_page_that_is_loaded_again_keeps_its_session_and_a_second_one_has_its_own(self):
        before = self.sessions()
        self.assertEqual(len(before), 1)
        self.page.reload()
        self.page.read("Ready")
        self.assertEqual(self.sessions(), before)
        self.assertIn(before[0], self.page.evaluate("() => sessionStorage.getItem('bellwire.session')"))
        page = self.page.another()
        page.goto(f"{self.url}/phone")
        page.read("Ready")
        self.assertEqual(len(self.sessions()), 2)
        page.close()

    def self_test(self):
        """The steps and what was said last."""
        self.page.click("button", "Settings")
        self.fine()
        self.page.click("button", "Run the self-test")
        self.page.wait("() => document.querySelector('.steps .failed, [data-step=echo].good, [data-step=echo].warning') !== null")
        return self.page.evaluate("() => [...document.querySelectorAll('.steps li')].map((li) => li.dataset.step + ' ' + li.className)")

    def test_the_self_test_says_that_everything_works(self):
        self.assertEqual(self.self_test(), ["page good", "microphone good", "server good", "connection good", "echo good"])
        self.page.read("A tone was sent to the server and came back as it was.")
        self.page.read("Everything works.")
        wait_until(lambda: self.calls() == [], 60, "the call to the echo service has ended")
        self.fine()

    def test_the_self_test_hears_that_no_echo_comes_back(self):
        # Something between changes the sound: what goes out is another tone.
        self.page.evaluate("() => { const Tone = window.OscillatorNode; window.OscillatorNode = class extends Tone { constructor(c) { super(c, {frequency: 300}); } }; }")
        self.assertEqual(self.self_test(), ["page good", "microphone good", "server good", "connection good", "echo failed"])
        self.page.read("Packets come back, and the tone is not in them.")
        self.fine("self-test")


class Markup(AtThePhone):
    """Names in which a page could see elements and scripts."""
    names = {**NAMES, "1003": CAROL}

    def test_a_caller_made_of_markup_is_text(self):
        self.rings()
        self.assertEqual(self.page.evaluate("() => document.getElementById('caller').textContent"), CAROL)
        self.pop(name=CAROL, company=CAROL, notes="<script>alert(1)</script>", url="javascript:alert(1)")
        self.page.wait("() => document.body.innerText.includes('<script>alert(1)</script>')")
        self.page.click("button", "Answer")
        self.page.see("button", "Hang up")
        shown = self.page.evaluate("() => ({text: document.body.innerText, bad: document.querySelectorAll('img[src=x], h2 b, script:not([src]), a[href^=java]').length})")
        self.assertIn(CAROL, shown["text"])
        self.assertEqual(shown["bad"], 0)
        self.fine()
        self.assertEqual([t for t in self.page.told() if "Failed to load" not in t], [])


class Verdicts(unittest.TestCase):
    """What goes wrong where, and the sentence for it."""

    def outcome(self, browser, url, verdict="failed", before=None, **more):
        """Step and sentence of the first that has this verdict."""
        page = logged_in(browser, url, **more)
        page.evaluate(before or "() => null")
        page.click("button", "Settings")
        page.click("button", "Run the self-test")
        page.wait(f"() => document.querySelector('.steps .{verdict}') !== null")
        self.assertEqual(page.axe(), [])
        return page.evaluate("(v) => { const li = document.querySelector('.steps .' + v); return [li.dataset.step, li.querySelector('p').innerText]; }", verdict)


class SelfTest(Verdicts):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.url = f"http://127.0.0.1:{cls.office.http}"

    def test_no_microphone(self):
        with Browser(microphone=False) as browser:
            step, sentence = self.outcome(browser, self.url)
        self.assertEqual(step, "microphone")
        self.assertIn("No microphone was found", sentence)

    def test_a_microphone_that_is_denied(self):
        with Browser(allowed=False) as browser:
            step, sentence = self.outcome(browser, self.url, permissions=[])
        self.assertEqual(step, "microphone")
        self.assertIn("The microphone is blocked for this page", sentence)

    def test_a_microphone_that_another_program_has_or_that_hears_nothing(self):
        with Browser() as browser:
            step, sentence = self.outcome(browser, self.url, before="""() => {
              navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'));
            }""")
            self.assertEqual(step, "microphone")
            self.assertIn("The microphone is used by another program", sentence)
            step, sentence = self.outcome(browser, self.url, verdict="warning", before="""() => {
              navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
            }""")
            self.assertEqual(step, "microphone")
            self.assertIn("nothing is heard from it", sentence)

    def test_a_page_without_https(self):
        # A name of this machine that no browser counts as this machine.
        with Browser(arguments=["--host-resolver-rules=MAP phone.example 127.0.0.1"]) as browser:
            step, sentence = self.outcome(browser, f"http://phone.example:{self.office.http}", permissions=None)
        self.assertEqual(step, "page")
        self.assertIn("did not come over HTTPS", sentence)

    def test_a_server_that_cannot_be_reached(self):
        with Browser() as browser:
            step, sentence = self.outcome(browser, self.url, before="""() => {
              const { fetch } = window;
              window.fetch = (path, init) => String(path).includes('/api/me') ? Promise.reject(new TypeError('x')) : fetch(path, init);
            }""")
        self.assertEqual(step, "server")
        self.assertIn("The server cannot be reached", sentence)

    def test_an_echo_service_that_does_not_answer(self):
        with Browser() as browser:
            step, sentence = self.outcome(browser, self.url, before="""() => {
              const { fetch } = window;
              window.fetch = (path, init) => fetch(path, String(path).endsWith('/call') ? {...init, body: init.body.replace('*43', '1002')} : init);
            }""")
        self.assertEqual(step, "echo")
        self.assertIn("1002 is not registered", sentence)


class BlockedWay(Verdicts):
    """A firewall before the browser."""
    PORT = "meta l4proto {{ tcp, udp }} th dport {port}"

    def behind(self, rule, verdict, secret=None):
        """`secret`: of a TURN server; that of the office is "north"."""
        with contextlib.ExitStack() as made:
            network = made.enter_context(Network("pbx", "turn", "a"))
            space, config = network.namespace("a"), ""
            if secret:
                relay = made.enter_context(Coturn(network, "turn", secret))
                config = f"features:\n  webrtc:\n    turn_servers: [{{url: '{relay.url}'}}]\n    turn_secret: north\n"
            office = made.enter_context(Office(host="0.0.0.0", namespace=network.namespace("pbx"), config=config))
            wall = f"add table inet wall {{ chain out {{ type filter hook output priority 0; {rule.format(port=office.rtp)} drop; }}; }}"
            ip("netns", "exec", space, "nft", wall)
            browser = made.enter_context(Browser(namespace=space))
            return self.outcome(browser, f"https://{network.address('pbx')}:{office.https}", verdict=verdict, https=True)

    def test_no_way_for_the_sound(self):
        step, sentence = self.behind(self.PORT, "failed")
        self.assertEqual(step, "connection")
        self.assertIn("UDP and TCP to its media port are blocked", sentence)
        self.assertIn("or to set up a TURN server", sentence)

    def test_no_way_but_tcp(self):
        step, sentence = self.behind("meta l4proto udp", "warning")
        self.assertEqual(step, "connection")
        self.assertIn("UDP is blocked here, so the sound goes over TCP", sentence)

    def test_a_way_over_a_turn_server(self):
        step, sentence = self.behind(self.PORT, "warning", secret="north")
        self.assertEqual(step, "connection")
        self.assertIn("The sound goes over a TURN server, because the direct way is blocked", sentence)

    def test_a_turn_server_that_refuses(self):
        step, sentence = self.behind(self.PORT, "failed", secret="south")
        self.assertEqual(step, "connection")
        self.assertIn("refused with status 401", sentence)


if __name__ == "__main__":
    unittest.main()
