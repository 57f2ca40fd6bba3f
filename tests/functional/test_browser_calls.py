"""Calls of pages over the REST paths and the live stream, against the real program and phones; what needs no media."""
import base64
import hashlib
import hmac
import time
import unittest

from api_client import Client, login, user
from live_stream import Sse
from office import Office, password, wait_until
from page import Page, description
from softphone import Beside, Phone

TURN = """features:
  webrtc:
    session_timeout: 3600
    stun_servers: ['stun:stun.example:3478']
    turn_servers: [{url: 'turn:turn.example:3478', username: fixed, credential: never-handed-out}]
    turn_secret: north
"""


class BrowserCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office(config=TURN)
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()

    def page(self, extension):
        """Of a session that is there when the test begins, so that its calls find one ready."""
        page = Page(self.office, login(self.office, extension, password(extension)), extension)
        self.addCleanup(page.__exit__)
        self.addCleanup(page.ask, "DELETE", f"/api/webrtc/session/{page.id}")
        return page

    def ready(self, extension):
        page = self.page(extension)
        page.offers()
        return page

    def test_a_session_is_described_and_answers_an_offer_at_once(self):
        page = self.page("1001")
        self.assertEqual((page.session["extension"], page.session["state"], page.session["call_id"]), ("1001", "new", None))
        answer = page.offers()
        self.assertIn("a=ice-lite", answer)
        self.assertIn("a=setup:passive", answer)
        self.assertIn("UDP/TLS/RTP/SAVPF 111 9 0 8 110 126", answer)
        self.assertRegex(answer, r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host")
        self.assertNotIn("red/48000", answer)
        self.assertEqual(page.shown()["state"], "connecting")
        self.assertEqual(page.hears("webrtc.session")["state"], "connecting")
        for candidate in ({"candidate": "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host", "sdpMid": "0", "sdpMLineIndex": 0},
                          {"candidate": ""}):
            page.done("POST", "/api/webrtc/ice-candidate", {"session_id": page.id, "candidate": candidate})
        status, refused = page.ask("POST", "/api/webrtc/ice-candidate", {"session_id": page.id, "candidate": {"candidate": "nonsense"}})
        self.assertEqual((status, refused["code"]), (400, "bad_request"))

    def test_the_echo_test_is_called_and_left(self):
        page = self.ready("1001")
        status, placed = page.dials("*43")
        self.assertEqual(status, 200, placed)
        self.assertEqual(page.hears("webrtc.answered")["call_id"], placed["call_id"])
        self.assertEqual(page.shown()["call_id"], placed["call_id"])
        call = page.done("GET", f"/api/calls/{placed['call_id']}")
        self.assertTrue(call["legs"][0]["secured"])
        self.assertEqual(page.does("hangup")[0], 200)
        ended = page.hears("webrtc.ended")
        self.assertEqual((ended["call_id"], ended["session_id"], ended["reason"]), (placed["call_id"], page.id, "You hung up."))
        self.assertEqual(page.shown()["calls"], [])

    def test_a_desk_phone_is_called_and_hangs_up(self):
        page = self.ready("1001")
        with Phone("1002", self.office) as bob:
            bob.register()
            calling = Beside(page.dials, "1002")
            bob.ringing()
            _, placed = calling.join()
            self.assertEqual(page.hears("webrtc.ringing")["call_id"], placed["call_id"])
            bob.answer()
            page.hears("webrtc.answered")
            self.assertEqual(page.does("stats", packets_sent=250, packets_received=245, packets_lost=5, jitter_ms=3.5, codec="opus")[0], 200)
            self.assertAlmostEqual(page.hears("webrtc.quality")["loss_percent"], 2.0)
            bob.hang_up()
            self.assertEqual(page.hears("webrtc.ended")["reason"], "1002 hung up")
            bob.register(expires=0)

        def heard_by_the_page():
            record = page.done("GET", "/api/cdr?extension=1001&limit=1")[0]
            self.assertEqual(record["call_id"], placed["call_id"])
            return [leg["heard"] for leg in record["legs"] if leg["party"] == "1001"]

        heard = wait_until(heard_by_the_page, 60, "the record with its legs, which come after the end")[0]
        self.assertAlmostEqual(heard["loss_percent"], 2.0)

    def test_a_page_is_called_by_a_desk_phone_and_takes_the_call_up(self):
        page = self.ready("1001")
        with Phone("1002", self.office) as bob:
            bob.register()
            dialling = Beside(bob.dial, "1001")
            told = page.hears("webrtc.incoming")
            self.assertEqual((told["caller"], told["caller_info"]["extension"]), ("1002", "1002"))
            self.assertEqual(page.does("accept", call_id=told["call_id"])[0], 200)
            dialling.join()
            self.assertEqual(page.does("accept", call_id=told["call_id"])[1]["code"], "not_found", "it rings no more")
            bob.hang_up()
            page.hears("webrtc.ended")
            bob.register(expires=0)

    def test_keys_that_a_phone_tells_by_info_are_told_the_page_in_both_forms(self):
        page = self.ready("1001")
        with Phone("1002", self.office) as bob:
            bob.register()
            dialling = Beside(bob.dial, "1001")
            call = page.hears("webrtc.incoming")["call_id"]
            self.assertEqual(page.does("accept", call_id=call)[0], 200)
            dialling.join()
            pressed = []
            for number, key in enumerate("0123456789*#ABCD"):
                kind, body = (("application/dtmf", key), ("application/dtmf-relay", f"Signal={key}\r\nDuration=160\r\n"))[number % 2]
                bob.send(bob.in_dialog("INFO", (), body).replace("application/sdp", kind))
                self.assertEqual(bob.final("INFO", bob.dialog["call_id"]).status, 200)
                told = page.hears("webrtc.dtmf")
                self.assertEqual(told["call_id"], call)
                pressed.append(told["digit"])
            self.assertEqual("".join(pressed), "0123456789*#ABCD")
            bob.hang_up()
            self.assertEqual(page.hears("webrtc.ended")["reason"], "1002 hung up")
            bob.register(expires=0)

    def test_pages_talk_to_each_other_and_one_of_two_is_told_that_the_other_answered(self):
        alice, bob, bobs_other = self.ready("1001"), self.ready("1003"), self.ready("1003")
        status, placed = alice.dials("1003")
        self.assertEqual(status, 200, placed)
        self.assertEqual(bob.hears("webrtc.incoming")["call_id"], placed["call_id"])
        self.assertEqual(bobs_other.does("accept")[0], 200)
        ended = {}
        while ended.get("session_id") != bob.id:
            ended = bob.hears("webrtc.ended")
        self.assertEqual(ended["reason"], "answered elsewhere")
        alice.hears("webrtc.answered")
        self.assertEqual(alice.does("hold")[0], 200)
        self.assertEqual(alice.does("resume")[0], 200)
        self.assertEqual(alice.does("dtmf", digits="12#")[0], 200)
        self.assertEqual(alice.does("dtmf", digits="x")[0], 400)
        status, answer = alice.does("transfer", to="1999")
        self.assertEqual((status, answer["code"]), (404, "not_found"))
        self.assertEqual(bobs_other.does("hangup")[0], 200)
        self.assertEqual(alice.hears("webrtc.ended")["reason"], "1003 hung up")

    def test_what_cannot_be_called_is_said_in_the_answer(self):
        page = self.page("1001")
        self.assertEqual(page.dials("*43")[1]["code"], "not_connected")
        page.offers()
        status, answer = page.dials("1999")
        self.assertEqual((status, answer["code"]), (404, "not_found"), answer)
        status, answer = page.dials("1004")
        self.assertEqual((status, answer["error"]), (409, "1004 is not registered"))
        for verb in ("accept", "reject", "hangup", "hold", "resume"):
            self.assertEqual(page.does(verb)[1]["code"], "not_found", verb)

    def test_a_page_that_comes_back_hears_what_it_missed(self):
        page = self.ready("1001")
        page.hears("webrtc.session")
        page.stream.close()
        _, placed = page.dials("*43")
        page.does("hangup")
        token = page.client.headers["Authorization"].removeprefix("Bearer ")
        with Sse(self.office, f"?session={page.id}&push=1", token=token) as again:
            told = again.until("webrtc.ended")
            self.assertEqual([t["event_type"] for t in told], ["webrtc.answered", "webrtc.ended"])
            self.assertEqual([t["push"] for t in told], [2, 3])
            self.assertNotIn("seq", told[0])
            page.dials("*43")
            self.assertEqual(again.until("webrtc.answered")[-1]["push"], 4, "goes on where that ended, and nothing twice")
            page.does("hangup")

    def test_sessions_and_pushes_are_those_of_one_extension(self):
        alice, carol = self.ready("1001"), login(self.office, "1004", password("1004"))
        with Sse(self.office, f"?session={alice.id}", token=carol.headers["Authorization"].removeprefix("Bearer ")) as ears:
            for method, path, body in (("GET", f"/api/webrtc/session/{alice.id}", None), ("DELETE", f"/api/webrtc/session/{alice.id}", None),
                                       ("POST", "/api/webrtc/call", {"session_id": alice.id, "target_extension": "*43"}),
                                       ("POST", "/api/webrtc/offer", {"session_id": alice.id, "sdp": description()}),
                                       ("POST", f"/api/webrtc/session/{alice.id}/restart", {})):
                self.assertEqual(carol.ask(method, path, body)[0], 404, path)
            self.assertEqual(carol.ask("GET", "/api/webrtc/sessions")[2], [])
            self.assertEqual(carol.ask("POST", "/api/webrtc/session", {"extension": "1001"})[0], 403)
            alice.dials("*43")
            alice.hears("webrtc.answered")
            ears.nothing_for(0.5)
        self.assertEqual([s["session_id"] for s in alice.done("GET", "/api/webrtc/sessions")], [alice.id])
        self.assertEqual(Client(self.office).ask("GET", "/api/webrtc/ice-servers")[0], 401)
        alice.does("hangup")

    def sessions_of(self, extension):
        return {s["session_id"] for s in self.boss.ask("GET", "/api/webrtc/sessions")[2] if s["extension"] == extension}

    def test_a_session_ends_with_the_login_that_opened_it(self):
        self.boss = user(self.office, "boss")
        gone, other, taken_over = self.ready("1003"), self.ready("1003"), self.ready("1003")
        again = login(self.office, "1003", password("1003"))
        offer = {"session_id": taken_over.id, "sdp": description()}
        self.assertEqual(again.ask("POST", "/api/webrtc/offer", offer)[0], 200)
        for page in (gone, taken_over):
            self.assertEqual(page.ask("POST", "/api/logout", {})[0], 200)
        wait_until(lambda: gone.id not in self.sessions_of("1003"), 60, "the session is closed")
        self.assertEqual(self.sessions_of("1003"), {other.id, taken_over.id}, "those of other logins go on")
        again.ask("POST", "/api/logout", {})
        wait_until(lambda: self.sessions_of("1003") == {other.id}, 60, "the session that was taken over is closed")
        aide = user(self.office, "aide")
        self.assertEqual(aide.ask("POST", "/api/webrtc/session", {"extension": "1003"})[0], 200, "an admin acts for others")
        self.assertEqual(len(self.sessions_of("1003")), 2)
        self.assertEqual(self.boss.ask("DELETE", "/api/users/aide")[0], 200)
        wait_until(lambda: self.sessions_of("1003") == {other.id}, 60, "the session of who was removed is closed")

    def test_another_password_ends_sessions_and_registrations(self):
        self.boss = user(self.office, "chief")
        page = self.ready("1004")
        with Phone("1004", self.office) as phone:
            phone.register()
            changed = self.boss.ask("PUT", "/api/extensions/1004", {"password": "Another-Password-4!"})
            self.assertEqual(changed[0], 200)
            self.addCleanup(self.boss.ask, "PUT", "/api/extensions/1004", {"password": password("1004")})
            wait_until(lambda: not self.sessions_of("1004"), 60, "the session is closed")
            wait_until(lambda: not self.boss.ask("GET", "/api/registered-phones/extension/1004")[2], 60, "the phone is not called any more")
        self.assertEqual(page.ask("GET", "/api/me")[0], 401)

    def test_a_supervisor_sees_sessions_and_acts_in_none(self):
        page, sue = self.ready("1001"), user(self.office, "sue", "supervisor")
        self.assertEqual(sue.ask("GET", f"/api/webrtc/session/{page.id}")[0], 200)
        for method, path, body in (("POST", "/api/webrtc/session", {"extension": "1001"}),
                                   ("POST", "/api/webrtc/call", {"session_id": page.id, "target_extension": "*43"}),
                                   ("POST", "/api/webrtc/offer", {"session_id": page.id, "sdp": description()}),
                                   ("DELETE", f"/api/webrtc/session/{page.id}", None)):
            status, _, answer = sue.ask(method, path, body)
            self.assertEqual((status, answer["code"]), (403, "forbidden"), path)
        self.assertEqual(page.shown()["calls"], [])

    def test_the_server_offers_anew_when_asked_to(self):
        page = self.ready("1001")
        self.assertEqual(page.ask("POST", "/api/webrtc/answer", {"session_id": page.id, "sdp": description(setup="active")})[1]["code"], "no_offer")
        self.assertEqual(page.does("restart")[0], 200)
        offer = page.hears("webrtc.offer")
        self.assertIn("a=setup:actpass", offer["sdp"])
        self.assertEqual(offer["offer"], 1)
        page.done("POST", "/api/webrtc/answer", {"session_id": page.id, "sdp": description(setup="active"), "offer": 1})

    def test_of_two_offers_of_the_server_the_later_one_counts_and_of_both_sides_that_of_the_page(self):
        page = self.ready("1001")
        answer = {"session_id": page.id, "sdp": description(setup="active")}
        for number in (1, 2):
            self.assertEqual(page.does("restart")[0], 200)
            self.assertEqual(page.hears("webrtc.offer")["offer"], number)
        status, refused = page.ask("POST", "/api/webrtc/answer", {**answer, "offer": 1})
        self.assertEqual((status, refused["code"]), (409, "superseded"))
        page.done("POST", "/api/webrtc/answer", {**answer, "offer": 2})
        self.assertEqual(page.does("restart")[0], 200)
        self.assertEqual(page.hears("webrtc.offer")["offer"], 3)
        crossed = page.done("POST", "/api/webrtc/offer", {"session_id": page.id, "sdp": description()})
        self.assertEqual(crossed["offers"], 3)
        self.assertEqual(page.ask("POST", "/api/webrtc/answer", {**answer, "offer": 3})[1]["code"], "no_offer")

    def test_turn_credentials_end_by_themselves(self):
        page = self.page("1001")
        self.assertEqual(page.ice, page.done("GET", "/api/webrtc/ice-servers"))
        stun, turn = page.ice["iceServers"]
        self.assertEqual(stun, {"urls": ["stun:stun.example:3478"]})
        until, who = turn["username"].split(":")
        self.assertEqual(who, "1001")
        self.assertAlmostEqual(int(until), time.time() + 86_400, delta=600)
        self.assertEqual(turn["credential"], base64.b64encode(hmac.digest(b"north", turn["username"].encode(), hashlib.sha1)).decode())
        self.assertEqual(page.ice["iceTransportPolicy"], "all")

    def test_switched_off_it_says_so(self):
        with Office(config="features: {webrtc: {enabled: false}}\n") as office:
            alice = login(office, "1001", password("1001"))
            for method, path, body in (("POST", "/api/webrtc/session", {"extension": "1001"}), ("GET", "/api/webrtc/sessions", None),
                                       ("GET", "/api/webrtc/ice-servers", None)):
                status, _, answer = alice.ask(method, path, body)
                self.assertEqual(status, 404)
                self.assertIn("switched off", answer["error"])


class SipPage(Phone):
    """A browser that speaks SIP itself (RFC 7118): its contact is nowhere, its media is described as browsers do."""

    setup = "actpass"

    def contact(self):
        return f"<sip:{self.number}@k4d7s1.invalid;transport=ws>"

    def sdp(self, direction="sendrecv"):
        return description(setup=self.setup).replace("a=sendrecv", f"a={direction}")


class SipOverWebSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.office = Office()
        cls.addClassCleanup(lambda: cls.office.__exit__(None))
        cls.office.start()

    def test_a_browser_that_calls_is_answered_in_its_own_way(self):
        with SipPage("1001", self.office, transport="ws") as alice:
            alice.register()
            answer = alice.dial("*43")
            for line in ("UDP/TLS/RTP/SAVPF 111 9 0 8 110 126", "a=setup:passive", "a=ice-lite", "a=rtcp-mux", "a=group:BUNDLE 0"):
                self.assertIn(line, answer.body)
            self.assertRegex(answer.body, r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host")
            alice.hang_up()

    def test_a_desk_phone_and_a_browser_call_each_other_and_each_reads_its_own_kind(self):
        with SipPage("1001", self.office, transport="ws") as alice, Phone("1002", self.office) as bob:
            alice.register()
            bob.register()
            dialling = Beside(bob.dial, "1001")
            offer = alice.ringing().body
            for line in ("UDP/TLS/RTP/SAVPF", "a=setup:actpass", "a=ice-ufrag:", "a=fingerprint:", "PCMU/8000"):
                self.assertIn(line, offer)
            alice.setup = "active"
            alice.answer()
            dialling.join()
            call = self.office.json("call", "ls")[0]
            self.assertEqual([leg["secured"] for leg in sorted(call["legs"], key=lambda leg: leg["party"])], [True, False])
            bob.hang_up()
            alice.hung_up()

            alice.setup = "actpass"
            calling = Beside(alice.dial, "1002")
            offer = bob.ringing().body
            self.assertIn("RTP/AVP", offer)
            for word in ("ice-", "fingerprint", "SAVPF", "candidate"):
                self.assertNotIn(word, offer)
            bob.answer()
            calling.join()
            alice.hang_up()
            bob.hung_up()


if __name__ == "__main__":
    unittest.main()
