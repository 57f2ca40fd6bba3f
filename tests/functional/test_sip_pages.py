"""Pages that speak SIP over a WebSocket, as far as the server can tell by their messages: descriptions of browsers
in REGISTER, INVITE and re-INVITE. Real media of such a page: tests/interop/test_sipjs.py."""
import re
import unittest

from api_client import login
from office import Office, password
from page import Page, description
from softphone import Beside, Message, Phone


class SipPage(Phone):
    """Its contact names a host that cannot be, its offers are a browser's."""

    def __init__(self, number, office):
        super().__init__(number, office, transport="ws")
        self.says = description()

    def contact(self):
        return f"<sip:{self.number}@{self.tag}.invalid;transport=ws>"

    def sdp(self, direction="sendrecv"):
        return self.says.replace("a=sendrecv", f"a={direction}")

    def asks(self, says, direction="sendrecv"):
        """A re-INVITE with that description, and what it was answered."""
        before, self.says = self.says, says
        cseq, call_id = self.next_cseq(), self.dialog["call_id"]
        invite = self.in_dialog("INVITE", body=self.sdp(direction), cseq=cseq)
        self.send(invite)
        answer = self.final("INVITE", call_id)
        if answer.status == 200:
            self.send(self.in_dialog("ACK", cseq=cseq))
        else:
            self.says = before
            sent = Message(invite.encode())
            branch = re.search(r"branch=([^;,\s]+)", sent.get("Via")).group(1)
            ack = self.request("ACK", self.dialog["uri"], answer.get("To"), call_id, self.tag, cseq=cseq, branch=branch)
            self.send(ack)
        return answer


def connection(sdp):
    """What an answer says of our end of the connection."""
    return [re.search(rf"a={name}:(.*)\r", sdp).group(1) for name in ("ice-ufrag", "ice-pwd", "fingerprint")]


class SipPages(unittest.TestCase):
    def setUp(self):
        self.office = self.enterContext(Office())
        self.page = self.enterContext(SipPage("1001", self.office))
        self.page.register()

    def test_a_refused_offer_leaves_the_connection_as_it_was(self):
        """Another certificate, or other ICE credentials, in an offer that is refused (RFC 3261 §14.1): the page goes on
        with what it had, and so does the server."""
        at_first = connection(self.page.dial("*43").body)
        for other in (description(certificate=2), description().replace("f1xyz", "f1new")):
            unknown = re.sub(r"a=rtpmap:(\d+) (?!telephone)\S+", r"a=rtpmap:\1 nobody-knows/8000", other)
            self.assertEqual(self.page.asks(unknown).status, 488)
            goes_on = self.page.asks(description(), "sendonly")
            self.assertEqual(goes_on.status, 200)
            self.assertEqual(connection(goes_on.body), at_first)
        self.assertEqual(self.page.hang_up().status, 200)

    def test_an_offer_that_the_other_phone_refuses_leaves_the_connection_as_it_was(self):
        desk = self.enterContext(Phone("1002", self.office))
        desk.register()
        dialling = Beside(self.page.dial, "1002")
        desk.ringing()
        desk.answer()
        at_first = connection(dialling.join().body)
        for says, status in ((description(certificate=2), 488), (description(), 200)):
            asking = Beside(self.page.asks, says)
            offer = desk.expect(lambda m: m.method == "INVITE", "re-INVITE")
            desk.reply(offer, status, "as it likes", desk.sdp() if status == 200 else "")
            answer = asking.join()
            self.assertEqual(answer.status, status)
        self.assertEqual(connection(answer.body), at_first)
        self.assertEqual(self.page.hang_up().status, 200)

    def test_another_certificate_that_is_agreed_on_is_another_connection(self):
        at_first = connection(self.page.dial("*43").body)
        again = self.page.asks(description(certificate=2))
        self.assertEqual(again.status, 200)
        self.assertNotEqual(connection(again.body)[:2], at_first[:2])
        self.assertEqual(self.page.hang_up().status, 200)

    def test_so_does_one_of_a_page_over_rest(self):
        page = self.enterContext(Page(self.office, login(self.office, "1002", password("1002")), "1002"))
        at_first = page.offers()
        unknown = re.sub(r"a=rtpmap:(\d+) (?!telephone)\S+", r"a=rtpmap:\1 nobody-knows/8000", description(certificate=2))
        status, answer = page.ask("POST", "/api/webrtc/offer", {"session_id": page.id, "sdp": unknown})
        self.assertEqual(status, 400, answer)
        self.assertEqual(connection(page.offers()), connection(at_first))
        self.assertEqual(page.ask("POST", "/api/webrtc/offer", {"session_id": page.id, "sdp": unknown})[0], 400)
        self.assertNotEqual(connection(page.offers(certificate=2))[:2], connection(at_first)[:2], "another page")


if __name__ == "__main__":
    unittest.main()
