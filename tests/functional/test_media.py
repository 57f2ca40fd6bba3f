"""What happens to the voice of a call, and that nobody else gets at it."""
import json
import re
import socket
import struct
import threading
import time
import unittest

from api_client import user
from functional.test_transports import Answering
from office import Office, wait_until
from softphone import Beside, Phone


class Talker:
    """Sends a named payload every 20 ms from a phone's media socket and notes what comes back, and from where."""

    def __init__(self, sock, remote, name):
        self.socket, self.remote = sock, remote
        self.payload = name.encode().ljust(160, b".")
        self.heard, self.sent = [], 0
        self.end = threading.Event()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._hear)]
        self.socket.settimeout(0.05)
        for thread in self.threads:
            thread.start()

    def _send(self):
        start = time.monotonic()
        while not self.end.wait(max(0, start + self.sent * 0.02 - time.monotonic())):
            spoken = int((time.monotonic() - start) * 8000)  # a sender that was late says so: not jitter of the network
            self.socket.sendto(packet(self.sent + 1, self.payload, timestamp=spoken), self.remote)
            self.sent += 1

    def _hear(self):
        while not self.end.is_set():
            try:
                self.heard.append(self.socket.recv(2048))
            except TimeoutError:
                pass

    def names(self):
        return {voice(got) for got in list(self.heard)}

    def count(self, name):
        return sum(voice(got) == name for got in list(self.heard))

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join(2)


def packet(sequence, payload, ssrc=0x11223344, payload_type=0, timestamp=None):
    timestamp = sequence * 160 if timestamp is None else timestamp
    return struct.pack(">BBHII", 0x80, payload_type, sequence & 0xffff, timestamp & 0xffffffff, ssrc) + payload


def hide_address(phone):
    """As behind NAT without STUN: the SDP names an address that only means something at the phone's home."""
    plain = phone.sdp
    phone.sdp = lambda *words: plain(*words).replace("IN IP4 127.0.0.1", "IN IP4 10.255.7.7")


def voice(got):
    return got[12:].rstrip(b".").decode(errors="replace")


class Call(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()

    def phone(self, number):
        phone = Phone(number, self.office)
        self.addCleanup(phone.close)
        phone.register()
        return phone

    def connect(self):
        a, b = self.phone("1001"), self.phone("1002")
        answering = Answering(b)
        a.dial("1002")
        answering.join()
        return a, b

    def talk(self, phone, name):
        talker = Talker(phone.media.socket, phone.media.remote, name)
        self.addCleanup(talker.stop)
        return talker

    def end(self, a, b=None):
        call_id = self.office.json("call", "ls")[0]["call_id"]
        a.hang_up()
        if b:
            b.hung_up()
        return wait_until(lambda: self.office.rows(
            "select * from call_records where call_id = ? and ended_at is not null", call_id), 60, "the record is written")[0]

    def flood(self, *ports, rounds=100, enough=lambda: True):
        """A stranger: knows the ports, sends from an address that is not part of the call, so often and until it is
        enough. What it got back."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.9", 0))
            stranger.setblocking(False)
            got, sequence, end = [], 7000, time.monotonic() + 60
            while sequence < 7000 + rounds or (not enough() and time.monotonic() < end):
                sequence += 1
                for port in ports:
                    stranger.sendto(packet(sequence, b"stranger".ljust(160, b"."), ssrc=0xbad), ("127.0.0.1", port))
                    stranger.sendto(packet(sequence, b"stranger".ljust(160, b".")), ("127.0.0.1", port))
                try:
                    got.append(stranger.recv(2048))
                except BlockingIOError:
                    pass
                time.sleep(0.005)
            return got


class Strangers(Call):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = user(cls.office, "meter")

    def test_packets_of_strangers_neither_redirect_nor_disturb_a_call(self):
        told_before = len(self.office.log.read_text())
        a, b = self.connect()
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 10 and from_b.count("from-a") > 10, 60, "both are heard")
        before = from_a.count("from-b"), from_b.count("from-a")
        heard = lambda: (from_a.count("from-b") - before[0], from_b.count("from-a") - before[1])
        stolen = self.flood(a.media.remote[1], b.media.remote[1], rounds=200, enough=lambda: min(heard()) > 60)
        self.assertEqual(stolen, [])
        self.assertGreater(min(heard()), 60, "both are still heard")
        self.assertEqual(from_a.names(), {"from-b"})
        self.assertEqual(from_b.names(), {"from-a"})
        # Nor are they refused in silence.
        told = lambda: sorted(re.findall(r"media for (100\d) comes from 127\.0\.0\.9:\d+, but its phone named "
                                         r"127\.0\.0\.1:\d+ and signs in from 127\.0\.0\.1: refused",
                                         self.office.log.read_text()[told_before:]))
        wait_until(lambda: len(told()) >= 2, 60, "the log tells of them")
        self.assertEqual(told(), ["1001", "1002"], "once for each side")
        call_id = self.office.json("call", "ls")[0]["call_id"]
        shown = lambda: self.office.json("call", "show", call_id)["legs"]
        wait_until(lambda: all((leg["packets_refused"] or 0) >= 25 for leg in shown()), 60, "the call shows them")
        self.assertTrue(all(1 < leg["quality"]["mos"] < 5 for leg in shown()), shown())
        figures = user(self.office, "eve").ask("GET", "/metrics")[2]
        refused = re.search(r'bellwire_media_dropped_packets_total\{reason="refused"\} (\d+)', figures)
        self.assertGreaterEqual(int(refused.group(1)), 50)
        self.assertRegex(self.office.cli("call", "show", call_id), r"1001 .* \d\.\d")
        self.end(a, b)

    def test_a_stranger_that_is_there_first_gets_nothing_from_a_phone_still_silent(self):
        a, b = self.connect()
        from_a = self.talk(a, "from-a")
        stolen = self.flood(a.media.remote[1], b.media.remote[1], rounds=150)
        from_b = self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 10, 60, "the phone that was silent is heard")
        stolen += self.flood(a.media.remote[1], b.media.remote[1], rounds=70)
        wait_until(lambda: from_b.count("from-a") > 50, 60, "the phone that was silent hears")
        self.assertEqual([voice(got) for got in stolen if voice(got) != "stranger"], [])
        self.assertEqual(stolen, [])
        self.assertEqual(from_a.names(), {"from-b"})
        self.assertEqual(from_b.names(), {"from-a"})
        self.end(a, b)

    def test_a_stranger_cannot_take_the_place_of_a_phone_behind_nat(self):
        a, b = self.phone("1001"), self.phone("1002")
        hide_address(b)
        answering = Answering(b)
        a.dial("1002")
        answering.join()
        from_a = self.talk(a, "from-a")
        stolen = self.flood(a.media.remote[1], b.media.remote[1], rounds=70)
        from_b = self.talk(b, "from-b")
        stolen += self.flood(a.media.remote[1], b.media.remote[1], rounds=70)
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        self.assertEqual(stolen, [])
        self.assertEqual(from_a.names(), {"from-b"})
        self.end(a, b)

    def test_control_packets_of_strangers_end_nothing(self):
        a, b = self.connect()
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        bye = struct.pack(">BBHI", 0x81, 203, 1, 0x11223344)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.9", 0))
            for port in (a.media.remote[1], b.media.remote[1], a.media.remote[1] + 1, b.media.remote[1] + 1):
                for data in (bye, b"", b"\x80", b"\x80\xc8", b"\xff" * 1400, packet(1, b"")[:11]):
                    stranger.sendto(data, ("127.0.0.1", port))
        before = from_a.count("from-b"), from_b.count("from-a")
        wait_until(lambda: from_a.count("from-b") > before[0] + 20 and from_b.count("from-a") > before[1] + 20, 60,
                   "both are still heard")
        self.assertEqual(from_a.names(), {"from-b"})
        self.end(a, b)


    def test_reports_do_not_circle_between_ports_that_phones_named_though_they_are_the_servers(self):
        a, b = self.connect()
        ours = a.media.remote[1], b.media.remote[1]
        self.names_for_reports(a, ours[1] + 1, b, ours[0] + 1)
        report = struct.pack(">BBHI", 0x80, 200, 6, 7) + bytes(20)
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        from_a.stop(), from_b.stop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            for _ in range(20):
                stranger.sendto(report, ("127.0.0.1", ours[0] + 1))
        before = self.received()
        time.sleep(2)  # a circle makes a thousand of it; nobody else sends
        self.assertLess(self.received() - before, 100)
        self.end(a, b)

    def received(self):
        text = self.admin.ask("GET", "/metrics")[2]
        return int(float(re.search(r'media_packets_total\{direction="in"\} (\S+)', text)[1]))

    def names_for_reports(self, asker, its, answerer, others):
        """A re-INVITE in which both name a place for RTCP."""
        def described(phone, port):
            return phone.sdp().replace("o=- 1 1 ", "o=- 1 2 ") + f"a=rtcp:{port} IN IP4 127.0.0.1\r\n"

        def serve():
            invite = answerer.expect(lambda m: m.method == "INVITE", "re-INVITE", 60)
            answerer.reply(invite, 200, "OK", described(answerer, others))
            answerer.expect(lambda m: m.method == "ACK", "ACK", 60)

        answering = Beside(serve)
        cseq = asker.next_cseq()
        asker.send(asker.in_dialog("INVITE", body=described(asker, its), cseq=cseq))
        self.assertEqual(asker.final("INVITE", asker.dialog["call_id"]).status, 200)
        asker.send(asker.in_dialog("ACK", cseq=cseq))
        answering.join()


class Paths(Call):
    def test_a_phone_behind_nat_hears_although_its_sdp_names_an_address_nobody_reaches(self):
        a, b = self.phone("1001"), self.phone("1002")
        hide_address(b)
        answering = Answering(b)
        a.dial("1002")
        answering.join()
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        self.end(a, b)

    def test_media_follows_a_phone_whose_nat_gave_it_another_port(self):
        a, b = self.connect()
        hidden = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(hidden.close)
        hidden.bind(("127.0.0.1", 0))  # same host, other port than the SDP said
        from_a, from_b = self.talk(a, "from-a"), Talker(hidden, b.media.remote, "from-b")
        self.addCleanup(from_b.stop)
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        self.end(a, b)

    def test_a_phone_on_the_host_of_the_server_may_send_from_any_address_of_it(self):
        a, b = self.connect()
        elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(elsewhere.close)
        elsewhere.bind(("127.0.0.8", 0))  # neither where it signs in nor what its SDP says
        from_a, from_b = self.talk(a, "from-a"), Talker(elsewhere, b.media.remote, "from-b")
        self.addCleanup(from_b.stop)
        wait_until(lambda: from_a.count("from-b") > 5 and from_b.count("from-a") > 5, 60, "both are heard")
        self.end(a, b)

    def test_packets_are_relayed_byte_for_byte_and_in_full(self):
        a, b = self.connect()
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.sent > 100 and from_b.sent > 100, 60, "two seconds went by")
        from_a.stop()
        wait_until(lambda: from_b.count("from-a") >= from_a.sent - 5, 60, "nearly all arrive")
        got = [struct.unpack(">H", p[2:4])[0] for p in from_b.heard if voice(p) == "from-a"]
        self.assertEqual(len(got), len(set(got)))
        self.assertTrue(all(len(p) == 172 for p in from_b.heard))
        self.end(a, b)

    def test_echo_returns_what_was_said(self):
        a = self.phone("1001")
        a.dial("*43")
        said = self.talk(a, "hello-echo")
        wait_until(lambda: said.count("hello-echo") > 25, 60, "the echo")
        self.assertEqual(said.names(), {"hello-echo"})
        record = self.end(a)
        self.assertEqual((record["disposition"], record["to_number"]), ("answered", "*43"))

    def test_the_record_tells_the_quality(self):
        a, b = self.connect()
        from_a, from_b = self.talk(a, "from-a"), self.talk(b, "from-b")
        wait_until(lambda: from_a.count("from-b") > 120 and from_b.count("from-a") > 120, 60, "some seconds of talk")
        legs = json.loads(self.end(a, b)["legs"])
        self.assertEqual([leg["party"] for leg in legs], ["1001", "1002"])
        for leg in legs:
            self.assertGreater(leg["mos"], 4.0, leg)
            self.assertLess(leg["mos"], 4.6, leg)
            self.assertLess(leg["loss_percent"], 5, leg)
            self.assertLess(leg["jitter_ms"], 40, leg)
            self.assertEqual(leg["codec"], "PCMU/8000")

    def test_the_record_tells_of_loss(self):
        a, b = self.connect()
        from_a = self.talk(a, "from-a")
        for sequence in range(1, 151):
            if sequence % 5:
                b.media.socket.sendto(packet(sequence, b"from-b".ljust(160, b".")), b.media.remote)
            time.sleep(0.02)
        wait_until(lambda: from_a.count("from-b") >= 119, 60, "what was sent is heard")
        legs = {leg["party"]: leg for leg in json.loads(self.end(a, b)["legs"])}
        self.assertAlmostEqual(legs["1002"]["loss_percent"], 20, delta=3)
        self.assertLess(legs["1001"]["loss_percent"], 5)
        self.assertLess(legs["1002"]["mos"], legs["1001"]["mos"] - 0.3)


if __name__ == "__main__":
    unittest.main()
