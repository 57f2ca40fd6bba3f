"""The page in docs/browser-calling.md, as it is printed, on another origin than the server."""
import http.server
import re
import threading
import unittest

from browser import Browser
from functional.test_phone_page import logged_in
from office import ROOT, Office, password


class Own(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_):
        pass


class Guide(unittest.TestCase):
    def test_the_page_of_the_guide_calls_is_called_and_hears(self):
        (page,) = re.findall(r"```html\n(.*?)```", (ROOT / "docs/browser-calling.md").read_text(), re.S)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as own, Browser(tone=440) as browser, Browser() as far_end:
            origin = f"http://127.0.0.1:{own.server_address[1]}"
            thread = threading.Thread(target=own.serve_forever)
            thread.start()
            self.addCleanup(thread.join, 10)
            self.addCleanup(own.shutdown)
            office = Office()
            lines = office.config_file.read_text().replace("api:\n", f"api:\n  cors_origins: ['{origin}']\n")
            office.config_file.write_text(lines)
            with office:
                url = f"http://127.0.0.1:{office.http}"
                self.assertEqual(page.count("https://pbx.example:8443"), 1)
                own.page = page.replace("https://pbx.example:8443", url).replace("PASSWORD", password("1001"))
                bob = logged_in(far_end, url, "1002")
                bob.read("Ready")
                self.talk(browser.open(origin), bob)

    def talk(self, page, bob):
        state = "() => document.getElementById('state').textContent"
        page.wait(f"() => ({state})() === 'connected'")
        self.assertEqual(page.evaluate("() => document.characterSet"), "UTF-8")
        page.evaluate("() => { document.forms[0].number.value = '1002'; window.confirm = (what) => (window.asked = what); }")
        page.click("button", "Call")
        bob.click("button", "Answer")
        page.wait(f"() => ({state})() === '1002: up'")
        bob.hears(440)
        page.click("button", "Hang up")
        page.wait(f"() => ({state})() === 'You hung up.'")
        bob.see("button", "Call")
        bob.type("1001")
        bob.press("Enter")
        page.wait("() => window.asked === 'Person 1002 calls. Answer?'")
        bob.hears(440)
        bob.click("button", "Hang up")
        page.wait(f"() => ({state})() === '1002 hung up'")
        self.assertEqual(page.told(), [])


if __name__ == "__main__":
    unittest.main()
