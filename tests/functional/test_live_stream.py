"""The live stream of the real program: what happens in real calls, as Server-Sent Events and over WebSocket."""
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading
import unittest

from api_client import Client
from functional.test_transports import Answering
from live_stream import Sse, WebSocket, connect, token_of
from office import ROOT, Office, password, wait_until
from softphone import Phone


def one_call(office, caller="1001", callee="1002"):
    with Phone(caller, office) as a, Phone(callee, office) as b:
        a.register()
        b.register()
        answering = Answering(b)
        a.dial(callee)
        answering.join()
        a.hang_up()
        b.hung_up()
        a.register(expires=0)
        b.register(expires=0)
    wait_until(lambda: office.status()["active_calls"] == 0, 60, "no call is left")
    at_rest(office)


def at_rest(office):
    """Until all that has happened is stored: whoever listens from now on hears none of it any more."""
    begun = "SELECT count(*) AS n FROM events WHERE type = 'call.started'"
    ended = "SELECT count(*) AS n FROM events WHERE type = 'call.ended'"
    last = "SELECT type, max(seq) FROM events WHERE type LIKE 'extension.%registered' GROUP BY extensions"  # of each
    wait_until(lambda: office.rows(begun) == office.rows(ended) and
               all(row["type"] == "extension.unregistered" for row in office.rows(last)), 60, "all is stored")


class Chatty(Phone):
    """Registers many contacts at once, and says much about itself."""

    contacts = 10

    def request(self, *args, **kwargs):
        more = "".join(f"Contact: <sip:{self.number}@127.0.0.1:{port}>\r\n" for port in range(2, self.contacts + 1))
        text = super().request(*args, **kwargs)
        return text.replace("User-Agent: test-phone\r\n", f"{more}User-Agent: {'much ' * 200}\r\n")


def newest(office):
    """The number of the last event that was stored, all calls and phones having come to rest."""
    return office.rows("SELECT max(seq) AS seq FROM events")[0]["seq"] or 0


class LiveStream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()

    def test_both_kinds_tell_a_call_in_order(self):
        with Sse(self.office) as sse, WebSocket(self.office) as ws:
            self.assertEqual(sse.status, 200, sse.head)
            self.assertEqual(ws.status, 101, ws.head)
            self.assertIn("sec-websocket-protocol: bellwire.events.v1", ws.head.lower())
            one_call(self.office)
            told = sse.until("call.ended")
            self.assertEqual(ws.until("call.ended"), told)
        self.assertEqual([e["seq"] for e in told], list(range(told[0]["seq"], told[0]["seq"] + len(told))))
        types = [e["event_type"] for e in told]
        self.assertEqual(types.count("extension.registered"), 2, types)
        call = [e for e in told if e["event_type"].startswith("call.")]
        self.assertEqual([e["event_type"] for e in call],
                         ["call.started", "call.ringing", "call.answered", "call.ended"])
        self.assertEqual([e["call_seq"] for e in call], [1, 2, 3, 4])
        self.assertEqual(len({e["event_id"] for e in told}), len(told))
        self.assertEqual(call[-1]["data"]["disposition"], "answered")

    def test_who_comes_back_misses_nothing_and_sees_nothing_twice(self):
        with Sse(self.office) as first:
            one_call(self.office)
            seen = first.until("call.ended")
        one_call(self.office)
        one_call(self.office, "1003", "1004")
        last = newest(self.office)
        for kind in (Sse, WebSocket):
            with self.subTest(kind=kind.kind), kind(self.office, f"?since={seen[0]['seq'] - 1}") as again:
                told = [again.next() for _ in range(last - seen[0]["seq"] + 1)]
                self.assertEqual(told[:len(seen)], seen)
                self.assertEqual([e["seq"] for e in told], list(range(seen[0]["seq"], last + 1)))
        # As a browser says it, which is newer than what the page once asked for.
        with Sse(self.office, "?since=0", headers=[f"Last-Event-ID: {last - 1}"]) as again:
            self.assertEqual(again.next()["seq"], last)
            one_call(self.office)
            self.assertEqual(again.next()["seq"], last + 1)

    def test_reading_on_while_calls_happen_leaves_no_gap(self):
        stop = threading.Event()

        def calls():
            while not stop.is_set():
                one_call(self.office, "1003", "1004")

        busy = threading.Thread(target=calls)
        busy.start()
        try:
            for _ in range(5):
                with Sse(self.office, "?since=0") as reader:
                    first = reader.next()["seq"]
                    end = newest(self.office) + 12
                    numbers = [first] + [reader.next()["seq"] for _ in range(end - first)]
                    self.assertEqual(numbers, list(range(first, end + 1)))
        finally:
            stop.set()
            busy.join()

    def test_filters(self):
        with Sse(self.office, "?type=call.ended,extension.registered&extension=1002") as one, \
                WebSocket(self.office, "?extension=1004") as other:
            one_call(self.office)
            told = one.until("call.ended")
            self.assertEqual([e["event_type"] for e in told], ["extension.registered", "call.ended"])
            self.assertEqual(told[0]["data"]["extension"], "1002")
            call_id = told[-1]["data"]["call_id"]
            other.nothing_for(0.2)
        with Sse(self.office, f"?since=0&call={call_id}") as reader:
            told = reader.until("call.ended")
            self.assertEqual({e["data"]["call_id"] for e in told}, {call_id})
            self.assertEqual(len(told), 4)

    def test_what_is_asked_wrongly_is_named(self):
        for query, word in (("?type=call.nothing", "call.nothing"), ("?since=x", "since"), ("?sinc=1", "sinc"),
                            ("?since=-1", "since")):
            with self.subTest(query=query), Sse(self.office, query) as reader:
                self.assertEqual(reader.status, 400, reader.head)
                while not reader.buffer.endswith(b"}\n"):
                    reader._more(60)
                self.assertIn(word, reader.buffer.decode())

    def test_a_user_sees_its_own_and_strangers_nothing(self):
        token = token_of(self.office, "1003", password("1003"))
        with Sse(self.office, token=token) as own, WebSocket(self.office, token=token) as socket_of_own, \
                Sse(self.office) as all_of_them:
            self.assertEqual((own.status, socket_of_own.status), (200, 101))
            one_call(self.office)
            one_call(self.office, "1004", "1003")
            self.assertEqual(len([e for e in all_of_them.until("call.ended")]) > 0, True)
            told = own.until("call.ended")
            self.assertEqual(socket_of_own.until("call.ended"), told)
            for event in told:
                self.assertIn("1003", json.dumps(event["data"]))
        with Sse(self.office, "?extension=1001", token=token) as other:
            self.assertEqual(other.status, 403)
        for headers in ((), ("Authorization: Bearer wrong",)):
            with connect(self.office, operator=False) as stranger:
                stranger.sendall("\r\n".join(["GET /api/events HTTP/1.1", "Host: x", *headers, "", ""]).encode())
                self.assertIn(b" 401 ", stranger.recv(4096))

    def test_a_silent_stream_ends_with_its_login(self):
        with Office() as quiet:
            token = token_of(quiet, "1003", password("1003"))
            with Sse(quiet, token=token) as sse, WebSocket(quiet, token=token) as ws:
                self.assertEqual((sse.status, ws.status), (200, 101))
                self.assertEqual(Client(quiet, token).ask("POST", "/api/logout")[0], 200)
                for reader in (sse, ws):
                    with self.assertRaises(ConnectionError):
                        reader.next(120)
                    self.assertIn("no longer logged in", reader.closed)

    def test_who_does_not_read_is_sent_away_and_nobody_waits_for_it(self):
        with Sse(self.office, "?type=extension.*") as keen, Sse(self.office) as deaf, WebSocket(self.office) as deaf_too:
            told = 0
            with Chatty("1001", self.office, "tcp") as phone:
                for turn in range(2000):
                    phone.register(expires=300 if turn % 2 == 0 else 0)
                    for _ in range(phone.contacts):  # who reads gets everything, at once
                        told += len(json.dumps(keen.next()))
                    if told > 1_800_000:  # more than the 1 MiB that waits and the 200 KiB that a socket holds
                        break
                phone.register(expires=0)
            for reader in (deaf, deaf_too):
                with self.subTest(kind=reader.kind):
                    with self.assertRaises(ConnectionError):
                        while True:
                            reader.next()
                    self.assertIn("too slow", reader.closed)

    def test_the_tail_command_follows_and_ends_with_the_server(self):
        with Office() as office:
            one_call(office)
            tail = subprocess.Popen(office.command("event", "tail", "--since", "0", "--type", "call.*", "--json", "--data",
                                                   str(office.data)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                first = [json.loads(tail.stdout.readline()) for _ in range(4)]
                one_call(office)
                second = [json.loads(tail.stdout.readline()) for _ in range(4)]
                office.stop()
                _, said = tail.communicate(timeout=120)
            finally:
                if tail.poll() is None:
                    tail.kill()
                    tail.wait()
        for told in (first, second):
            self.assertEqual([e["event_type"] for e in told],
                             ["call.started", "call.ringing", "call.answered", "call.ended"])
        self.assertEqual(tail.returncode, 4, said)
        self.assertIn("the server has ended", said)

    def test_the_tail_command_speaks_to_people_and_refuses_in_words(self):
        refused = self.office.cli("event", "tail", "--type", "call.nothing", ok=False)
        self.assertIn("There is no event type call.nothing.", refused)
        one_call(self.office)
        tail = subprocess.Popen(self.office.command("event", "tail", "--since", "0", "--type", "call.ended", "--data",
                                                    str(self.office.data)), stdout=subprocess.PIPE, text=True)
        try:
            self.assertRegex(tail.stdout.readline(), r"^ *\d+  \d{4}-\d\d-\d\dT[\d:.]+Z  call\.ended .*call_id=\S+")
        finally:
            tail.kill()
            tail.communicate()

    def test_the_example_of_the_document_runs(self):
        text = (ROOT / "docs/live-stream.md").read_text()
        example = re.search(r"```python\n(.*?)```", text, re.S).group(1)
        reader = subprocess.Popen([sys.executable, "-u", "-c", example, self.office.host, str(self.office.http), "1001",
                                   password("1001")], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(reader.stdout.readline(), "listening\n")
            one_call(self.office)
            lines = []
            while not lines or "call.ended" not in lines[-1]:
                lines.append(reader.stdout.readline())
                self.assertTrue(lines[-1], lines)
            self.assertTrue(any("call.started" in line for line in lines), lines)
        finally:
            reader.kill()
            reader.communicate()


class Retention(unittest.TestCase):
    def test_who_comes_too_late_gets_a_snapshot_first(self):
        with Office() as office:
            one_call(office)
            last = newest(office)
            office.stop()
            # As retention does: the oldest go, the newest stays.
            office.change("DELETE FROM events WHERE seq < ?", last)
            office.start()
            with Phone("1001", office) as a, Phone("1002", office) as b:
                a.register()
                b.register()
                answering = Answering(b)
                a.dial("1002")
                answering.join()
                for kind in (Sse, WebSocket):
                    with self.subTest(kind=kind.kind), kind(office, "?since=1") as reader:
                        snapshot = reader.next()
                        self.assertEqual(snapshot["event_type"], "snapshot")
                        self.assertGreaterEqual(snapshot["seq"], last)
                        self.assertIn("removed", snapshot["data"]["reason"])
                        self.assertEqual([(c["from"], c["to"]) for c in snapshot["data"]["calls"]], [("1001", "1002")])
                        self.assertEqual({p["extension_number"] for p in snapshot["data"]["phones"]}, {"1001", "1002"})
                        after = snapshot["seq"]
                        if kind is WebSocket:
                            a.hang_up()
                            b.hung_up()
                            told = reader.until("call.ended")
                            self.assertEqual(told[0]["seq"], after + 1)


if __name__ == "__main__":
    unittest.main()
