"""A page in Chromium that is a telephone by SIP.js: SIP over WSS, media as browsers have it."""
import contextlib
import http.server
import threading

import node_packages
from browser import Browser
from office import password

PAGE = b"<!doctype html><title>SIP.js</title><audio autoplay></audio><script type=module src=/sip_page.mjs></script>"


class Files(http.server.BaseHTTPRequestHandler):
    """The page, and SIP.js module by module as npm has it: browsers need no bundle of it."""

    def do_GET(self):
        folder = node_packages.NODE
        path = self.path.removeprefix("/")
        if self.path == "/":
            return self.give(PAGE, "text/html")
        if path != "sip_page.mjs":
            folder, path = folder / "node_modules/sip.js/lib", path.removeprefix("sip.js/")
        file = (folder / path).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            return self.send_error(404)
        self.give(file.read_bytes(), "text/javascript")

    def give(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class SipPage:
    """`network`, `place`: the namespace its Chromium stands in; pages of the same machine may have the microphone."""

    def __init__(self, number, office, network, place, tone):
        self.number, self.office, self.domain = number, office, network.address("pbx")
        with contextlib.ExitStack() as made:
            with network.inside(place):
                server = made.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            made.callback(server.shutdown)
            browser = made.enter_context(Browser(tone=tone, namespace=network.namespace(place)))
            origin = f"http://127.0.0.1:{server.server_address[1]}"
            self.welcome(origin)
            self.page = browser.open(f"{origin}/", https=True)
            self.page.wait("() => window.ready === true")
            self.register()
            self.close = made.pop_all().close

    def welcome(self, origin):
        """Pages of other origins may not speak SIP."""
        file = self.office.config_file
        file.write_text(file.read_text().replace("api:\n", f"api:\n  cors_origins: ['{origin}']\n"))
        self.office.cli("reload")

    def do(self, verb, argument=None):
        return self.page.evaluate(f"(argument) => sip.{verb}(argument)", argument)

    def register(self):
        self.do("start", {"server": f"wss://{self.domain}:{self.office.https}/sip", "domain": self.domain,
                          "number": self.number, "password": password(self.number)})
        self.page.wait("() => window.registered === true")

    def uri(self, number):
        return f"sip:{number}@{self.domain}"

    def dial(self, number):
        self.do("call", self.uri(number))

    def transfer(self, number):
        self.do("transfer", self.uri(number))

    def answer(self):
        self.page.wait("() => sip.ringing()")
        self.do("answer")

    def is_up(self):
        self.page.wait("() => sip.up()")

    def is_over(self):
        self.page.wait("() => sip.over()")
