"""Webhooks with the real program: what receivers get, what becomes of failures, what a crash leaves."""
import base64
import hashlib
import hmac
import socket
import sqlite3
import threading
import time
import unittest
import urllib.parse

from functional.test_transports import Answering
from netns import Network
from office import Office, wait_until
from receiver import Receiver, api, ok
from softphone import Phone

ALLOWED = "features:\n  webhooks:\n    allow_networks: [127.0.0.0/8]\n    retry_delay: {delay}\n    timeout: {timeout}\n"


def office(delay=0, timeout=60):
    """What a receiver takes long to answer, on a busy machine, would come twice."""
    return Office(config=ALLOWED.format(delay=delay, timeout=timeout))


def subscribe(server, url, **fields):
    return ok(server, "POST", "/api/webhooks", {"url": url, **fields})["subscription"]


def shown(server, hook):
    return next(h for h in ok(server, "GET", "/api/webhooks") if h["id"] == hook["id"])


def register(server, *numbers):
    """One event for each number: extension.registered."""
    for number in numbers:
        with Phone(number, server) as phone:
            phone.register()


def call(server):
    with Phone("1001", server) as alice, Phone("1002", server) as bob:
        bob.register()
        answering = Answering(bob)
        alice.dial("1002")
        answering.join()
        alice.hang_up()
        bob.hung_up()


def fill_journal(server, count):
    """Straight into the database of a server that is stopped."""
    now = time.time_ns()
    with sqlite3.connect(server.data / "bellwire.db") as database:
        first = (database.execute("select coalesce(max(seq), 0) from events").fetchone()[0] + 1)
        database.executemany(
            "insert into events (seq, event_id, at, type, call_id, call_seq, extensions, data) values (?,?,?,?,?,?,?,?)",
            ((first + i, f"00000000-0000-7000-8000-{first + i:012}", now + i, "call.ringing", f"call-{i // 4}", i % 4 + 1,
              " 1001 1002 ", '{"timestamp":"2026-01-01T00:00:00.000Z","call_id":"call-%d"}' % (i // 4))
             for i in range(count)))
    database.close()


def first_arrivals(deliveries):
    first = {}
    for d in deliveries:
        first.setdefault(d.event_id, d)
    return list(first.values())


def in_order(test, deliveries):
    """Of every call from its first event on, none left out."""
    calls = {}
    for d in deliveries:
        test.assertEqual(d.call_seq, calls.get(d.data["call_id"], 0) + 1)
        calls[d.data["call_id"]] = d.call_seq


class Deliveries(unittest.TestCase):
    def test_a_call_is_told_in_order_with_all_headers(self):
        with Receiver() as receiver, office() as server:
            subscribe(server, receiver.url("/a?b=c"), events=["call.*"], headers={"Authorization": "Bearer mine"})
            call(server)
            receiver.wait_for(1, "call.ended")
            got = receiver.got()
            self.assertEqual(got[0].event_type, "call.started")
            self.assertEqual([d.call_seq for d in got], list(range(1, len(got) + 1)))
            self.assertEqual(len({d.data["call_id"] for d in got}), 1)
            self.assertEqual([d.seq for d in got], sorted(d.seq for d in got))
            for d in got:
                self.assertEqual(d.path, "/a?b=c")
                self.assertEqual(d.headers["X-Webhook-Event"], d.event_type)
                self.assertEqual(d.headers["X-Webhook-ID"], d.event_id)
                self.assertEqual(d.headers["Content-Type"], "application/json")
                self.assertRegex(d.headers["User-Agent"], r"^Bellwire-Webhook/\d+\.\d+")
                self.assertEqual(d.headers["Authorization"], "Bearer mine")
                self.assertNotIn("X-Webhook-Signature", d.headers)
                self.assertRegex(d.timestamp, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_signatures_verify_also_while_the_secret_is_changed(self):
        with Receiver() as receiver, office() as server:
            hook = subscribe(server, receiver.url(), secret="an-old-plain-secret", events=["extension.registered"])
            register(server, "1001")
            receiver.wait_for(1)
            wait_until(lambda: shown(server, hook)["success_count"] == 1, 60, "it is acknowledged")
            rotated = ok(server, "POST", f"/api/webhooks/{hook['id']}/rotate-secret", {})
            register(server, "1002")
            first, second = receiver.wait_for(2)[:2]

            def standard(key, d):
                text = f"{d.headers['webhook-id']}.{d.headers['webhook-timestamp']}.".encode() + d.raw
                return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()

            old, new = b"an-old-plain-secret", base64.b64decode(rotated["secret"].removeprefix("whsec_"))
            self.assertEqual(first.headers["X-Webhook-Signature"],
                             "sha256=" + hmac.new(old, first.raw, hashlib.sha256).hexdigest())
            self.assertEqual(first.headers["webhook-signature"], standard(old, first))
            self.assertEqual(second.headers["webhook-signature"], standard(new, second) + " " + standard(old, second))
            self.assertLess(abs(int(first.headers["webhook-timestamp"]) - time.time()), 60)

    def test_filters_by_type_and_extension(self):
        with Receiver() as receiver, office() as server:
            subscribe(server, receiver.url("/types"), events=["extension.registered"])
            subscribe(server, receiver.url("/whom"), extensions=["1003"])
            register(server, "1001", "1003")
            wait_until(lambda: len([d for d in receiver.got() if d.path == "/types"]) == 2 and
                       [d for d in receiver.got() if d.path == "/whom"], 60, "both have theirs")
            self.assertEqual({d.data["extension"] for d in receiver.got() if d.path == "/whom"}, {"1003"})
            self.assertEqual({d.event_type for d in receiver.got() if d.path == "/types"}, {"extension.registered"})

    def test_a_failed_one_comes_again_with_the_same_id(self):
        answers = [None, 500, (302, {"Location": "http://127.0.0.1:1/"}, ""), 200]
        with Receiver(lambda d: answers.pop(0) if answers else 200) as receiver, office() as server:
            hook = subscribe(server, receiver.url(), events=["extension.registered"])
            register(server, "1001")
            got = receiver.wait_for(4)
            self.assertEqual(len({d.event_id for d in got}), 1)
            wait_until(lambda: shown(server, hook)["success_count"] == 1, 60, "it is acknowledged")
            log = ok(server, "GET", f"/api/webhooks/{hook['id']}/deliveries")
            self.assertEqual([d["status"] for d in log], [200, 302, 500, None])
            self.assertEqual([d["attempt"] for d in log], [4, 3, 2, 1])
            self.assertIn("redirects are not followed", log[1]["error"])
            self.assertIn("broke the connection", log[3]["error"])
            self.assertEqual(log[0]["response"], "thank you")
            self.assertEqual(shown(server, hook)["failure_count"], 3)

    def test_gone_disables_and_says_so(self):
        with Receiver(410) as receiver, office() as server:
            # The presence of 1002, which changes after its REGISTER is answered, could come after the PUT.
            hook = subscribe(server, receiver.url(), events=["extension.registered"])
            register(server, "1001")
            wait_until(lambda: shown(server, hook)["state"] == "disabled", 60, "it is disabled")
            self.assertIn("410", shown(server, hook)["reason"])
            receiver.answer = 200
            count = len(receiver.got())
            register(server, "1002")
            registered = "select * from events where type = 'extension.registered'"
            wait_until(lambda: len(server.rows(registered)) == 2, 60, "it is in the journal")
            ok(server, "PUT", f"/api/webhooks/{hook['id']}", {"enabled": True})
            register(server, "1003")
            receiver.wait_for(count + 1)
            wait_until(lambda: receiver.got()[-1].data["extension"] == "1003", 60, "only what came after")
            self.assertNotIn("1002", [d.data["extension"] for d in receiver.got()])

    def test_bad_neighbours_delay_nobody(self):
        def hang(_):
            time.sleep(5)
            return 200

        with Receiver() as good, Receiver(hang) as hanging, Receiver(500) as failing, Receiver(None) as resetting, \
                Receiver() as refusing, office(timeout=2) as server:
            refusing.close()
            for other in (hanging, failing, resetting, refusing):
                subscribe(server, other.url())
            subscribe(server, good.url(), events=["extension.registered"])
            register(server, "1001", "1002", "1003", "1004")
            told = lambda: [d.data["extension"] for d in first_arrivals(good.got())]
            wait_until(lambda: len(told()) == 4, 60, "the good one has all")
            self.assertEqual(sorted(told()), ["1001", "1002", "1003", "1004"])  # there is an order in a call alone


class Crashes(unittest.TestCase):
    def test_a_receiver_that_dies_and_returns_gets_everything_in_order(self):
        with Receiver(503) as receiver, office() as server:
            hook = subscribe(server, receiver.url())
            register(server, "1001")
            receiver.wait_for(1)
            receiver.close()
            server.stop()
            fill_journal(server, 2000)
            server.start()
            self.assertGreaterEqual(shown(server, hook)["pending"], 2000)
            with Receiver(port=receiver.port) as again:
                again.wait_for(2000, "call.ringing", 300)
                first = first_arrivals(again.got("call.ringing"))
                self.assertEqual(len(first), 2000)
                in_order(self, first)
                wait_until(lambda: shown(server, hook)["pending"] == 0, 60, "nothing is pending")

    def test_kills_lose_nothing_and_repeat_little(self):
        with Receiver() as receiver, office() as server:
            hook = subscribe(server, receiver.url(), events=["call.ringing"])
            server.stop()
            fill_journal(server, 3000)
            for part in range(4):
                server.start()
                receiver.wait_for((part + 1) * 500)
                server.kill()
            server.start()
            wait_until(lambda: shown(server, hook)["pending"] == 0, 300, "all are sent")
            first = first_arrivals(receiver.got())
            self.assertEqual(len(first), 3000)
            in_order(self, first)

    def test_an_orderly_restart_repeats_nothing(self):
        with Receiver() as receiver, office() as server:
            hook = subscribe(server, receiver.url(), events=["extension.registered"])
            register(server, "1001", "1002")
            receiver.wait_for(2)
            wait_until(lambda: shown(server, hook)["success_count"] == 2, 60, "both are acknowledged")
            server.stop()
            server.start()
            register(server, "1003")
            receiver.wait_for(3)
            self.assertEqual(sorted(d.data["extension"] for d in receiver.got()), ["1001", "1002", "1003"])
            wait_until(lambda: shown(server, hook)["success_count"] >= 3, 60, "the third is acknowledged")
            self.assertEqual(shown(server, hook)["success_count"], 3)
            self.assertEqual(len(ok(server, "GET", f"/api/webhooks/{hook['id']}/deliveries")), 3)


class Names:
    """A DNS server that gives one address to every name, on port 53 of the host it is made in."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.socket.settimeout(0.05)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while not self.ending.is_set():
            try:
                query, peer = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            end = 12
            while query[end]:
                end += query[end] + 1
            question = query[12:end + 5]
            wants_v4 = question[-4:-2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.address) if wants_v4 else b""
            head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if wants_v4 else b"\0\0") + b"\0\0\0\0"
            self.socket.sendto(head + question + answer, peer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        self.socket.close()


class Rebound(Office):
    """On a host of its own whose names come from 127.0.0.1."""

    def __init__(self, namespace):
        super().__init__(config="features:\n  webhooks:\n    allow_networks: [192.0.2.0/24]\n", namespace=namespace)
        self.resolver = self.folder / "resolv.conf"
        self.resolver.write_text("nameserver 127.0.0.1\noptions timeout:1\n")

    def command(self, *words):
        own_names = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        return ["ip", "netns", "exec", self.namespace, "sh", "-c", own_names, str(self.resolver), self.binary, *words]


class Guarded(unittest.TestCase):
    def test_private_addresses_are_refused_in_every_spelling_and_it_says_so(self):
        with Receiver() as receiver, Office() as server:
            port = receiver.port
            for host in ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0",
                         "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "10.0.0.1",
                         "169.254.169.254", "[fd00::1]", "[fe80::1]"):
                hook = subscribe(server, f"http://{host}:{port}/")
                tested = ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})
                self.assertFalse(tested["success"], host)
                self.assertIn("allow_networks", tested["message"], host)
            self.assertEqual(receiver.got(), [])

    def test_a_name_that_changes_its_mind_leads_nowhere(self):
        with Network("pbx") as network:
            outer = network.address("pbx")
            with network.inside("pbx"):
                names = Names(outer)
                receiver = Receiver(lambda _: (200, {"Connection": "close"}, ""), host=outer)
                trap = Receiver(port=receiver.port)
            with names, receiver, trap, Rebound(network.namespace("pbx")) as server:
                hook = subscribe(server, f"http://rebind.example:{receiver.port}/")
                self.assertTrue(ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})["success"])

                def refusal():  # the address before is remembered for some seconds
                    told = ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})
                    return None if told["success"] else told

                names.address = "127.0.0.1"
                refused = wait_until(refusal, 60, "the new address")
                self.assertIn("127.0.0.1 is a loopback address", refused["message"])
                self.assertIn("no connection was made", refused["message"])
                log = ok(server, "GET", f"/api/webhooks/{hook['id']}/deliveries")
                self.assertIn("127.0.0.1 is a loopback address", log[0]["error"])
                self.assertIsNone(log[0]["status"])
                self.assertEqual(trap.got(), [])
                self.assertGreaterEqual(len(receiver.got()), 1)

    def test_a_redirect_does_not_lead_inside(self):
        with Receiver() as inner, Receiver(lambda d: (307, {"Location": inner.url()}, "")) as outer, \
                office() as server:
            hook = subscribe(server, outer.url())
            self.assertFalse(ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})["success"])
            self.assertEqual(inner.got(), [])
            self.assertEqual(len(outer.got()), 1)

    def test_secrets_are_shown_nowhere_and_lie_sealed(self):
        with Receiver() as receiver, office() as server:
            hook = subscribe(server, receiver.url(), secret="very-secret-word", headers={"X-Token": "very-secret-token"})
            ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})
            everything = str(ok(server, "GET", "/api/webhooks")) + str(hook) + server.log.read_text() + \
                str(ok(server, "GET", f"/api/webhooks/{hook['id']}/deliveries")) + \
                str(server.rows("select * from webhooks"))
            self.assertNotIn("very-secret", everything)
            self.assertIn("X-Token", everything)


class Api(unittest.TestCase):
    def test_every_route(self):
        with Receiver() as receiver, office() as server:
            for body, field in (({}, "url"), ({"url": "ftp://x"}, "url"), ({"url": receiver.url(), "colour": 1}, "colour"),
                                ({"url": receiver.url(), "events": ["nonsense"]}, "events"),
                                ({"url": receiver.url(), "headers": {"X-Webhook-ID": "1"}}, "headers")):
                status, answer = api(server, "POST", "/api/webhooks", body)
                self.assertEqual((status, answer["field"]), (400, field), answer)
            hook = subscribe(server, receiver.url(), events=["call.*"])
            changed = ok(server, "PUT", f"/api/webhooks/{hook['id']}", {"events": ["extension.*"], "enabled": False})
            self.assertEqual(changed["subscription"]["events"], ["extension.*"])
            self.assertEqual(changed["subscription"]["state"], "disabled")
            ok(server, "PUT", f"/api/webhooks/{hook['id']}", {"enabled": True})
            tested = ok(server, "POST", f"/api/webhooks/{hook['id']}/test", {})
            self.assertTrue(tested["success"])
            self.assertEqual(receiver.got()[0].event_type, "webhook.test")
            self.assertIn("webhook.test", tested["request"]["body"])
            register(server, "1001")
            first = receiver.wait_for(1, "extension.registered")[0]
            again = ok(server, "POST", f"/api/webhooks/{hook['id']}/replay", {"event_id": first.event_id})
            self.assertEqual(again["count"], 1)
            receiver.wait_for(2, "extension.registered")
            self.assertEqual({d.event_id for d in receiver.got("extension.registered")}, {first.event_id})
            wait_until(lambda: not shown(server, hook)["replaying"], 60, "the replay is over")
            since = ok(server, "POST", f"/api/webhooks/{hook['id']}/replay", {"since": "2020-01-01T00:00:00Z"})
            self.assertGreaterEqual(since["count"], 1)
            receiver.wait_for(3, "extension.registered")
            wait_until(lambda: not shown(server, hook)["replaying"], 60, "that is over, too")
            self.assertEqual(api(server, "POST", f"/api/webhooks/{hook['id']}/replay", {"event_id": "none"})[0], 404)
            self.assertEqual(api(server, "POST", "/api/webhooks/none/test", {})[0], 404)
            other = subscribe(server, receiver.url("/other"))
            url = urllib.parse.quote(receiver.url("/other"), safe="")
            self.assertEqual(ok(server, "DELETE", f"/api/webhooks?url={url}")["count"], 1)
            self.assertEqual(api(server, "DELETE", f"/api/webhooks/{other['id']}")[0], 404)
            ok(server, "DELETE", f"/api/webhooks/{hook['id']}")
            self.assertEqual(ok(server, "GET", "/api/webhooks"), [])

    def test_subscriptions_of_the_file_live_beside_those_of_the_api(self):
        with Receiver() as receiver, office() as server:
            subscribe(server, receiver.url("/api"), events=["extension.*"])
            with open(server.config_file, "a") as file:
                file.write(f"    subscriptions:\n      - url: {receiver.url('/file')}\n        events: ['extension.*']\n"
                           "        secret: a-secret-of-the-file\n")
            server.cli("reload")
            wait_until(lambda: len(ok(server, "GET", "/api/webhooks")) == 2, 60, "the file's was taken in")
            register(server, "1001")
            wait_until(lambda: {d.path for d in receiver.got()} == {"/api", "/file"}, 60, "both have it")
            server.stop()
            server.start()
            self.assertEqual(len(ok(server, "GET", "/api/webhooks")), 2)


if __name__ == "__main__":
    unittest.main()
