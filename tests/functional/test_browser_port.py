"""The port of the browsers' media, as it is seen from outside: open, silent towards strangers, the same after a
restart."""
import contextlib
import os
import re
import select
import shutil
import socket
import stat
import struct
import unittest
import zlib

from api_client import user
from netns import Network, ip
from office import Office, free_ports, wait_until


def check_for(fragment):
    """A STUN Binding request as ICE sends it, with a signature that fits no password."""
    name = fragment.encode()
    attributes = struct.pack(">HH", 6, len(name)) + name + bytes(-len(name) % 4)
    attributes += struct.pack(">HH", 8, 20) + bytes(20)
    head = struct.pack(">HHI", 1, len(attributes) + 8, 0x2112A442) + os.urandom(12)
    message = head + attributes
    return message + struct.pack(">HHI", 0x8028, 4, zlib.crc32(message) ^ 0x5354554E)


def browser_port(port):
    return f"  webrtc_port: {port}"


@contextlib.contextmanager
def held(first, pairs):
    """The even ports from the first on are another program's."""
    with contextlib.ExitStack() as stack:
        for port in range(first, first + 2 * pairs, 2):
            other = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):  # then somebody else has it, which is as good
                other.bind(("127.0.0.1", port))
        yield


class BrowserPort(unittest.TestCase):
    def office(self, *server_lines, **given):
        office = Office(**given)
        text = office.config_file.read_text()
        more = "".join(line + "\n" for line in server_lines)
        office.config_file.write_text(text.replace("server:\n", "server:\n" + more, 1))
        return office

    def test_it_is_open_keeps_its_certificate_and_answers_no_stranger(self):
        port = free_ports(5)[4]  # beyond those the office takes for itself
        office = self.office(browser_port(port))
        with office:
            key = office.data / "dtls.key"
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
            certificate = (office.data / "dtls.pem").read_bytes()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.connect(("127.0.0.1", port))
                stranger.settimeout(0.3)
                for packet in (check_for("nobody:here"), bytes([22, 0xFE, 0xFD]) + bytes(200), bytes([0x80]) + bytes(171)):
                    stranger.send(packet)
                    self.assertRaises(TimeoutError, stranger.recv, 2000)
            with socket.create_connection(("127.0.0.1", port), 60) as stream:
                request = check_for("nobody:here")
                stream.sendall(struct.pack(">H", len(request)) + request)
                stream.settimeout(120)
                self.assertEqual(stream.recv(100), b"", "a connection that proves nothing is closed")
            counted = r'dropped_packets_total\{reason="no_session"\} (\d+)'
            admin = user(office, "eve")
            wait_until(lambda: int(re.search(counted, admin.ask("GET", "/metrics")[2]).group(1)) >= 4, 60,
                       "strangers are counted")
            office.stop()
            office.start()
            self.assertEqual((office.data / "dtls.pem").read_bytes(), certificate)

    def test_a_port_in_use_is_said_when_it_was_asked_for_and_passed_over_when_not(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            asked = self.office(browser_port(other.getsockname()[1]))
            self.addCleanup(shutil.rmtree, asked.folder)
            with self.assertRaises(AssertionError) as failed:
                asked.start()
            self.assertIn("the port is in use by another program", str(failed.exception))
        office = self.office()
        with held(office.rtp, 40), office:
            self.assertNotIn("in use", office.log.read_text())

    def test_a_range_that_others_hold_is_named_with_its_keys(self):
        office = self.office(rtp_ports=9)
        self.addCleanup(shutil.rmtree, office.folder)
        with held(office.rtp, 5), self.assertRaises(AssertionError) as failed:
            office.start()
        self.assertIn(f"hold every port of {office.rtp} to {office.rtp + 9}", str(failed.exception))
        self.assertIn("server.rtp_port_range_start", str(failed.exception))

    def test_off_means_closed_and_another_port_needs_a_restart(self):
        port, other = free_ports(6)[4:]
        office = self.office(browser_port(port), config="features:\n  webrtc:\n    enabled: false\n")
        with office:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as browser:
                self.assertNotEqual(browser.connect_ex(("127.0.0.1", port)), 0)
            text = office.config_file.read_text()
            text = text.replace(browser_port(port), browser_port(other))
            office.config_file.write_text(text.replace("enabled: false", "enabled: true"))
            told = office.cli("reload")
            self.assertIn("server.webrtc_port", told)
            self.assertIn("features.webrtc.enabled", told)

    def test_a_customers_whole_slash_64_shares_the_connections_of_one_address(self):
        allowed = 64
        with Network("pbx", "a") as network:
            ip("-n", network.namespace("pbx"), "route", "add", "2001:db8:1::/64", "dev", "eth0")
            for address in ("2001:db8::a:1", "2001:db8::b:1", "2001:db8:1::1"):
                ip("-n", network.namespace("a"), "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
            with self.office(host="::", namespace=network.namespace("pbx")) as office, \
                    network.inside("a"), contextlib.ExitStack() as stack:
                server = (network.address6("pbx"), office.rtp)

                def connect(source):
                    return stack.enter_context(socket.create_connection(server, 60, (source, 0)))

                for n in range(allowed):
                    connect(("2001:db8::a:1", "2001:db8::b:1")[n % 2])
                neighbour = connect("2001:db8:1::1")
                too_many = connect(network.address6("a"))
                # Whoever proves nothing is closed after a while; the one too many before all others.
                closed, _, _ = select.select([neighbour, too_many], [], [], 60)
                self.assertEqual(closed, [too_many])
