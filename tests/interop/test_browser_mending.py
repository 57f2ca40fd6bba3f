"""A call of the page /phone outlasts a reload of the page and a change of the network under it."""
import time
import unittest

from browser import Browser
from functional.test_phone_page import logged_in
from netns import Network, ip
from office import Office, wait_until

# Writes down that the call was not shown at some moment.
WATCH = """() => {
  window.gaps = [];
  const look = () => document.querySelector('button.hangup') === null && window.gaps.push(document.body.innerText);
  look();
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


class Mending(unittest.TestCase):
    def start(self, office, url, spaces=(None, None), **more):
        """Two pages in a call, both heard."""
        self.office = office
        low, high = (Browser(tone=hz, namespace=space) for hz, space in zip((440, 880), spaces))
        self.addCleanup(low.close)
        self.addCleanup(high.close)
        self.alice, self.bob = (logged_in(browser, url, number, **more) for browser, number in ((low, "1001"), (high, "1002")))
        for page in (self.alice, self.bob):
            page.read("Ready")
        self.alice.type("1002")
        self.alice.press("Enter")
        self.bob.click("button", "Answer")
        self.alice.hears(880)
        self.bob.hears(440)
        self.bob.evaluate(WATCH)
        self.bob.listens(440)
        self.call = self.only_call()

    def only_call(self):
        (call,) = calls(self.office)
        return call

    def goes_on(self):
        """It is the same call, the other side saw no end of it, and each hears who it heard before."""
        self.alice.hears(880)
        self.bob.hears(440)
        self.assertEqual(self.only_call(), self.call)
        self.assertEqual(self.bob.evaluate("() => window.gaps"), [])

    def ends(self):
        """By the page that was mended, so that it still has its call in hand."""
        self.alice.click("button", "Hang up")
        self.bob.see("button", "Call")
        wait_until(lambda: calls(self.office) == [], 60, "no call is left")

    def test_a_page_that_is_loaded_again_is_back_in_its_call(self):
        with Office() as office:
            self.start(office, f"http://127.0.0.1:{office.http}")
            for _ in range(2):
                began, then = time.monotonic(), time.time()
                self.alice.reload()
                back = self.alice.hears(880) - began
                self.bob.hears(440)
                print(f"figure: sound after a reload: {back:.2f} s; silence at the other side: "
                      f"{self.bob.longest_silence(then):.2f} s")
                self.alice.see("timer")
                self.goes_on()
            self.ends()

    def test_a_page_whose_address_changes_keeps_its_call(self):
        with Network("pbx", "a", "b") as network, Office(host="0.0.0.0", namespace=network.namespace("pbx")) as office:
            self.start(office, f"https://{network.address('pbx')}:{office.https}",
                       (network.namespace("a"), network.namespace("b")), https=True)
            self.alice.listens(880)
            space = network.namespace("a")
            self.moves(space, "192.0.2.71")
            self.goes_on()
            self.moves(space, "192.0.2.72", away=1)
            self.goes_on()
            self.hears_what_it_missed(space)

    def hears_what_it_missed(self, space):
        """The push that the other side hung up, told while the page could not be reached."""
        ip("-n", space, "addr", "flush", "dev", "eth0", "scope", "global")
        self.bob.click("button", "Hang up")
        wait_until(lambda: not calls(self.office), 60, "the end of the call")
        ip("-n", space, "addr", "add", "192.0.2.73/24", "dev", "eth0")
        self.alice.read("1002 hung up")
        self.alice.see("button", "Call")

    def moves(self, space, new, away=0):
        """`away`: so many seconds it has no address at all."""
        before, gone = self.alice.own_address(), time.time()
        ip("-n", space, "addr", "flush", "dev", "eth0", "scope", "global")
        time.sleep(away)
        ip("-n", space, "addr", "add", f"{new}/24", "dev", "eth0")
        wait_until(lambda: self.alice.own_address() == new, 60, "the media goes another way")
        self.alice.hears(880)
        self.bob.hears(440)
        print(f"figure: {before} became {new}, {away} s without any; silence here {self.alice.longest_silence(gone):.2f} s, "
              f"at the other side {self.bob.longest_silence(gone):.2f} s")


def calls(office):
    return [call["call_id"] for call in office.json("call", "ls")]


if __name__ == "__main__":
    unittest.main()
