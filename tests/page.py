"""A page that is a telephone, as far as the server can tell over HTTP: requests, a description, pushes. No media."""
from live_stream import Sse


def description(certificate=1, setup="actpass", media=None):
    """An offer as Chromium writes it, shortened. `media`: of somebody who has some (crowd.py)."""
    media = media or {"ufrag": f"f{certificate}xyz", "password": "some-password-of-a-browser",
                      "fingerprint": "sha-256 " + ":".join(f"{(certificate if i == 0 else i) % 256:02X}" for i in range(32))}
    return "\r\n".join([
        "v=0", "o=- 4611 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS s",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 110 126", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{media['ufrag']}", f"a=ice-pwd:{media['password']}", "a=ice-options:trickle",
        f"a=fingerprint:{media['fingerprint']}", f"a=setup:{setup}", "a=mid:0", "a=sendrecv", "a=msid:s t",
        "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2", "a=rtpmap:9 G722/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:110 telephone-event/48000", "a=rtpmap:126 telephone-event/8000", ""])


class Page:
    """A session of the extension that `client` is logged in as."""

    def __init__(self, office, client, extension):
        self.client = client
        self.stream = Sse(office, token=client.headers["Authorization"].removeprefix("Bearer "))
        opened = self.done("POST", "/api/webrtc/session", {"extension": extension})
        self.session = opened["session"]
        self.id = self.session["session_id"]
        self.ice = opened["ice_servers"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def ask(self, method, path, body=None):
        status, _, answer = self.client.ask(method, path, body)
        return status, answer

    def done(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer

    def offers(self, certificate=1):
        return self.done("POST", "/api/webrtc/offer", {"session_id": self.id, "sdp": description(certificate)})["sdp"]

    def dials(self, target):
        return self.ask("POST", "/api/webrtc/call", {"session_id": self.id, "target_extension": target})

    def does(self, verb, **body):
        return self.ask("POST", f"/api/webrtc/session/{self.id}/{verb}", body)

    def shown(self):
        return self.done("GET", f"/api/webrtc/session/{self.id}")["session"]

    def hears(self, kind):
        """The data of the next push of that kind; others before it are passed over."""
        return self.stream.until(kind)[-1]["data"]
