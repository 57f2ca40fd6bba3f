"""The page /phone as the real server gives it: how it is served, who gets in, and what it shows of the office."""
import gzip
import http.client
import re
import unittest

from api_client import Client, login, user
from browser import Browser
from office import Office, password, wait_until
from softphone import Phone, talk

NAMES = {"1001": "Alice Winter", "1002": "Bob Okafor", "1003": "<img src=x onerror=alert(1)> & 'Carol'"}


def named(office, names=None):
    """The office with people that have names."""
    text = office.config_file.read_text()
    for number, name in (names or NAMES).items():
        text = text.replace(f"'Person {number}'", "'" + name.replace("'", "''") + "'")
    office.config_file.write_text(text)
    return office


def logged_in(browser, url, number="1001", **more):
    page = browser.open(f"{url}/phone", **more)
    page.see("button", "Log in")
    page.fill("Extension", number)
    page.fill("Password", password(number))
    page.press("Enter")
    page.see("list", "Colleagues")
    return page


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.client = Client(cls.office)

    def get(self, path, **headers):
        return self.client.ask("GET", path, headers=headers)

    def test_the_page_and_all_it_loads_come_to_anybody_and_nothing_comes_from_elsewhere(self):
        status, headers, page = self.get("/phone")
        self.assertEqual(status, 200)
        self.assertEqual(headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(headers["cache-control"], "no-cache")
        self.assertEqual(re.findall(r"<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|https?://", page), [])
        files = re.findall(r'(?:src|href)="([^"]+)"', page)
        self.assertGreaterEqual(len(files), 3)
        for path in files:
            status, headers, text = self.get(path)
            self.assertEqual(status, 200, path)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            if re.search(r"-[\w-]{8}\.(js|css)$", path):
                self.assertEqual(headers["cache-control"], "public, max-age=31536000, immutable")
            self.assertNotIn("eval(", text)

    def test_the_library_has_a_name_that_stays(self):
        status, headers, text = self.get("/phone/bellwire-phone.js")
        self.assertEqual((status, headers["cache-control"]), (200, "no-cache"))
        self.assertRegex(text, r"export\{[^}]*\bas Phone\b")

    def test_the_policy_lets_nothing_in_but_the_page_itself(self):
        _, headers, _ = self.get("/phone")
        policy = headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("script-src 'self'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("http", policy)
        self.assertIn("microphone=(self)", headers["permissions-policy"])

    def test_what_the_browser_has_already_is_not_sent_again(self):
        for path in ("/phone", "/phone/icon.svg"):
            _, headers, _ = self.get(path)
            status, again, body = self.get(path, **{"If-None-Match": f'"x", {headers["etag"]}'})
            self.assertEqual((status, body, again["etag"]), (304, "", headers["etag"]))
            self.assertEqual(self.get(path, **{"If-None-Match": '"x"'})[0], 200)

    def test_compressed_forms_are_the_same_page(self):
        plain = self.get("/phone")[2]
        for accepted, coding in (("gzip", "gzip"), ("br", "br"), ("br;q=0, gzip", "gzip"), ("identity", None)):
            connection = http.client.HTTPConnection(self.office.host, self.office.http, timeout=60)
            connection.request("GET", "/phone", headers={"Accept-Encoding": accepted})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            self.assertEqual(answer.getheader("Content-Encoding"), coding)
            self.assertEqual(answer.getheader("Vary"), "Accept-Encoding")
            if coding == "gzip":
                self.assertEqual(gzip.decompress(body).decode(), plain)
            if coding == "br":
                self.assertLess(len(body), len(plain) * 2 // 3)

    def test_what_is_not_there_is_not_found(self):
        for path in ("/phone/nothing.js", "/phone/..%2findex.html", "/phone/assets/x.js", "/phone/%00"):
            status, _, answer = self.get(path)
            self.assertEqual((status, answer["code"]), (404, "not_found"), path)
        self.assertEqual(self.client.ask("POST", "/phone", {})[0], 405)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = named(Office())
        cls.office.start()
        cls.addClassCleanup(cls.office.__exit__, None)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.url = f"http://127.0.0.1:{cls.office.http}"

    def clean(self, page):
        self.assertEqual(page.violations(), [])
        self.assertEqual([t for t in page.told() if "Failed to load resource" not in t], [])
        self.assertEqual(page.axe(), [])

    def test_a_wrong_password_is_said_and_a_right_one_lets_in(self):
        page = self.browser.open(f"{self.url}/phone")
        page.see("button", "Log in")
        self.clean(page)
        page.type("1004")  # the first field has the focus
        page.press("Tab")
        page.type("wrong")
        page.press("Enter")
        page.read("The user name or the password is wrong.")
        self.clean(page)
        page.fill("Password", password("1004"))
        page.press("Enter")
        page.see("list", "Colleagues")
        page.click("button", "Log out")
        page.see("button", "Log in")
        page.reload()
        page.see("button", "Log in")

    def test_a_login_without_an_extension_is_told_what_is_missing(self):
        made = self.office.json("user", "add", "eve", "--role", "admin")
        page = self.browser.open(f"{self.url}/phone")
        page.see("button", "Log in")
        page.fill("Extension", "eve")
        page.fill("Password", made["password"])
        page.press("Enter")
        page.read("This login has no extension.")

    def test_colleagues_are_shown_with_their_state_and_names_are_text(self):
        with Phone("1002", self.office) as bob:
            page = logged_in(self.browser, self.url)
            page.read("Bob Okafor")
            shown = "(name) => document.querySelector('[aria-label=Colleagues]').innerText.includes(name)"
            page.wait(shown, NAMES["1003"])
            self.assertEqual(page.evaluate("() => document.querySelectorAll('img[src=x]').length"), 0)
            bob.register()
            page.read("1002 · Available")
            page.fill("Find a colleague", "oka")
            page.wait("() => document.querySelectorAll('[aria-label=Colleagues] li').length === 1")
            self.clean(page)
            page.close()

    def test_calls_that_were_are_shown(self):
        with Phone("1002", self.office) as bob, Phone("1001", self.office) as alice:
            alice.register()
            bob.register()
            talk(bob, alice)
            bob.hang_up()
            alice.hung_up()
        admin = user(self.office, "sue")
        wait_until(lambda: any(c["end_time"] for c in admin.ask("GET", "/api/cdr?extension=1001")[2]), 60, "the record")
        page = logged_in(self.browser, self.url)
        page.click("button", "History")
        page.see("button", "Call Bob Okafor")
        self.clean(page)
        page.close()

    def test_a_call_that_goes_on_is_not_among_those_that_were(self):
        with Phone("1003", self.office) as carol, Phone("1004", self.office) as dave:
            carol.register()
            dave.register()
            talk(carol, dave)
            page = logged_in(self.browser, self.url, "1004")
            page.wait("() => fetch('/api/cdr?extension=1004').then((r) => r.json()).then((all) => all.length === 1)")
            page.reload()
            page.click("button", "History")
            page.read("Your calls appear here.")
            self.clean(page)
            page.close()
            carol.hang_up()
            dave.hung_up()

    def test_ones_own_state_is_set(self):
        page = logged_in(self.browser, self.url, "1004")
        self.addCleanup(login(self.office, "1004", password("1004")).ask, "POST", "/api/presence/set", {"status": "available"})
        page.evaluate("() => { const s = document.querySelector('.presence select'); s.value = 'dnd'; s.dispatchEvent(new Event('change', {bubbles: true})); }")
        page.wait("() => document.querySelector('.presence .dot.dnd') !== null")
        page.wait("() => fetch('/api/presence').then((r) => r.json()).then((all) => all.find((p) => p.extension === '1004').status === 'dnd')")
        page.close()

    def test_a_page_that_is_loaded_again_is_still_logged_in(self):
        page = logged_in(self.browser, self.url)
        page.reload()
        page.see("list", "Colleagues")
        page.close()




if __name__ == "__main__":
    unittest.main()
