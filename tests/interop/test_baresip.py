"""baresip, a telephone nobody here wrote: registered, called, heard both ways, ended from either side."""
import unittest

from interop.rooms import Rooms
from office import wait_until


class BaresipCalls(Rooms):
    def talk(self, alice, bob, a_tone, b_tone):
        alice.dial("1002")
        alice.wait_for("CALL_ESTABLISHED")
        bob.wait_for("CALL_ESTABLISHED")
        alice.hears(b_tone)
        bob.hears(a_tone)

    def closed(self, *phones):
        for phone in phones:
            phone.wait_for("CALL_CLOSED")
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")

    def test_two_phones_hear_each_other_and_the_caller_hangs_up(self):
        alice, bob = self.phone("1001", "a", tone=440), self.phone("1002", "b", tone=1000)
        self.talk(alice, bob, 440, 1000)
        alice.hang_up()
        self.closed(alice, bob)
        record = wait_until(lambda: self.office.rows("select * from call_records where ended_at is not null"), 60, "a record")[0]
        self.assertEqual(record["disposition"], "answered")
        self.assertEqual(record["reason"], "1001 hung up")

    def test_the_callee_hangs_up(self):
        alice, bob = self.phone("1001", "a", tone=440), self.phone("1002", "b", tone=1000)
        self.talk(alice, bob, 440, 1000)
        bob.hang_up()
        self.closed(alice, bob)

    def test_tcp_and_tls_phones_talk(self):
        alice, bob = self.phone("1001", "a", "tcp", tone=600), self.phone("1002", "b", "tls", tone=800)
        self.talk(alice, bob, 600, 800)
        alice.hang_up()
        self.closed(alice, bob)

    def test_ipv4_and_ipv6_phones_talk(self):
        alice, bob = self.phone("1001", "a", tone=440), self.phone("1002", "b", v6=True, tone=1000)
        self.talk(alice, bob, 440, 1000)
        bob.hang_up()
        self.closed(alice, bob)

    def test_srtp_talks_to_rtp(self):
        alice = self.phone("1001", "a", "tls", tone=440, options=";mediaenc=srtp-mand")
        bob = self.phone("1002", "b", tone=1000)
        self.talk(alice, bob, 440, 1000)
        self.assertIn(True, [leg["secured"] for leg in self.office.json("call", "ls")[0]["legs"]])
        alice.hang_up()
        self.closed(alice, bob)

    def test_hold_and_resume(self):
        alice, bob = self.phone("1001", "a", tone=440), self.phone("1002", "b", tone=1000)
        self.talk(alice, bob, 440, 1000)
        state = lambda: self.office.json("call", "ls")[0]["state"]
        alice.command("hold")
        wait_until(lambda: state() == "held", 60, "the call is held")
        alice.command("resume")
        wait_until(lambda: state() == "up", 60, "the call goes on")
        alice.hears(1000)
        bob.hears(440)
        alice.hang_up()
        self.closed(alice, bob)

    def test_blind_transfer(self):
        alice, bob = self.phone("1001", "a", tone=440), self.phone("1002", "b", tone=1000)
        carol = self.phone("1003", "c", tone=700)
        self.talk(alice, bob, 440, 1000)
        bob.command("transfer", f"sip:1003@{self.network.address('pbx')}:{self.office.sip}")
        carol.wait_for("CALL_ESTABLISHED")
        carol.hears(440)
        alice.hears(700)
        bob.wait_for("CALL_CLOSED")
        carol.hang_up()
        self.closed(alice)

    def test_echo(self):
        alice = self.phone("1001", "a", tone=440)
        alice.dial("*43")
        alice.wait_for("CALL_ESTABLISHED")
        alice.hears(440)
        alice.hang_up()
        self.closed(alice)


if __name__ == "__main__":
    unittest.main()
