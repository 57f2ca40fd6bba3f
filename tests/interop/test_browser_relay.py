"""Pages that cannot send UDP to the server: through a TURN server (coturn), or over TCP. Heard by frequency, in Chromium."""
import subprocess
import unittest

from api_client import Client, login
from browser import Browser
from coturn import Coturn, credentials
from functional.test_phone_page import logged_in
from netns import Network
from office import Office, password

SECRET = "a-secret-of-office-and-relay"


def turn(url, relay_only=False):
    policy = "relay" if relay_only else "all"
    return (f"features:\n  webrtc:\n    ice_transport_policy: {policy}\n"
            f"    turn_servers: [{{url: '{url}'}}]\n    turn_secret: {SECRET}\n")


def wall(network, place, rule):
    """What leaves that place and fits the rule is lost."""
    table = f"table inet wall {{ chain out {{ type filter hook output priority 0; {rule} counter drop; }}\n}}"
    subprocess.run(["ip", "netns", "exec", network.namespace(place), "nft", table], check=True, timeout=30)


def lost(network, place):
    """How many packets the wall has stopped."""
    shown = subprocess.run(["ip", "netns", "exec", network.namespace(place), "nft", "list", "table", "inet", "wall"], check=True,
                           stdout=subprocess.PIPE, text=True, timeout=30).stdout
    return int(shown.split("counter packets ")[1].split()[0])


class Walls(unittest.TestCase):
    def setUp(self):
        self.network = Network("pbx", "turn", "a").__enter__()
        self.addCleanup(self.network.__exit__)

    def office(self, config=""):
        office = Office(host="0.0.0.0", namespace=self.network.namespace("pbx"), config=config)
        self.addCleanup(lambda: office.__exit__(None))
        office.start()
        return office

    def relay(self):
        coturn = Coturn(self.network, "turn", SECRET).__enter__()
        self.addCleanup(coturn.__exit__)
        return coturn

    def echo_is_heard(self, office):
        """By a page at "a" that calls the echo test; where its media leaves is what comes back."""
        browser = Browser(tone=440, namespace=self.network.namespace("a"))
        self.addCleanup(browser.close)
        page = logged_in(browser, f"https://{self.network.address('pbx')}:{office.https}", https=True)
        page.read("Ready")
        page.type("*43")
        page.press("Enter")
        page.see("timer")
        page.hears(440)
        found = page.evaluate("""async () => {
          const report = await window.__connections.at(-1).getStats();
          const transport = [...report.values()].find((r) => r.type === 'transport');
          const candidate = report.get(report.get(transport.selectedCandidatePairId).localCandidateId);
          return {type: candidate.candidateType, protocol: candidate.protocol, address: candidate.address};
        }""")
        page.click("button", "Hang up")
        page.see("button", "Call")
        return found

    def test_what_a_session_is_given_opens_a_relay_and_what_is_made_up_does_not(self):
        coturn = self.relay()
        office = self.office(turn(coturn.url))
        with self.network.inside("pbx"):
            client = login(office, "1001", password("1001"))
            _, _, opened = client.ask("POST", "/api/webrtc/session", {"extension": "1001"})
            _, _, asked = client.ask("GET", "/api/webrtc/ice-servers")
        for given in (opened["ice_servers"], asked):
            server = given["iceServers"][-1]
            self.assertEqual(server["urls"], [coturn.url])
            self.assertTrue(coturn.relays("a", server["username"], server["credential"]))
        good = opened["ice_servers"]["iceServers"][-1]
        for name, user, secret in (("expired", *credentials(SECRET, seconds=-60)),
                                   ("made up", *credentials("another-secret")),
                                   ("of another", credentials(SECRET, user="1002")[0], good["credential"]),
                                   ("without a moment", "1001", good["credential"])):
            with self.subTest(name):
                self.assertFalse(coturn.relays("a", user, secret))

    def test_a_page_is_heard_through_the_relay_where_udp_to_the_server_is_blocked(self):
        coturn = self.relay()
        office = self.office(turn(coturn.url, relay_only=True))
        wall(self.network, "a", f"ip daddr {self.network.address('pbx')} meta l4proto udp")
        found = self.echo_is_heard(office)
        self.assertEqual((found["type"], found["address"]), ("relay", coturn.address))

    def test_a_page_is_heard_over_tcp_where_no_udp_gets_out(self):
        office = self.office()
        wall(self.network, "a", "meta l4proto udp")
        found = self.echo_is_heard(office)
        self.assertEqual(found["protocol"], "tcp")
        self.assertGreater(lost(self.network, "a"), 0, "UDP was tried")

    def test_passwords_of_the_file_go_to_nobody_who_has_not_logged_in(self):
        office = self.office("features:\n  webrtc:\n    turn_servers: [{url: 'turn:turn.example:3478', username: fixed, "
                             "credential: of-the-file}]\n")
        with self.network.inside("pbx"):
            stranger = Client(office)
            for method, path, body in (("GET", "/api/webrtc/ice-servers", None),
                                       ("POST", "/api/webrtc/session", {"extension": "1001"}),
                                       ("GET", "/api/webrtc/sessions", None), ("GET", "/api/openapi.json", None),
                                       ("GET", "/phone", None)):
                status, _, answer = stranger.ask(method, path, body)
                self.assertNotIn("of-the-file", str(answer), path)
                if path.startswith("/api/webrtc"):
                    self.assertEqual(status, 401, path)
            _, _, given = login(office, "1001", password("1001")).ask("GET", "/api/webrtc/ice-servers")
        self.assertEqual(given["iceServers"][-1]["credential"], "of-the-file")


if __name__ == "__main__":
    unittest.main()
