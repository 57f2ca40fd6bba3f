"""Chromium and baresip in one call, each in a network of its own: heard both ways in every codec, every key once.

The page is made with the library that the server serves, without the page /phone around it.
"""
import contextlib
import subprocess
import time
import unittest

from browser import Browser
from interop import dtmf
from interop.recording import recording
from interop.softphone import Baresip
from netns import Network
from office import Office, password, wait_until

PAGE, PHONE, NO_SUCH_NUMBER, NOBODY_THERE = 880, 620, 1500, 1800  # what each says, in Hz
KEYS = "0123456789*#ABCD"
CODECS = {"pcmu/8000": "PCMU/8000/1", "pcma/8000": "PCMA/8000/1", "g722/8000": "G722/16000/1", "opus/48000": "opus/48000/2"}

START = """async ([number, password]) => {
  const { Phone } = await import('/phone/bellwire-phone.js');
  const phone = (window.phone = new Phone({ memory: null }));
  Object.assign(window, { incoming: [], reasons: [], keys: '' });
  phone.on('incoming', (call) => incoming.push(call));
  phone.on('call', (call) => call.over && reasons.push(call.reason));
  phone.on('digit', ({ digit }) => (keys += digit));
  await phone.logIn(number, password, 'token');
  await phone.start();
}"""
CODEC_OF = """async (stream) => {
  const stats = [...(await phone.peerConnection.getStats()).values()];
  const one = stats.find((s) => s.type === stream && s.kind === 'audio');
  return one?.codecId ? stats.find((s) => s.id === one.codecId).mimeType.split('/')[1].toLowerCase() : '';
}"""
# By a timer of the page: a tone that ends soon is heard however long the test takes to ask.
LISTEN = """([these, those]) => {
  window.heard = false;
  const timer = setInterval(async () => {
    if (!heard && (await window.__sounds(phone.audio.srcObject, these, those))) heard = true;
    if (heard) clearInterval(timer);
  }, 40);
}"""


class BrowserAndPhone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Network("pbx", "page", "desk").__enter__()
        cls.addClassCleanup(cls.network.__exit__)
        cls.office = Office(host="0.0.0.0", namespace=cls.network.namespace("pbx"))
        text = cls.office.config_file.read_text()
        cls.office.config_file.write_text(
            text.replace("server:\n", "server:\n  region: US\n", 1) + f"prompts: {{directory: '{cls.office.folder}'}}\n")
        for name, hertz in (("ss-noservice", NO_SUCH_NUMBER), ("vm-nobodyavail", NOBODY_THERE)):
            (cls.office.folder / f"{name}.g722").write_bytes(recording(hertz, 3))
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()
        cls.browser = Browser(tone=PAGE, namespace=cls.network.namespace("page"))
        cls.addClassCleanup(cls.browser.close)

    def page(self, number="1001"):
        page = self.browser.open(f"https://{self.network.address('pbx')}:{self.office.https}/phone/licences.txt", https=True)
        self.addCleanup(page.close)
        page.evaluate(START, [number, password(number)])
        self.addCleanup(lambda: page.evaluate("() => phone.stop()"))
        page.wait("() => phone.state === 'connected'")
        return page

    @contextlib.contextmanager
    def desk_phone(self, codecs="PCMU/8000/1", **options):
        address = (self.network.address("pbx"), self.office.sip)
        with Baresip("1002", address, namespace=self.network.namespace("desk"), tone=PHONE, codecs=codecs, **options) as phone:
            phone.wait_registered(60)
            yield phone

    def over(self, phone):
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")
        phone.wait_for("CALL_CLOSED", 60)
        phone.events.clear()

    def call(self, page, phone):
        page.evaluate("async () => { window.call = await phone.call('1002'); }")
        page.wait("() => call.state === 'up'")
        phone.wait_for("CALL_ESTABLISHED", 60)

    def both_hear(self, page, phone):
        page.hears(PHONE, stream="phone.audio.srcObject")
        phone.hears(PAGE, 60)

    def codecs_of_the_call(self):
        return {leg["party"]: leg["codec"].lower() for leg in self.office.json("call", "ls")[0]["legs"]}

    def nothing_is_transcoded(self, page, codec):
        wait_until(lambda: self.codecs_of_the_call() == {"1001": codec, "1002": codec}, 60,
                   f"both speak {codec}")
        self.says_or_gets(page, "outbound-rtp", codec.split("/")[0])

    def says_or_gets(self, page, stream, codec):
        wait_until(lambda: page.evaluate(CODEC_OF, stream) == codec, 60, f"{stream} is {codec}")

    def test_heard_both_ways_in_each_codec_whoever_calls_and_not_transcoded(self):
        page = self.page()
        for codec, known in CODECS.items():
            with self.subTest(codec=codec), self.desk_phone(known) as phone:
                self.call(page, phone)
                self.both_hear(page, phone)
                self.nothing_is_transcoded(page, codec)
                self.both_hear(page, phone)
                page.evaluate("() => call.hangUp()")
                self.over(phone)

                phone.dial(f"sip:1001@{self.network.address('pbx')}:{self.office.sip}")
                page.wait("() => incoming.length > 0")
                page.evaluate("() => incoming.pop().accept()")
                phone.wait_for("CALL_ESTABLISHED", 60)
                self.both_hear(page, phone)
                self.nothing_is_transcoded(page, codec)
                self.both_hear(page, phone)
                phone.hang_up()
                self.over(phone)

    def test_two_pages_of_one_extension_ring_and_one_has_the_call(self):
        first, second = self.page(), self.page()
        with self.desk_phone() as phone:
            phone.dial(f"sip:1001@{self.network.address('pbx')}:{self.office.sip}")
            for page in (first, second):
                page.wait("() => incoming.length === 1 && incoming[0].state === 'incoming'")
            second.evaluate("() => incoming[0].accept()")
            first.wait("() => incoming[0].over")
            self.assertEqual(first.evaluate("() => reasons"), ["answered elsewhere"])
            self.both_hear(second, phone)
            self.assertLess(first.loudest(stream="phone.audio.srcObject")[1], -90, "the other page hears nothing of it")
            self.assertEqual(second.evaluate("() => phone.calls.length"), 1)
            phone.hang_up()
            second.wait("() => incoming[0].over")
            self.over(phone)

    def test_a_caller_hears_it_ring_and_that_it_is_busy(self):
        page = self.page()
        with self.desk_phone(answer="manual") as phone:
            page.evaluate(LISTEN, [[440, 480], [PHONE, PAGE]])
            page.evaluate("async () => { window.call = await phone.call('1002'); }")
            page.wait("() => call.state === 'ringing'")
            page.wait("() => heard")
            # What has still to be played of the ringing would delay the voice, were it in the same codec.
            self.says_or_gets(page, "inbound-rtp", "pcma")
            phone.accept()
            page.wait("() => call.state === 'up'")
            self.both_hear(page, phone)
            self.says_or_gets(page, "inbound-rtp", "pcmu")
            phone.hang_up()
            self.over(phone)

            page.evaluate(LISTEN, [[480, 620], [440, PAGE]])
            page.evaluate("async () => { window.call = await phone.call('1002'); }")
            phone.wait_for("CALL_INCOMING", 60)
            phone.hang_up()  # declined: 486
            page.wait("() => heard")
            page.wait("() => call.over")

    def test_why_nobody_answers_is_told_in_words(self):
        page = self.page()
        for number, hertz in (("1999", NO_SUCH_NUMBER), ("1003", NOBODY_THERE)):
            with self.subTest(number=number):
                page.evaluate(LISTEN, [[hertz], [480, 620, *({NO_SUCH_NUMBER, NOBODY_THERE} - {hertz})]])
                page.evaluate("(number) => phone.call(number).catch(() => {})", number)
                page.wait("() => heard")
                page.wait("async () => !(await window.__sounds(phone.audio.srcObject, [%d], []))" % hertz)

    @contextlib.contextmanager
    def loss(self, percent):
        """Of all UDP, on the way in and out of both."""
        names = [self.network.namespace(name) for name in ("page", "desk")]
        for name in names:
            rules = "add table inet loss\n" + "".join(
                f"add chain inet loss {hook} {{ type filter hook {hook} priority 0; }}\n"
                f"add rule inet loss {hook} meta l4proto udp numgen random mod 100 < {percent} drop\n" for hook in ("input", "output"))
            subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], input=rules, text=True, check=True)
        try:
            yield
        finally:
            for name in names:
                subprocess.run(["ip", "netns", "exec", name, "nft", "delete", "table", "inet", "loss"], check=True)

    def test_each_key_arrives_once_though_five_percent_is_lost(self):
        page = self.page()
        with self.desk_phone() as phone:
            self.call(page, phone)
            self.both_hear(page, phone)
            self.nothing_is_transcoded(page, "pcmu/8000")
            with self.loss(5):
                for number, key in enumerate(KEYS, 1):  # telephone-event, pressed as a person presses
                    phone.command("sndcode", key)
                    wait_until(lambda: page.evaluate("() => keys") == KEYS[:number], 60, f"the page is told {KEYS[:number]}")
                    time.sleep(0.3)

                pressed = lambda: "".join(e["param"] for e in phone.pump() if e["type"] == "CALL_DTMF_START")
                page.evaluate("(keys) => call.sendDigits(keys)", KEYS)
                wait_until(lambda: pressed() == KEYS, 60, "the phone hears what the page sends")
                over = lambda: sum(e["type"] == "CALL_DTMF_END" for e in phone.pump())
                wait_until(lambda: over() == len(KEYS), 60, "the last key is over before another is pressed elsewhere")
                page.evaluate("""(keys) => phone.peerConnection.getSenders()[0].dtmf.insertDTMF(keys, 120, 120)""", KEYS)
                wait_until(lambda: pressed() == KEYS + KEYS, 60, "the phone hears what Chromium itself sends")
            self.assertEqual(page.evaluate("() => keys"), KEYS, "nothing came back")
            page.evaluate("() => call.hangUp()")
            self.over(phone)

    def test_each_key_is_a_tone_once_where_the_phone_has_no_events_though_five_percent_is_lost(self):
        page = self.page()
        for codec in ("pcmu/8000", "pcma/8000"):
            with self.subTest(codec=codec), self.desk_phone(CODECS[codec], events=False) as phone:
                self.call(page, phone)
                self.both_hear(page, phone)
                self.nothing_is_transcoded(page, codec)
                page.evaluate("() => { keys = ''; }")
                with self.loss(5):
                    said = KEYS + "11##5"
                    phone.command("ausrc", f"aufile,{dtmf.wav_of(said, phone.folder / 'keys.wav')}")
                    wait_until(lambda: len(page.evaluate("() => keys")) >= len(said), 60, "the page is told each key")
                    self.assertEqual(page.evaluate("() => keys"), said)

                    heard = lambda: dtmf.keys_in(phone.heard()[1], phone.heard()[0])
                    page.evaluate("(keys) => call.sendDigits(keys)", KEYS)
                    wait_until(lambda: heard() == KEYS, 60, "the phone hears what the page sends")
                    # The last key may still sound: the next is another one, for what fell silent briefly is taken for one press.
                    page.evaluate("(keys) => phone.peerConnection.getSenders()[0].dtmf.insertDTMF(keys, 120, 120)", KEYS)
                    wait_until(lambda: heard() == KEYS * 2, 60, "the phone hears what Chromium itself sends")
                    self.assertEqual(page.evaluate("() => keys"), said, "each press once, and nothing came back")
                page.evaluate("() => call.hangUp()")
                self.over(phone)


if __name__ == "__main__":
    unittest.main()
