"""Telephones that share no codec hear each other: baresip with one codec each, a tone from every mouth."""
import unittest

from interop.rooms import Rooms
from office import wait_until


class Transcoding(Rooms):
    def codecs_of_the_call(self):
        view = self.office.json("call", "ls")[0]
        return {leg["party"]: leg["codec"].lower() for leg in view["legs"]}

    def meet(self, a_codec, b_codec, expected):
        alice = self.phone("1001", "a", codecs=a_codec, tone=440)
        bob = self.phone("1002", "b", codecs=b_codec, tone=1000)
        alice.dial("1002")
        alice.wait_for("CALL_ESTABLISHED")
        bob.wait_for("CALL_ESTABLISHED")
        alice.hears(1000)
        bob.hears(440)
        self.assertEqual(self.codecs_of_the_call(), expected)
        return alice, bob

    def end(self, who, *phones):
        who.hang_up()
        for phone in phones:
            phone.wait_for("CALL_CLOSED")
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")

    def test_pcmu_only_and_g722_only(self):
        alice, bob = self.meet("PCMU/8000/1", "G722/16000/1", {"1001": "pcmu/8000", "1002": "g722/8000"})
        self.end(alice, alice, bob)

    def test_opus_only_and_pcma_only(self):
        alice, bob = self.meet("opus/48000/2", "PCMA/8000/1", {"1001": "opus/48000", "1002": "pcma/8000"})
        self.end(bob, alice, bob)

    def test_what_both_have_is_not_transcoded(self):
        alice, bob = self.meet("opus/48000/2,PCMA/8000/1", "G722/16000/1,PCMA/8000/1",
                               {"1001": "pcma/8000", "1002": "pcma/8000"})
        self.end(alice, alice, bob)

    def test_transfer_to_a_phone_with_another_codec(self):
        alice, bob = self.meet("PCMU/8000/1", "PCMU/8000/1", {"1001": "pcmu/8000", "1002": "pcmu/8000"})
        carol = self.phone("1003", "c", codecs="G722/16000/1", tone=700)
        bob.command("transfer", f"sip:1003@{self.network.address('pbx')}:{self.office.sip}")
        carol.wait_for("CALL_ESTABLISHED")
        carol.hears(440)
        alice.hears(700)
        self.end(carol, alice, carol)


if __name__ == "__main__":
    unittest.main()
