"""The page /phone in Chromium against the real program: what one says the other hears, proved by frequency."""
import unittest

from browser import Browser
from functional.test_phone_page import logged_in
from office import Office


class BrowserMedia(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.low, cls.high = Browser(tone=440), Browser(tone=880)
        cls.addClassCleanup(cls.low.close)
        cls.addClassCleanup(cls.high.close)
        cls.url = f"http://127.0.0.1:{cls.office.http}"

    def page(self, browser, number):
        page = logged_in(browser, self.url, number)
        self.addCleanup(page.close)
        page.read("Ready")
        return page

    def dial(self, page, number):
        page.type(number)
        page.press("Enter")

    def test_the_echo_test_is_heard(self):
        alice = self.page(self.low, "1001")
        self.dial(alice, "*43")
        alice.see("timer")
        alice.hears(440)
        alice.click("button", "Hang up")
        alice.see("button", "Call")

    def test_two_pages_hear_each_other(self):
        alice, bob = self.page(self.low, "1001"), self.page(self.high, "1002")
        self.dial(alice, "1002")
        bob.click("button", "Answer")
        alice.hears(880)
        bob.hears(440)
        alice.click("button", "Hang up")
        bob.see("button", "Call")


if __name__ == "__main__":
    unittest.main()
