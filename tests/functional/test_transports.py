"""Phones of every transport and both address families call each other through the real program."""
import itertools
import unittest

from office import Office, wait_until
from softphone import Beside, Phone, hear_each_other

TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")


class Transports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office(host="127.0.0.1", config="security:\n  trusted_networks: ['127.0.0.0/8', '::1/128']\n")
        text = cls.office.config_file.read_text().replace("'127.0.0.1'", "'0.0.0.0'")
        cls.office.config_file.write_text(text)
        cls.office.start()

    @classmethod
    def tearDownClass(cls):
        cls.office.__exit__(None)

    def call(self, caller, callee):
        with Phone("1001", self.office, caller[0], caller[1]) as a, Phone("1002", self.office, callee[0], callee[1]) as b:
            a.register()
            b.register()
            thread = Answering(b)
            a.dial("1002")
            thread.join()
            hear_each_other(a, b)
            a.hang_up()
            b.hung_up()
            a.register(expires=0)
            b.register(expires=0)
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")

    def test_every_transport_calls_every_transport(self):
        for caller, callee in itertools.product(TRANSPORTS, TRANSPORTS):
            with self.subTest(caller=caller, callee=callee):
                self.call((caller, "127.0.0.1"), (callee, "127.0.0.1"))

    def test_ipv4_calls_ipv6_and_back(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                self.call((transport, "127.0.0.1"), (transport, "::1"))
                self.call((transport, "::1"), (transport, "127.0.0.1"))
                self.call((transport, "::1"), ("udp", "::1"))


class Answering(Beside):
    """Lets a phone ring and answer beside the test."""

    def __init__(self, phone):
        super().__init__(self.work, phone)

    @staticmethod
    def work(phone):
        phone.ringing()
        phone.answer()


if __name__ == "__main__":
    unittest.main()
