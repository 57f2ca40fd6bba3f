"""A crowd of pages and phones with real media: checks, DTLS, SRTP and tones, without Chromium (tests/load/browser_crowd.cc).

    with Crowd(office) as crowd:
        alice, bob = crowd.page("1001"), crowd.page("1002")
        alice.calls(bob)
        crowd.all_hear([(alice, bob)])
"""
import json
import pathlib
import re
import subprocess
import threading

from api_client import login
from office import BINARY, password, wait_until
from page import Page, description
from softphone import Phone


class Crowd:
    def __init__(self, office, program=None, address="127.0.0.1", pace_us=1000):
        """`program`: the one built with the server, unless another is named. `pace_us`: how evenly packets leave."""
        self.office = office
        program = program or pathlib.Path(office.binary or BINARY).parent / "tests/load/browser_crowd"
        self.process = subprocess.Popen([str(program), address, str(pace_us)], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        self.members = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.leave()
        self.process.stdin.close()
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(10)
        self.process.stdout.close()
        assert code == 0, f"the crowd ended with {code}"

    def tell(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            line = self.process.stdout.readline()
        assert line, "the crowd has ended"
        answer = json.loads(line)
        assert "error" not in answer, f"{words}: {answer['error']}"
        return answer

    def page(self, extension, **more):
        """A page of that extension, its media connected unless it is told otherwise (`offers=False`)."""
        return self._add(CrowdPage(self, extension, **more))

    def phone(self, extension, codec="pcmu", **more):
        return self._add(CrowdPhone(self, extension, codec, **more))

    def _add(self, member):
        self.members.append(member)
        return member

    def look(self):
        return self.tell("look")["members"]

    def wait_connected(self, members, seconds=120):
        def missing():
            seen = self.look()
            return [m.name for m in members if not seen[m.index]["connected"]]

        wait_until(lambda: not missing(), seconds, f"everybody is connected; not so: {missing()}")

    def all_hear(self, pairs, seconds=120):
        """Until both of each pair have heard the other's tone: most of all they heard in a second. Talks for who is silent."""
        for pair in pairs:
            for member in pair:
                member.talks()
        self.tell("forget")
        missing = [(listener, speaker) for pair in pairs for listener, speaker in (pair, pair[::-1])]

        def heard():
            missing[:] = [(listener, speaker) for listener, speaker in missing
                          if self.tell("hear", listener.index, speaker.hertz)["share"] < 0.5]
            return not missing

        try:
            wait_until(heard, seconds, "everybody hears who is meant")
        except AssertionError as late:
            seen = self.look()
            wrong = {listener.name: (seen[listener.index], self.tell("whom", listener.index), f"not {speaker.hertz}")
                     for listener, speaker in missing}
            raise AssertionError(f"{late}; not so: {wrong}") from None


class CrowdPage(Page):
    def __init__(self, crowd, extension, offers=True, **claims):
        """`claims`: what the description says instead of what is so (`ufrag`, `password`, `fingerprint`)."""
        super().__init__(crowd.office, login(crowd.office, extension, password(extension)), extension)
        self.crowd, self.name = crowd, extension
        made = crowd.tell("browser")
        self.index, self.hertz, self.claims = made["number"], made["hertz"], {**made, **claims}
        self.answer = None
        if offers:
            self.connects()

    def connects(self, **believes):
        """`believes`: what it takes for the server's instead of what that said."""
        offer = description(media=self.claims)
        self.answer = self.done("POST", "/api/webrtc/offer", {"session_id": self.id, "sdp": offer})["sdp"]
        told = {"ufrag": self._line(r"a=ice-ufrag:(\S+)"), "password": self._line(r"a=ice-pwd:(\S+)"),
                "fingerprint": self._line(r"a=fingerprint:(\S+ \S+)"), **believes}
        ip, port = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", self.answer).groups()
        self.crowd.tell("meet", self.index, ip, port, told["ufrag"], told["password"], told["fingerprint"])

    def _line(self, pattern):
        return re.search(pattern, self.answer).group(1)

    def server(self):
        """Address and port of the browsers' media."""
        return re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", self.answer).groups()

    def talks(self):
        self.crowd.tell("talk", self.index)

    def rings(self, caller):
        status, placed = caller.dials(self.name)
        assert status == 200, placed
        return placed["call_id"]

    def takes(self, call):
        told = self.hears("webrtc.incoming")
        assert told["call_id"] == call, told
        self.done("POST", f"/api/webrtc/session/{self.id}/accept", {"call_id": call})

    def calls(self, other):
        """Another page, or a phone, which takes the call up."""
        if isinstance(other, CrowdPhone):
            answered = []
            calling = threading.Thread(target=lambda: answered.append(self.dials(other.name)))
            calling.start()
            try:
                other.ringing(60)
            except AssertionError as late:
                raise AssertionError(f"{late}; {self.name} was told {answered}") from None
            other.answer()
            calling.join(60)
            call = answered[0][1]["call_id"]
        else:
            call = other.rings(self)
            other.takes(call)
        self.hears("webrtc.answered")
        return call

    def leave(self):
        self.stream.close()


class CrowdPhone(Phone):
    """A desk phone that registers; its media is the crowd's."""

    KINDS = {"pcmu": (0, "PCMU/8000"), "pcma": (8, "PCMA/8000"), "g722": (9, "G722/8000"), "opus": (111, "opus/48000/2")}

    def __init__(self, crowd, extension, codec):
        super().__init__(extension, crowd.office, codec=self.KINDS[codec])
        self.crowd, self.name = crowd, extension
        made = crowd.tell("phone", codec, self.KINDS[codec][0])
        self.index, self.hertz = made["number"], made["hertz"]
        self.media.close()
        self.media = CrowdMedia(crowd, made)
        self.register()

    def sdp(self, direction="sendrecv"):
        """With telephone-event, as phones have it: where one has not, its voice is searched for tones."""
        clock = self.codec[1].split("/")[1]
        lines = super().sdp(direction).split("\r\n")
        media = next(i for i, line in enumerate(lines) if line.startswith("m=audio"))
        lines[media] += " 101"
        lines.insert(media + 1, f"a=rtpmap:101 telephone-event/{clock}")
        return "\r\n".join(lines)

    def talks(self):
        self.crowd.tell("talk", self.index)

    def leave(self):
        self.close()


class CrowdMedia:
    """What a Phone needs of its media."""

    def __init__(self, crowd, made):
        self.crowd, self.number, self.port = crowd, made["number"], made["port"]

    def peer(self, sdp):
        ip = re.search(r"c=IN IP4 (\S+)", sdp).group(1)
        self.crowd.tell("meet", self.number, ip, re.search(r"m=audio (\d+)", sdp).group(1))

    def close(self):
        pass
