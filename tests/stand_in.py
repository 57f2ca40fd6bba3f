"""The requests of browser calling, answered by a test: calls go as the test says, and the media is a real connection to
another Chromium. Everything else, the page and the login among it, comes from the real server behind it."""
import http.client
import json
import queue
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The far end of a media connection: answers offers, sends a tone, keeps what it hears in window.heard.
FAR_END = """(hz) => {
  window.answer = async (sdp) => {
    const connection = new RTCPeerConnection();
    await connection.setRemoteDescription({type: 'offer', sdp});
    const context = new AudioContext();
    await context.resume();
    const tone = new OscillatorNode(context, {frequency: hz});
    const out = context.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    const [line] = connection.getTransceivers();
    line.direction = 'sendrecv';
    await line.sender.replaceTrack(out.stream.getAudioTracks()[0]);
    window.heard = new MediaStream([line.receiver.track]);
    const player = new Audio();
    player.srcObject = window.heard;
    player.play();
    await connection.setLocalDescription(await connection.createAnswer());
    while (connection.iceGatheringState !== 'complete') await new Promise((r) => setTimeout(r, 5));
    window.connections = [...(window.connections ?? []), connection];
    return connection.localDescription.sdp;
  };
}"""
ICE = {"iceServers": [], "iceTransportPolicy": "all"}


class StandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, office, far, hz=880, wall=None):
        """`wall`: a port that nobody answers at; media is sent there, and none comes from the far end."""
        super().__init__((office.host, 0), Requests)
        self.wall = wall
        self.office, self.far = office, far
        far.evaluate(FAR_END, hz)
        self.streams, self.sessions, self.asked, self.refusals, self.last = [], {}, [], {}, 0
        self.url = f"http://{office.host}:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.put(None)
        self.shutdown()
        self.thread.join(10)
        self.server_close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a page that was closed while it was answered is no error
            super().handle_error(request, client_address)

    def push(self, event_type, **data):
        for stream in self.streams:
            stream.put({"event_type": event_type, "timestamp": "2026-03-01T10:00:00.000Z", "data": data})

    def call(self):
        """The call_id of the newest call that was placed."""
        return next(s["call_id"] for s in self.sessions.values() if s["call_id"])

    def answer_to(self, offer):
        if self.wall:
            offer = re.sub(r"a=candidate:.*\r\n", "", offer)
        sdp = self.far.evaluate("(sdp) => window.answer(sdp)", offer)
        if self.wall:
            sdp = re.sub(r"(a=candidate:\S+ \d udp \d+) \S+ \d+ .*", rf"\1 {self.office.host} {self.wall} typ host", sdp)
        return sdp

    def answer(self, path, body):
        self.asked.append((path, body))
        parts = path.split("/")[3:]
        if path in self.refusals:
            return self.refusals.pop(path)
        if parts == ["session"]:
            self.last += 1
            session = {"session_id": f"s-{self.last}", "extension": body["extension"], "state": "new", "call_id": None, "calls": []}
            self.sessions[session["session_id"]] = session
            return 200, {"success": True, "session": session, "ice_servers": ICE}
        if parts == ["offer"]:
            return 200, {"success": True, "type": "answer", "sdp": self.answer_to(body["sdp"])}
        if parts == ["call"]:
            self.last += 1
            session = self.sessions[body["session_id"]]
            session["call_id"] = f"c-{self.last}"
            session["calls"].append(session["call_id"])
            return 200, {"success": True, "call_id": session["call_id"]}
        if parts[0] == "session" and parts[1] not in self.sessions:
            return 404, {"error": "There is no such session.", "code": "not_found"}
        if parts[0] == "session" and len(parts) == 2:
            return 200, {"success": True, "session": self.sessions[parts[1]], "ice_servers": ICE}
        if parts[0] == "session" and parts[2] in ("hangup", "reject"):
            self.push("webrtc.ended", call_id=body["call_id"], reason="You hung up.")
        return 200, {"success": True}


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "OPTIONS":
            self.pass_on(body)
        elif self.path.startswith("/api/events"):
            self.stream()
        elif self.path.startswith("/api/webrtc/"):
            status, answer = self.server.answer(self.path, json.loads(body or b"{}"))
            self.give(status, [("Content-Type", "application/json"), *self.welcome()], json.dumps(answer).encode())
        else:
            self.pass_on(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = take

    def welcome(self):
        """Pages of other origins may read this."""
        origin = self.headers.get("Origin")
        return [("Access-Control-Allow-Origin", origin)] if origin else []

    def give(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, body):
        office = self.server.office
        connection = http.client.HTTPConnection(office.host, office.http, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            ours = ("content-length", "connection", "transfer-encoding", "server", "date")
            self.give(answer.status, [h for h in answer.getheaders() if h[0].lower() not in ours], answer.read())
        finally:
            connection.close()

    def stream(self):
        mine = queue.Queue()
        self.server.streams.append(mine)
        self.send_response(200)
        for name, value in [("Content-Type", "text/event-stream"), *self.welcome()]:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        text = ":\n\n"
        try:
            while True:
                self.wfile.write(text.encode())
                self.wfile.flush()
                try:
                    message = mine.get(timeout=10)
                except queue.Empty:
                    text = ":\n\n"
                    continue
                if message is None:
                    return
                text = f"event: {message['event_type']}\ndata: {json.dumps(message)}\n\n"
        except OSError:
            return  # the page has gone
