"""Key presses cross between phones that tell them in different ways, and packets between phones that share no codec."""
import re
import struct
import threading
import time
import unittest

from office import Office, wait_until
from softphone import Beside, Phone, talk

EVENTS = 101


class EventPhone(Phone):
    """Takes telephone-event, and notes what comes by payload number."""

    def sdp(self, direction="sendrecv"):
        payload, name = self.codec
        return super().sdp(direction).replace(f"RTP/AVP {payload}\r\n", f"RTP/AVP {payload} {EVENTS}\r\n") + (
            f"a=rtpmap:{EVENTS} telephone-event/8000\r\n")

    def packets(self, seconds=60, enough=lambda got: False, speak=True):
        """Sends silence and collects what comes, until it is enough."""
        got, sequence, end = [], 0, time.monotonic() + seconds
        self.media.socket.settimeout(0.02)
        while time.monotonic() < end and not enough(got):
            if speak:
                sequence += 1
                silence = b"\xff" if self.codec[0] == 0 else b"\xd5"
                self.media.socket.sendto(struct.pack(">BBHII", 0x80, self.codec[0], sequence, sequence * 160, 77)
                                         + silence * 160, self.media.remote)
            try:
                packet = self.media.socket.recv(2048)
                got.append((packet[1] & 0x7f, packet[12:]))
            except TimeoutError:
                pass
        return got


def ends(got):
    return [payload[0] for number, payload in got if number == EVENTS and payload[1] & 0x80]


class Keys(unittest.TestCase):
    def setUp(self):
        self.office = Office()
        self.addCleanup(lambda: self.office.__exit__(None))
        self.office.start()

    def phone(self, number, kind=Phone, **options):
        phone = kind(number, self.office, **options)
        self.addCleanup(phone.close)
        phone.register()
        return phone

    def info(self, phone, content_type, body):
        text = phone.in_dialog("INFO", (), body).replace("application/sdp", content_type)
        phone.send(text)
        self.assertEqual(phone.final("INFO", phone.dialog["call_id"]).status, 200)

    def test_info_of_both_kinds_reaches_a_phone_with_telephone_event(self):
        alice, bob = self.phone("1001"), self.phone("1002", EventPhone)
        talk(alice, bob)
        self.info(alice, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")
        self.info(alice, "application/dtmf", "#")
        got = bob.packets(enough=lambda got: len(ends(got)) >= 6)
        self.assertEqual(ends(got)[:6], [5, 5, 5, 11, 11, 11])

    def test_events_reach_a_phone_without_them_as_a_tone(self):
        alice, bob = self.phone("1001", EventPhone), self.phone("1002", EventPhone, codec=(8, "PCMA/8000"))
        bob.sdp = lambda *words: Phone.sdp(bob, *words)  # answers without telephone-event
        talk(alice, bob)
        for i in range(8):  # one press of 160 ms, its end sent twice
            flags = 0x8a if i >= 6 else 0x0a
            alice.media.socket.sendto(struct.pack(">BBHII", 0x80, EVENTS | (0x80 if i == 0 else 0), 100 + i, 5000, 77)
                                      + struct.pack(">BBH", 7, flags, 160 * min(i + 1, 7)), alice.media.remote)
        loud = lambda got: [p for number, p in got if number == 8 and len(set(p)) > 20]
        got = bob.packets(enough=lambda got: len(loud(got)) >= 5)
        self.assertGreaterEqual(len(loud(got)), 5)
        self.assertEqual({number for number, _ in got}, {8})

    def test_phones_with_one_codec_each_are_answered_with_their_own(self):
        alice, bob = self.phone("1001", EventPhone), self.phone("1002", EventPhone, codec=(8, "PCMA/8000"))
        talk(alice, bob)
        offered = re.search(r"m=audio \d+ RTP/AVP ([\d ]+)", bob.invite.body).group(1).split()
        self.assertEqual(offered[:2], ["0", str(EVENTS)])  # what the caller said comes first
        self.assertIn("8", offered)
        call = self.office.json("call", "ls")[0]
        self.assertEqual({leg["party"]: leg["codec"] for leg in call["legs"]},
                         {"1001": "PCMU/8000", "1002": "PCMA/8000"})
        heard = threading.Event()
        talking = Beside(alice.packets, enough=lambda _: heard.is_set())
        got = bob.packets(enough=lambda got: len(got) >= 10)
        heard.set()
        talking.join()
        self.assertGreaterEqual(len(got), 10)
        self.assertEqual({number for number, _ in got}, {8})
        self.assertTrue(all(len(payload) == 160 for _, payload in got))
        alice.hang_up()
        bob.hung_up()
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")


if __name__ == "__main__":
    unittest.main()
