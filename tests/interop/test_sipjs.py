"""SIP.js in Chromium, over WSS: calls with a desk phone and with the page that speaks no SIP, proved by frequency."""
import unittest

from browser import Browser
from functional.test_phone_page import logged_in
from interop.rooms import Rooms
from interop.sip_page import SipPage
from office import wait_until


class SipJs(Rooms):
    def setUp(self):
        super().setUp()
        self.alice = SipPage("1001", self.office, self.network, "a", tone=440)
        self.addCleanup(self.alice.close)

    def rest_page(self, number, place, tone):
        browser = Browser(tone=tone, namespace=self.network.namespace(place))
        self.addCleanup(browser.close)
        page = logged_in(browser, f"https://{self.network.address('pbx')}:{self.office.https}", number, https=True)
        page.read("Ready")
        return page

    def states(self):
        """Of the only call: whose leg stands how."""
        (call,) = self.office.json("call", "ls")
        return {leg["party"]: leg["state"] for leg in call["legs"] if leg["state"] != "ended"}

    def nobody_talks(self):
        wait_until(lambda: self.office.json("call", "ls") == [], 60, "no call is left")

    def test_a_desk_phone_is_called_and_handed_to_a_page(self):
        bob = self.phone("1002", "b", tone=1000)
        carol = self.rest_page("1003", "c", 700)
        self.alice.dial("1002")
        self.alice.is_up()
        self.alice.page.hears(1000)
        bob.hears(440, 60)
        self.alice.transfer("1003")
        carol.click("button", "Answer")
        carol.hears(1000)
        bob.hears(700, 60)
        self.alice.is_over()
        wait_until(lambda: set(self.states()) == {"1002", "1003"}, 60, "a call of those two is left")
        carol.click("button", "Hang up")
        bob.wait_for("CALL_CLOSED", 60)
        self.nobody_talks()

    def test_a_desk_phone_calls_and_hangs_up(self):
        bob = self.phone("1002", "b", tone=1000, codecs="G722/16000/1")
        bob.dial("1001")
        self.alice.answer()
        self.alice.page.hears(1000)
        bob.hears(440, 60)
        bob.hang_up()
        self.alice.is_over()
        self.nobody_talks()

    def test_it_and_a_page_call_each_other_and_it_holds_the_page(self):
        carol = self.rest_page("1003", "c", 700)
        carol.type("1001")
        carol.press("Enter")
        self.alice.answer()
        carol.hears(440)
        self.alice.page.hears(700)
        self.alice.do("hangUp")
        carol.read("1001 hung up")
        self.nobody_talks()
        self.alice.dial("1003")
        carol.click("button", "Answer")
        carol.hears(440)
        self.alice.page.hears(700)
        self.holds(carol)
        carol.click("button", "Hang up")
        self.alice.is_over()
        self.nobody_talks()

    def holds(self, carol):
        self.alice.do("hold")
        carol.read("The other side has put you on hold.")
        wait_until(lambda: carol.loudest()[1] < -60, 60, "the page hears nothing more")
        self.alice.do("resume")
        carol.hears(440)
        self.alice.page.hears(700)

    def test_it_leaves(self):
        self.assertIn("1001", self.phones())
        self.alice.do("stop")
        wait_until(lambda: "1001" not in self.phones(), 60, "it is gone")

    def phones(self):
        return self.office.cli("phone", "ls")


if __name__ == "__main__":
    unittest.main()
