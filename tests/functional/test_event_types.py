"""Every type of event that docs/events.md names reaches a real receiver, from calls of sipp and of phones."""
import pathlib
import re
import tempfile
import unittest

import sipp
from office import ROOT, Office, free_ports, wait_until
from receiver import Receiver, ok
from softphone import Phone, talk

CONFIG = """features:
  webhooks:
    allow_networks: [127.0.0.0/8]
events:
  dtmf: true
security:
  trusted_networks: ['10.0.0.0/8']
  rate_limit: {max_attempts: 5, window_seconds: 60, lockout_duration: 8}
"""


def documented_types():
    text = (ROOT / "docs/events.md").read_text().split("<!-- types:")[1].split("<!-- end of types")[0]
    return set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.M))


def agree(phone):
    """Answers the next re-INVITE."""
    again = phone.expect(lambda m: m.method == "INVITE", "re-INVITE", 60)
    phone.reply(again, 200, "OK", phone.sdp())
    phone.expect(lambda m: m.method == "ACK" and m.get("Call-ID") == again.get("Call-ID"), "ACK", 60)


def calls_of_sipp(server, folder):
    callee = sipp.callee(server, folder, "1002")
    try:
        rows = [("1001", sipp.credentials("1001"), "1002")]
        figures = sipp.Sipp("uac", server, folder, free_ports(1)[0], 5, 5, rows, extra=("-d", "100")).wait(120)
    finally:
        callee.stop()
    return figures["ok"]


def held_and_transferred(server):
    with Phone("1003", server) as alice, Phone("1004", server) as bob, Phone("1005", server) as carol:
        for phone in (alice, bob, carol):
            phone.register()
        talk(alice, bob)
        call = wait_until(lambda: server.json("call", "ls"), 60, "the call is up")[0]["call_id"]
        info = alice.in_dialog("INFO", (), "Signal=5\r\nDuration=160\r\n")
        alice.send(info.replace("application/sdp", "application/dtmf-relay"))
        info = bob.expect(lambda m: m.method == "INFO", "INFO")
        bob.reply(info, 200, "OK")
        for first, second, what, state in ((bob, alice, "hold", "held"), (alice, bob, "resume", "up")):
            server.cli("call", what, call, "1003")
            agree(first)
            agree(second)
            wait_until(lambda: server.json("call", "ls")[0]["state"] == state, 60, state)
        server.cli("call", "transfer", call, "1003", "1005")
        carol.ringing()
        carol.answer()
        alice.hung_up(60)
        agree(bob)
        bob.hang_up()
        carol.hung_up(60)
        carol.register(expires=0)
    with Phone("1006", server, secret="wrong") as guesser:
        for _ in range(5):
            guesser.register(ok=False)


class EventTypes(unittest.TestCase):
    def test_every_type_is_told_to_a_receiver_in_order_and_counted(self):
        numbers = ("1001", "1002", "1003", "1004", "1005", "1006")
        with Receiver() as receiver, Office(extensions=numbers, config=CONFIG) as server, \
                tempfile.TemporaryDirectory() as folder:
            ok(server, "POST", "/api/webhooks", {"url": receiver.url(), "events": ["*"]})
            self.assertEqual(calls_of_sipp(server, pathlib.Path(folder)), 5)
            held_and_transferred(server)
            receiver.wait_for(1, "security.lockout")  # the last to happen

            def all_told():
                rows = server.rows("select * from events order by seq")
                ended = sum(row["type"] == "call.ended" for row in rows)
                return ended == 6 and {row["event_id"] for row in rows} <= {d.event_id for d in receiver.got()} and rows

            journal = wait_until(all_told, 60, "six calls have ended, and all was told")
        self.assertEqual({row["type"] for row in journal}, documented_types())
        told = {}
        for delivery in receiver.got():
            told.setdefault(delivery.event_id, delivery)
        self.assertEqual({d.event_type for d in told.values()}, documented_types())
        self.assertEqual([row["seq"] for row in journal], list(range(1, len(journal) + 1)))
        calls = {}
        for delivery in told.values():
            if "call_seq" in delivery.body:
                calls.setdefault(delivery.data["call_id"], []).append(delivery)
        self.assertEqual(len(calls), 6)
        for call in calls.values():
            self.assertEqual([d.call_seq for d in call], list(range(1, len(call) + 1)))
            self.assertEqual((call[0].event_type, call[-1].event_type), ("call.started", "call.ended"))


if __name__ == "__main__":
    unittest.main()
