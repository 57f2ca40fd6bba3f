"""What no honest phone sends: it is refused or ignored, it costs little, and the next call works as ever."""
import os
import random
import re
import socket
import struct
import time
import unittest

from functional.test_transports import Answering
from office import ROOT, Office, wait_until
from softphone import Link, Message, Phone, hear_each_other

TORTURE = ROOT / "src/sip/testdata/rfc4475"

# The answer over UDP; None: silence. As in src/sip/rfc4475_test.cc.
ANSWERED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "regbadct": 400, "badaspec": 400, "baddn": 400, "badvers": 505,
    "mismatch01": 400, "mismatch02": 400, "insuf": 400, "unkscm": 416, "novelsc": 416, "unksm2": 400, "bext01": 420,
    "invut": 415, "multi01": 400, "mcl01": 400, "sdp01": 406,
    "scalarlg": None, "bigcode": None, "bcast": None, "unreason": None, "noreason": None,
}


def torture(name):
    return (TORTURE / f"{name}.dat").read_bytes()


def with_our_via(message, port):
    """rport asks for the answer where the datagram came from; the values of the RFC name addresses nobody is at."""
    return re.sub(rb"(?im)^((?:via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*)(?:UDP|TCP|TLS|SCTP|UNKNOWN)(\s+)[^;\s]+",
                  rb"\g<1>UDP\g<2>127.0.0.1:%d;rport" % port, message, count=1)


def udp(office):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((office.host, office.sip))
    sock.settimeout(60)
    return sock


def first_after(sock, *sent):
    """What comes back for these before the answer to an OPTIONS that follows them; None: nothing."""
    last = f"last-{random.getrandbits(50)}"
    for data in (*sent, options(sock.getsockname()[1], last)):
        sock.send(data)
    got = Message(sock.recv(65536))
    return None if got.get("Call-ID") == last else got


def options(port, call_id="alive", transport="UDP"):
    return (f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};rport;branch=z9hG4bK{random.getrandbits(50)}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {call_id}\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The address sanitizer keeps what was freed; memory is measured here, so let it keep little.
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=16")
        cls.office = Office()
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()
        cls.random = random.Random(20)

    def tearDown(self):
        """Whatever it was: the server is the same process as before, and people can talk."""
        self.assertTrue(self.office.alive())
        with Phone("1001", self.office) as a, Phone("1002", self.office, "tcp") as b:
            a.register()
            b.register()
            answering = Answering(b)
            a.dial("1002")
            answering.join()
            hear_each_other(a, b)
            a.hang_up()
            b.hung_up()
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")

    def stream(self):
        sock = socket.create_connection((self.office.host, self.office.sip), 60)
        self.addCleanup(sock.close)
        return sock

    def assertClosed(self, sock, seconds=60):
        """The server ends the connection by itself; answers before that are welcome."""
        end = time.monotonic() + seconds
        sock.settimeout(0.2)
        while time.monotonic() < end:
            try:
                if not sock.recv(65536):
                    return
            except TimeoutError:
                pass
            except OSError:
                return
        self.fail(f"the connection is still open after {seconds} s")

    # ---- SIP messages ----

    def test_every_torture_message_gets_the_answer_of_the_table(self):
        for name, expected in ANSWERED.items():
            with self.subTest(message=name), udp(self.office) as sock:
                got = first_after(sock, with_our_via(torture(name), sock.getsockname()[1]))
                self.assertEqual(got and got.status, expected)

    def test_all_torture_messages_as_they_are(self):
        names = sorted(path.stem for path in TORTURE.glob("*.dat"))
        self.assertEqual(len(names), 49)
        for name in names:
            with udp(self.office) as sock:
                sock.send(torture(name))
            with socket.create_connection((self.office.host, self.office.sip), 60) as sock:
                sock.sendall(torture(name))
                sock.sendall(options(sock.getsockname()[1], transport="TCP"))

    def test_a_torture_message_cut_anywhere_harms_nothing(self):
        whole = torture("wsinv") + torture("intmeth")
        with udp(self.office) as sock:
            for end in range(0, len(whole), 7):
                sock.send(whole[:end])

    def test_messages_with_random_bytes_in_them_harm_nothing(self):
        seeds = [torture(name) for name in ("wsinv", "intmeth", "longreq", "mpart01", "esc01", "dblreq")]
        with udp(self.office) as sock:
            for _ in range(3000):
                data = bytearray(self.random.choice(seeds))
                for _ in range(self.random.randrange(1, 8)):
                    data[self.random.randrange(len(data))] = self.random.randrange(256)
                sock.send(data)
                if self.random.random() < 0.05:
                    time.sleep(0.002)

    # ---- datagrams ----

    def test_garbage_is_not_answered_and_does_not_stay_in_memory(self):
        with udp(self.office) as sock:
            self.garbage(sock, 2000)  # what is set aside once, is
            before = self.office.resident_bytes()
            self.garbage(sock, 20000)
            self.assertLess(self.office.resident_bytes() - before, 20 << 20)
            self.assertIsNone(first_after(sock), "garbage was answered")

    def garbage(self, sock, count):
        for index in range(count):
            sock.send(self.random.randbytes(self.random.randrange(0, 1400)))
            if index % 100 == 0:
                time.sleep(0.005)

    def test_new_call_ids_without_credentials_do_not_stay_in_memory(self):
        with udp(self.office) as sock:
            port = sock.getsockname()[1]
            before = self.office.resident_bytes()
            for index in range(5000):
                sock.send(options(port, f"flood-{index}"))
                if index % 20 == 0:
                    time.sleep(0.005)
            self.assertLess(self.office.resident_bytes() - before, 60 << 20)

    def test_a_stun_keep_alive_on_the_sip_port_is_told_where_it_came_from(self):
        with udp(self.office) as sock:
            transaction = os.urandom(12)
            sock.send(struct.pack(">HHI", 0x0001, 0, 0x2112A442) + transaction)
            answer = sock.recv(2000)
            self.assertEqual(answer[:2] + answer[4:20], struct.pack(">HI", 0x0101, 0x2112A442) + transaction)
            port = sock.getsockname()[1] ^ 0x2112
            self.assertIn(struct.pack(">HHBBH", 0x0020, 8, 0, 1, port), answer)  # XOR-MAPPED-ADDRESS, RFC 5389

    def test_half_a_stun_request_is_ignored(self):
        with udp(self.office) as sock:
            self.assertIsNone(first_after(sock, struct.pack(">HHI", 0x0001, 400, 0x2112A442) + os.urandom(12)))

    def test_keepalives_are_not_answered_over_udp_and_are_over_tcp(self):
        with udp(self.office) as sock:
            self.assertIsNone(first_after(sock, b"\r\n\r\n", b"\0"))
        sock = self.stream()
        sock.sendall(b"\r\n\r\n")
        self.assertEqual(sock.recv(10), b"\r\n")  # RFC 5626 section 3.5.1

    # ---- streams ----

    def test_a_message_in_single_bytes_is_read(self):
        sock = self.stream()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in options(sock.getsockname()[1], transport="TCP"):
            sock.send(bytes([byte]))
            time.sleep(0.0005)
        self.assertEqual(Message(sock.recv(4096)).status, 200)

    def test_random_bytes_end_a_connection(self):
        for _ in range(20):
            sock = self.stream()
            try:
                sock.sendall(self.random.randbytes(200000))
            except OSError:
                continue  # closed while we wrote: as it should be
            self.assertClosed(sock)

    def test_a_header_without_end_ends_the_connection_and_costs_little(self):
        before = self.office.resident_bytes()
        for _ in range(10):
            sock = self.stream()
            try:
                sock.sendall(b"INVITE sip:1002@127.0.0.1 SIP/2.0\r\nSubject: ")
                for _ in range(200):
                    sock.sendall(b"a" * 10000)
            except OSError:
                continue
            self.assertClosed(sock)
        self.assertLess(self.office.resident_bytes() - before, 20 << 20)

    def test_a_bare_carriage_return_at_the_start_is_no_way_to_fill_the_memory(self):
        before = self.office.resident_bytes()
        sock = self.stream()
        try:
            sock.sendall(b"\r" + b"a" * 50_000_000)
        except OSError:
            return
        self.assertLess(self.office.resident_bytes() - before, 20 << 20)
        self.assertClosed(sock)

    def test_a_body_that_is_said_to_be_giant_ends_the_connection(self):
        for size in (b"99999999", b"4294967296", b"18446744073709551617", b"-1"):
            with self.subTest(size=size):
                sock = self.stream()
                sock.sendall(options(sock.getsockname()[1], transport="TCP").replace(b"Length: 0", b"Length: " + size))
                self.assertClosed(sock)

    def test_many_half_messages_do_not_keep_others_out(self):
        slow = [self.stream() for _ in range(100)]
        for sock in slow:
            sock.sendall(b"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1\r\nSub")
        with Phone("1003", self.office, "tcp") as phone:
            self.assertEqual(phone.register().status, 200)

    # ---- WebSocket and HTTP ----

    def web(self, data):
        sock = socket.create_connection((self.office.host, self.office.http), 60)
        self.addCleanup(sock.close)
        sock.sendall(data)
        return sock

    def test_websocket_frames_that_break_the_rules_end_the_connection(self):
        mask = b"\1\2\3\4"
        for what, frame in (("not masked", b"\x81\x05hello"), ("reserved bit", b"\xf1\x80" + mask),
                            ("unknown opcode", b"\x83\x80" + mask), ("long ping", b"\x89\xfe\x00\x80" + mask + b"x" * 128),
                            ("cut ping", b"\x09\x80" + mask), ("continues nothing", b"\x80\x80" + mask),
                            ("giant", b"\x82\xff" + b"\x7f" + b"\xff" * 7 + mask), ("random", b"\xff" * 4000)):
            with self.subTest(frame=what):
                link = Link("ws", self.office.host, self.office.http)
                self.addCleanup(link.close)
                link.socket.sendall(frame)
                self.assertClosed(link.socket)

    def test_websocket_messages_that_are_no_sip_harm_nothing(self):
        link = Link("ws", self.office.host, self.office.http)
        self.addCleanup(link.close)
        try:
            for _ in range(200):
                link.send(self.random.randbytes(self.random.randrange(0, 3000)))
        except OSError:
            pass  # the server may have had enough of it

    def test_http_that_is_none_is_refused(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500), b"GET\r\n\r\n", b"GET /sip HTTP/9.9\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200000, self.random.randbytes(100000)):
            with self.subTest(data=data[:20]):
                try:
                    sock = self.web(data)
                except OSError:
                    continue
                try:
                    first = sock.recv(100)
                except ConnectionResetError:
                    first = b""
                self.assertRegex(first, rb"^(HTTP/1\.[01] [45]\d\d|$)")

    def test_an_upgrade_without_the_key_or_for_another_protocol_is_refused(self):
        good = ("GET /sip HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                "AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
        self.assertIn(b" 101 ", self.web(good.encode()).recv(100))
        for old, new in (("Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n", ""), ("Protocol: sip", "Protocol: chat"),
                         ("Version: 13", "Version: 8"), ("GET", "POST")):
            with self.subTest(new=new or "no key"):
                self.assertRegex(self.web(good.replace(old, new).encode()).recv(100), rb"^HTTP/1\.[01] 4\d\d")


if __name__ == "__main__":
    unittest.main()
