"""An office and three rooms for telephones, each a network namespace of its own."""
import unittest

from interop.softphone import Baresip
from netns import Network
from office import Office


class Rooms(unittest.TestCase):
    def setUp(self):
        self.network = Network("pbx", "a", "b", "c").__enter__()
        self.addCleanup(self.network.__exit__)
        self.office = Office(host="0.0.0.0", namespace=self.network.namespace("pbx"))
        self.addCleanup(lambda: self.office.__exit__(None))
        self.office.start()

    def phone(self, number, place, transport="udp", v6=False, **options):
        pbx = self.network.address6("pbx") if v6 else self.network.address("pbx")
        port = self.office.tls if transport == "tls" else self.office.sip
        phone = Baresip(number, (pbx, port), transport, namespace=self.network.namespace(place), **options)
        self.addCleanup(phone.__exit__, None)
        phone.wait_registered()
        return phone
