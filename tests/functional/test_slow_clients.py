"""Bad HTTP clients against the running program: they cost themselves, not others."""
import socket
import struct
import unittest

from load.slow_clients import SlowClients, call
from office import Office


class SlowAndCrooked(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()
        cls.address = (cls.office.host, cls.office.http)

    def said(self, request, until=b"}\n"):
        # From an address of its own: what one address may ask is limited, and the slow clients ask much.
        with socket.create_connection(self.address, 120, source_address=("127.0.0.2", 0)) as made:
            made.sendall(request)
            answer = b""
            while until not in answer:
                part = made.recv(65536)
                if not part:
                    break
                answer += part
            return answer.decode()

    def test_requests_and_calls_go_on_among_slow_clients(self):
        slow = SlowClients(self.address, 150)
        try:
            for _ in range(20):
                self.assertIn(" 200 ", self.said(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))
            call(self.office)
        finally:
            slow.stop()

    def test_dripping_buys_no_time(self):
        with socket.create_connection(self.address, 120) as made:
            made.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            made.settimeout(0.5)
            for _ in range(120):  # 10 s from the first byte, however it drips; a minute on a busy machine
                try:
                    made.sendall(b"x")
                    if made.recv(100) == b"":
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return
        self.fail("a head that drips for a minute is still waited for")

    def test_methods_paths_and_sizes(self):
        answer = self.said(b"DELETE /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(" 405 ", answer)
        self.assertIn("Allow: GET", answer)
        self.assertIn(" 404 ", self.said(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"))
        head = self.said(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n")
        self.assertIn(" 200 ", head)
        self.assertTrue(head.endswith("\r\n\r\n"), head)
        self.assertIn(" 413 ", self.said(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"))
        self.assertIn(" 431 ", self.said(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20000 + b"\r\n\r\n"))
        for crooked in (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 3\r\nContent-Length: 4\r\n",
                        b"X: a\r\n b\r\n", b"X: a\nY: b\r\n"):
            answer = self.said(b"POST /health HTTP/1.1\r\nHost: x\r\n" + crooked + b"\r\nabcGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(answer.startswith("HTTP/1.1 400 "), answer)
            self.assertNotIn('"ok"', answer)

    def test_two_requests_at_once_are_answered_in_order(self):
        answer = self.said(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", b"not_found")
        self.assertLess(answer.index(" 200 "), answer.index(" 404 "))

    def test_a_stun_keep_alive_on_the_sip_port_is_answered_with_the_address(self):
        """RFC 5626 section 4.4.2."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(0.2)
            phone.connect((self.office.host, self.office.sip))
            request = struct.pack(">HHI12s", 1, 0, 0x2112A442, b"twelve bytes")
            for _ in range(300):
                phone.send(request)
                try:
                    answer = phone.recv(1000)
                    break
                except TimeoutError:
                    continue
            kind, size, cookie, transaction, attribute, length, family, port = struct.unpack_from(">HHI12sHHHH", answer)
            self.assertEqual((kind, size, transaction), (0x0101, 12, b"twelve bytes"))
            self.assertEqual((attribute, length, family), (0x0020, 8, 1))
            self.assertEqual(port ^ 0x2112, phone.getsockname()[1])
            self.assertEqual(answer[28:32], bytes(a ^ b for a, b in zip(socket.inet_aton("127.0.0.1"), b"\x21\x12\xa4\x42")))


if __name__ == "__main__":
    unittest.main()
