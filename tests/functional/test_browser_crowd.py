"""Many pages at once with real media, and those who would like to be one of them (tests/crowd.py)."""
import os
import pathlib
import re
import unittest

from api_client import user
from crowd import Crowd
from office import ROOT, Office, wait_until

RELEASE = pathlib.Path(os.environ.get("BELLWIRE_RELEASE", ROOT / "build/release/bellwire"))


def numbers(count):
    return [str(2000 + n) for n in range(count)]


def two_by_two(pages):
    return list(zip(pages[::2], pages[1::2]))


class ManyPages(unittest.TestCase):
    alone = "two hundred pages with sound take more than a core"

    def talk(self, count, binary=None):
        """Each page calls its neighbour; the calls take turns in which direction they are made."""
        with Office(extensions=numbers(count), binary=binary) as office, Crowd(office) as crowd:
            pages = [crowd.page(number) for number in numbers(count)]
            crowd.wait_connected(pages)
            for n, (a, b) in enumerate(two_by_two(pages)):
                caller, callee = (a, b) if n % 2 else (b, a)
                caller.calls(callee)
            self.assertEqual(office.status()["active_calls"], count // 2)
            crowd.all_hear(two_by_two(pages))
            for a, b in two_by_two(pages):
                self.assertEqual(a.does("hangup")[0], 200)
                b.hears("webrtc.ended")
            wait_until(lambda: office.status()["active_calls"] == 0, 60, "all calls have ended")

    def test_twenty_pages_hear_their_partners(self):
        self.talk(20)

    def test_two_hundred_pages_hear_their_partners(self):
        self.talk(200, RELEASE)

    def test_pages_hear_phones_of_every_codec(self):
        codecs = ("pcmu", "pcma", "g722", "opus")
        with Office(extensions=numbers(8)) as office, Crowd(office) as crowd:
            pairs = [(crowd.page(page), crowd.phone(phone, codec))
                     for codec, (page, phone) in zip(codecs, two_by_two(numbers(8)))]
            crowd.wait_connected([page for page, _ in pairs])
            for page, phone in pairs:
                page.calls(phone)
            crowd.all_hear(pairs)


class Rogues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office(extensions=numbers(14))
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()
        cls.admin = user(cls.office, "eve")

    def setUp(self):
        self.crowd = Crowd(self.office).__enter__()
        self.addCleanup(self.crowd.__exit__)

    def page(self, number, **more):
        page = self.crowd.page(number, **more)
        self.addCleanup(page.ask, "DELETE", f"/api/webrtc/session/{page.id}")
        return page

    def dropped(self, reason):
        text = self.admin.ask("GET", "/metrics")[2]
        return int(re.search(rf'dropped_packets_total\{{reason="{reason}"\}} (\d+)', text).group(1))

    def wait_dropped(self, reason, least):
        wait_until(lambda: self.dropped(reason) >= least, 60, f"{least} packets are counted as {reason}")

    def seen(self, member):
        return self.crowd.look()[member.index]

    def call(self):
        """Two pages that talk to each other."""
        alice, bob = self.page("2000"), self.page("2001")
        self.crowd.wait_connected([alice, bob])
        alice.calls(bob)
        self.crowd.all_hear([(alice, bob)])
        return alice, bob

    def assert_unheard(self, listener, attack, reason, packets):
        """After everything honest has come, nothing more does while `attack` goes on."""
        before = self.dropped(reason)
        attack()
        # The server takes packets in order: what was said before has been passed on, and then the crowd reads it.
        self.wait_dropped(reason, before + packets)
        for _ in range(3):
            self.crowd.look()
        self.crowd.tell("forget")
        attack()
        self.wait_dropped(reason, before + 2 * packets)
        for _ in range(3):
            self.assertEqual(self.seen(listener)["packets"], 0)

    def test_a_certificate_that_was_not_promised_gets_no_keys(self):
        honest = self.page("2000")
        rogue = self.page("2001", offers=False, fingerprint=honest.claims["fingerprint"])
        rogue.connects()
        self.crowd.wait_connected([honest])
        wait_until(lambda: rogue.shown()["state"] == "disconnected", 60, "the rogue's session is over")
        self.assertFalse(self.seen(rogue)["connected"])
        told = rogue.hears("webrtc.session")
        while told["state"] != "disconnected":
            told = rogue.hears("webrtc.session")
        self.assertIn("the certificate is not the one its fingerprint promised", told["reason"])
        self.assertEqual(honest.shown()["state"], "connected")

    def test_a_wrong_password_opens_no_way(self):
        before = self.dropped("check_refused")
        rogue = self.page("2000", offers=False)
        rogue.connects(password="not-the-password-that-was-told")
        wait_until(lambda: 401 in self.seen(rogue)["errors"], 60, "its checks are refused")
        self.wait_dropped("check_refused", before + 3)
        self.assertFalse(self.seen(rogue)["connected"])
        self.assertEqual(rogue.shown()["state"], "connecting")

    def test_what_was_said_before_is_not_taken_again(self):
        alice, bob = self.call()
        self.crowd.tell("hush", alice.index)
        replays = []
        self.assert_unheard(bob, lambda: replays.append(self.crowd.tell("replay", alice.index)["sent"]),
                            "replayed_or_forged", 50)
        self.assertEqual(replays, [50, 50])
        self.crowd.all_hear([(alice, bob)])

    def test_what_comes_from_elsewhere_is_not_taken_even_with_the_right_keys(self):
        alice, bob = self.call()
        self.crowd.tell("hush", alice.index)
        self.assert_unheard(bob, lambda: self.crowd.tell("intrude", alice.index, 3300), "no_session", 50)
        self.crowd.all_hear([(alice, bob)])

    def test_a_storm_of_strangers_costs_no_call_and_little_memory(self):
        first = self.page("2000")
        self.crowd.wait_connected([first])
        before, memory = self.dropped("no_session"), self.office.resident_bytes()
        self.crowd.tell("storm", *first.server(), 1000)
        pages = [self.page(number) for number in numbers(14)[2:]]
        self.crowd.wait_connected(pages)
        pairs = two_by_two(pages)
        for a, b in pairs:
            a.calls(b)
        self.crowd.all_hear(pairs)
        storm = wait_until(lambda: (lambda s: s if s["over"] else None)(self.crowd.tell("stormed")), 120, "the storm is over")
        self.assertEqual(storm["strangers"], 1000)
        self.assertGreater(storm["datagrams"], 2000)
        self.wait_dropped("no_session", before + 1000)
        self.crowd.all_hear(pairs)
        self.assertEqual(self.crowd.tell("stormed")["answers"], 0, "nobody answers a stranger")
        self.assertLess(self.office.resident_bytes() - memory, 48e6)


if __name__ == "__main__":
    unittest.main()
