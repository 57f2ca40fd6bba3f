"""Readers of GET /api/events for tests: Server-Sent Events and WebSocket, over the network or the operators' socket."""
import base64
import http.client
import json
import os
import socket
import struct
import time


def connect(office, operator=True):
    if not operator:
        return socket.create_connection((office.host, office.http), 60)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(60)
    made.connect(str(office.data / "bellwire.sock"))
    return made


def token_of(office, number, secret):
    """Logs an extension in; for the Authorization header."""
    asked = http.client.HTTPConnection(office.host, office.http, timeout=120)
    asked.request("POST", "/api/login", json.dumps({"username": number, "password": secret}),
                  {"Content-Type": "application/json"})
    answer = asked.getresponse()
    text = answer.read()
    asked.close()
    assert answer.status == 200, text
    return json.loads(text)["token"]


class Reader:
    """Both kinds have events(): the messages so far, and next(): the next one."""

    def __init__(self, office, query="", token=None, headers=()):
        self.socket = connect(office, operator=token is None)
        self.buffer = b""
        lines = ["GET /api/events" + query + " HTTP/1.1", "Host: bellwire", *self.own_headers(), *headers]
        if token:
            lines.append("Authorization: Bearer " + token)
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self._more(60)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.head = head.decode()
        self.status = int(self.head.split()[1])
        self.closed = None  # why the server said goodbye

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def _more(self, seconds):
        self.socket.settimeout(max(seconds, 0.001))
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError(f"the server closed the connection: {self.buffer[-300:]}")
        self.buffer += part

    def next(self, seconds=60):
        end = time.monotonic() + seconds
        while True:
            message = self._cut()
            if message is not None:
                return message
            self._more(end - time.monotonic())

    def until(self, event_type, seconds=60):
        """All messages up to the first of this type, that one included."""
        found = []
        while not found or found[-1]["event_type"] != event_type:
            found.append(self.next(seconds))
        return found

    def nothing_for(self, seconds):
        try:
            found = self.next(seconds)
        except (TimeoutError, BlockingIOError):
            return
        raise AssertionError(f"nothing was expected, and this came: {found}")


class Sse(Reader):
    kind = "sse"

    def __init__(self, *args, **kwargs):
        self.lines = b""
        super().__init__(*args, **kwargs)

    def own_headers(self):
        return ["Accept: text/event-stream"]

    def _cut(self):
        while True:
            block, found, rest = self.lines.partition(b"\n\n")
            if found:
                self.lines = rest
                message = self._message(block.decode())
                if message is not None:
                    return message
                continue
            size, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return None
            size = int(size, 16)
            if len(rest) < size + 2:
                return None
            if size == 0:
                raise ConnectionError(f"the stream has ended: {self.closed}")
            assert rest[size:size + 2] == b"\r\n", rest[:size + 2]
            self.lines += rest[:size]
            self.buffer = rest[size + 2:]

    def _message(self, block):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" not in fields:
            return None  # a heartbeat
        data = json.loads(fields["data"])
        if fields["event"] == "closed":
            self.closed = data["reason"]
            return None
        assert fields["event"] == data["event_type"] and int(fields.get("id", 0)) == data.get("seq", 0), fields
        return data


class WebSocket(Reader):
    kind = "websocket"

    def own_headers(self):
        key = base64.b64encode(os.urandom(16)).decode()
        return ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Protocol: bellwire.events.v1"]

    def _cut(self):
        while True:
            if len(self.buffer) < 2:
                return None
            opcode, size, offset = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if size == 126:
                size, offset = (struct.unpack_from(">H", self.buffer, 2)[0], 4) if len(self.buffer) >= 4 else (1 << 30, 4)
            elif size == 127:
                size, offset = (struct.unpack_from(">Q", self.buffer, 2)[0], 10) if len(self.buffer) >= 10 else (1 << 30, 10)
            if len(self.buffer) < offset + size:
                return None
            body, self.buffer = self.buffer[offset:offset + size], self.buffer[offset + size:]
            if opcode == 8:
                self.closed = body[2:].decode()
                raise ConnectionError(f"the server closed: {self.closed}")
            if opcode == 1:
                return json.loads(body)
