"""The page in docs/browser-calling.md, as it is printed, on another origin than the server."""
import http.server
import re
import threading
import unittest

from browser import Browser
from office import ROOT, Office, password, wait_until
from stand_in import StandIn


class Own(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
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
                far = far_end.open("about:blank")
                with StandIn(office, far) as server:
                    self.assertEqual(page.count("https://pbx.example:8443"), 1)
                    own.page = page.replace("https://pbx.example:8443", server.url).replace("PASSWORD", password("1001"))
                    self.talk(browser.open(origin), far, server)

    def talk(self, page, far, server):
        state = "() => document.getElementById('state').textContent"
        page.wait(f"() => ({state})() === 'connected'")
        page.evaluate("() => { document.forms[0].number.value = '1002'; }")
        page.click("button", "Call")
        wait_until(lambda: any(s["call_id"] for s in server.sessions.values()), 60, "the call")
        server.push("webrtc.answered", call_id=server.call())
        page.wait(f"() => ({state})() === '1002: up'")
        far.hears(440, stream="window.heard")
        page.click("button", "Hang up")
        page.wait(f"() => ({state})() === 'You hung up.'")
        self.assertEqual(page.told(), [])


if __name__ == "__main__":
    unittest.main()
