"""A small SIP telephone for tests of the real program: UDP, TCP, TLS, WS and WSS, IPv4 and IPv6, one call at a time.

It is deliberately plain: it does what the test says, also what no good phone would do.
"""
import base64
import hashlib
import os
import random
import re
import socket
import ssl
import struct
import threading
import time

from office import password, wait_until


class Link:
    """One way to the server: send(bytes) and receive() of whole messages."""

    def __init__(self, transport, server, port):
        self.transport = transport
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.local_host = "::1" if ":" in server else "127.0.0.1"
        self.buffer = b""
        if transport == "udp":
            self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
            self.socket.connect((server, port))
        else:
            self.socket = socket.create_connection((server, port), 10)
        if transport in ("tls", "wss"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        if transport in ("ws", "wss"):
            self._upgrade(server, port)
        self.local = self.socket.getsockname()[:2]

    def _upgrade(self, server, port):
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"[{server}]" if ":" in server else server
        self.socket.sendall((f"GET /sip HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Protocol: sip\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            part = self.socket.recv(4096)
            assert part, f"the server closed: {self.buffer}"
            self.buffer += part
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n")[0], head
        assert b"sec-websocket-protocol: sip" in head.lower(), head

    def send(self, message):
        if self.transport in ("ws", "wss"):
            size, mask = len(message), os.urandom(4)
            head = b"\x81" + (bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size))
            message = head + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(message))
        self.socket.sendall(message)

    def receive(self, timeout):
        """One message, or None when nothing came in time; raises ConnectionError at the end."""
        end = time.monotonic() + timeout
        while True:
            message = self._cut()
            if message is not None:
                return message
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                part = self.socket.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                return None
            if self.transport == "udp":
                return part
            if not part:
                raise ConnectionError("the server closed the connection")
            self.buffer += part

    def _cut(self):
        if self.transport in ("ws", "wss"):
            if len(self.buffer) < 2:
                return None
            opcode, size, offset = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if size == 126:
                if len(self.buffer) < 4:
                    return None
                size, offset = struct.unpack_from(">H", self.buffer, 2)[0], 4
            if len(self.buffer) < offset + size:
                return None
            body, self.buffer = self.buffer[offset:offset + size], self.buffer[offset + size:]
            return body if opcode in (1, 2) else self._cut()
        if self.transport == "udp":
            return None
        self.buffer = self.buffer.lstrip(b"\r\n")
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        size = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))
        if len(rest) < size:
            return None
        self.buffer = rest[size:]
        return head + b"\r\n\r\n" + rest[:size]

    def close(self):
        self.socket.close()


class Message:
    def __init__(self, raw):
        head, _, self.body = raw.decode(errors="replace").partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0
        self.method = "" if self.status else self.first.split()[0]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=""):
        return next(iter(self.all(name)), default)

    @property
    def cseq_method(self):
        return self.get("CSeq").split()[-1]


class Phone:
    def __init__(self, number, office, transport="udp", host=None, secret=None, codec=(0, "PCMU/8000"), crypto=None):
        self.number, self.office, self.transport = number, office, transport
        self.host = host or "127.0.0.1"
        self.secret = password(number) if secret is None else secret
        self.port = {"udp": office.sip, "tcp": office.sip, "tls": office.tls, "ws": office.http,
                     "wss": office.https}[transport]
        self.link = Link(transport, self.host, self.port)
        self.tag = f"t{random.getrandbits(40):x}"
        self.shown = f"[{self.link.local[0]}]:{self.link.local[1]}" if ":" in self.host else ":".join(map(str, self.link.local))
        self.domain = f"[{self.host}]" if ":" in self.host else self.host
        self.cseq = random.randrange(1, 1000)
        self.inbox = []
        self.asked, self.replies = {}, {}  # the CSeq asked last by method and call; what was replied to which request
        self.codec, self.crypto = codec, crypto
        self.media = Media(self.link.local_host)
        self.dialog = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.media.close()
        self.link.close()

    # ---- messages ----

    def contact(self):
        return f"<sip:{self.number}@{self.shown};transport={self.transport if self.transport != 'wss' else 'ws'}>"

    def sdp(self, direction="sendrecv"):
        family = "IP6" if ":" in self.host else "IP4"
        payload, name = self.codec
        profile = "RTP/SAVP" if self.crypto else "RTP/AVP"
        crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{self.crypto}\r\n" if self.crypto else ""
        return (f"v=0\r\no=- 1 1 IN {family} {self.link.local_host}\r\ns=-\r\nc=IN {family} {self.link.local_host}\r\n"
                f"t=0 0\r\nm=audio {self.media.port} {profile} {payload}\r\na=rtpmap:{payload} {name}\r\n{crypto}a={direction}\r\n")

    def request(self, method, uri, to, call_id, from_tag, extra=(), body="", cseq=None, branch=None):
        via = f"SIP/2.0/{self.transport.upper()} {self.shown};rport;branch={branch or f'z9hG4bK{random.getrandbits(64):x}'}"
        cseq = cseq or self.next_cseq()
        self.asked[method, call_id] = f"{cseq} {method}"
        lines = [f"{method} {uri} SIP/2.0", f"Via: {via}", "Max-Forwards: 70",
                 f"From: <sip:{self.number}@{self.domain}>;tag={from_tag}", f"To: {to}", f"Call-ID: {call_id}",
                 f"CSeq: {cseq} {method}", f"Contact: {self.contact()}", "User-Agent: test-phone", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def next_cseq(self):
        self.cseq += 1
        return self.cseq

    def send(self, text):
        self.link.send(text.encode())

    def expect(self, check, what, seconds=60, repeat=None):
        """The first message that fits; others stay for later. Over UDP `repeat` is sent again every second."""
        end, again = time.monotonic() + seconds, time.monotonic() + 1
        while time.monotonic() < end:
            for message in self.inbox:
                if check(message):
                    self.inbox.remove(message)
                    return message
            raw = self.link.receive(0.1)
            if raw and raw.strip():
                self.take(Message(raw))
            if repeat and self.transport == "udp" and time.monotonic() > again:
                self.send(repeat)
                again += 1
        raise AssertionError(f"{self.number}: no {what} within {seconds} s; had {[m.first for m in self.inbox]}")

    def take(self, message):
        """A request that comes again, because this phone was slow, is answered as before and not shown again."""
        transaction = message.get("Via"), message.get("CSeq")
        if message.method and transaction in self.replies:
            if self.replies[transaction]:
                self.send(self.replies[transaction])
            return
        if message.method:
            self.replies[transaction] = None
        self.inbox.append(message)

    def final(self, method, call_id, seconds=60, repeat=None):
        """The answer to what was asked last with this method; one that was late for what was asked before is not meant."""
        asked = self.asked[method, call_id]
        return self.expect(lambda m: m.status >= 200 and m.get("CSeq") == asked and m.get("Call-ID") == call_id,
                           f"answer to {method}", seconds, repeat)

    def authorization(self, challenge, method, uri, username=None, nc="00000001"):
        field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        user = username or self.number
        ha1 = md5(f"{user}:{field['realm']}:{self.secret}")
        cnonce = f"{random.getrandbits(32):x}"
        response = md5(f"{ha1}:{field['nonce']}:{nc}:{cnonce}:auth:{md5(f'{method}:{uri}')}")
        return (f'Authorization: Digest username="{user}", realm="{field["realm"]}", nonce="{field["nonce"]}", '
                f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc={nc}, cnonce="{cnonce}"')

    # ---- what people do ----

    def register(self, expires=300, ok=True, username=None, seconds=60):
        uri, call_id = f"sip:{self.domain}", f"reg-{random.getrandbits(48):x}"
        to = f"<sip:{username or self.number}@{self.domain}>"
        extra = [f"Expires: {expires}"]
        first = self.request("REGISTER", uri, to, call_id, self.tag, extra)
        self.send(first)
        answer = self.final("REGISTER", call_id, seconds, repeat=first)
        if answer.status == 401:
            extra.append(self.authorization(answer.get("WWW-Authenticate"), "REGISTER", uri, username))
            second = self.request("REGISTER", uri, to, call_id, self.tag, extra)
            self.send(second)
            answer = self.final("REGISTER", call_id, seconds, repeat=second)
        if ok and answer.status != 200:
            raise AssertionError(f"{self.number} is not registered: {answer.first}")
        return answer

    def dial(self, target, ok=True, seconds=60, extra=(), direction="sendrecv"):
        uri, call_id = f"sip:{target}@{self.domain}", f"call-{random.getrandbits(48):x}"
        body = self.sdp(direction)
        cseq = self.next_cseq()
        self.send(self.request("INVITE", uri, f"<{uri}>", call_id, self.tag, extra, body, cseq))
        answer = self.final("INVITE", call_id, seconds)
        self.ack_failure(answer, uri, call_id, cseq)
        if answer.status == 401:
            credentials = self.authorization(answer.get("WWW-Authenticate"), "INVITE", uri)
            cseq = self.next_cseq()
            invite = self.request("INVITE", uri, f"<{uri}>", call_id, self.tag, (*extra, credentials), body, cseq)
            self.sent_invite = invite
            self.send(invite)
            answer = self.final("INVITE", call_id, seconds)
            self.ack_failure(answer, uri, call_id, cseq)
        if answer.status == 200:
            self.established(call_id, self.tag, answer.get("To"), answer, f"<sip:{self.number}@{self.domain}>")
            self.send(self.in_dialog("ACK", cseq=cseq))
        elif ok:
            raise AssertionError(f"{self.number} did not reach {target}: {answer.first}")
        return answer

    def ack_failure(self, answer, uri, call_id, cseq):
        if answer.status >= 300:
            branch = re.search(r"branch=([^;,\s]+)", answer.get("Via")).group(1)
            self.send(self.request("ACK", uri, answer.get("To"), call_id, self.tag, cseq=cseq, branch=branch))

    def ringing(self, seconds=60):
        self.invite = self.expect(lambda m: m.method == "INVITE", "INVITE", seconds)
        self.reply(self.invite, 180, "Ringing")
        return self.invite

    def reply(self, request, status, reason, body="", extra=()):
        to = request.get("To")
        if status != 100 and "tag=" not in to:
            to += f";tag={self.tag}"
        lines = [f"SIP/2.0 {status} {reason}"] + [f"Via: {v}" for v in request.all("Via")]
        lines += [f"Record-Route: {v}" for v in request.all("Record-Route")]
        lines += [f"From: {request.get('From')}", f"To: {to}", f"Call-ID: {request.get('Call-ID')}",
                  f"CSeq: {request.get('CSeq')}", f"Contact: {self.contact()}", "User-Agent: test-phone", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self.replies[request.get("Via"), request.get("CSeq")] = text
        self.send(text)

    def answer(self):
        request = self.invite
        self.media.peer(request.body)
        self.reply(request, 200, "OK", self.sdp())
        self.expect(lambda m: m.method == "ACK" and m.get("Call-ID") == request.get("Call-ID"), "ACK")
        self.dialog = {"call_id": request.get("Call-ID"), "uri": uri_of(request.get("Contact")),
                       "to": request.get("From"), "from": f"{request.get('To')};tag={self.tag}"}

    def established(self, call_id, tag, to, answer, own):
        self.media.peer(answer.body)
        self.dialog = {"call_id": call_id, "uri": uri_of(answer.get("Contact")), "to": to, "from": f"{own};tag={tag}"}

    def in_dialog(self, method, extra=(), body="", cseq=None):
        d = self.dialog
        text = self.request(method, d["uri"], d["to"], d["call_id"], self.tag, extra, body, cseq)
        return re.sub(r"(?m)^From: .*?\r$", lambda _: f"From: {d['from']}\r", text, count=1)

    def hang_up(self):
        text = self.in_dialog("BYE")
        self.send(text)
        return self.final("BYE", self.dialog["call_id"], repeat=text)

    def hung_up(self, seconds=60):
        bye = self.expect(lambda m: m.method == "BYE", "BYE", seconds)
        self.reply(bye, 200, "OK")
        return bye


class Beside:
    """Does something beside the test; join() gives what came of it."""

    def __init__(self, work, *args, **kwargs):
        def run():
            try:
                self.value = work(*args, **kwargs)
            except BaseException as error:
                self.error = error

        self.value = self.error = None
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def join(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.value


def talk(alice, bob):
    """One calls the other, who answers."""
    dialling = Beside(alice.dial, bob.number)
    bob.ringing()
    bob.answer()
    dialling.join()


def hear_each_other(a, b):
    """Voices go both ways."""
    a.media.talk("from-a")
    b.media.talk("from-b")
    a.media.hears("from-b")
    b.media.hears("from-a")


def uri_of(contact):
    return re.search(r"<([^>]+)>", contact).group(1)


class Media:
    """Sends a tone as packets of 20 ms and notes which tones come back. The tone is carried as its number in the
    payload, which a relay must not change; loudness is for real phones (tests/interop)."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.port = self.socket.getsockname()[1]
        self.remote, self.heard, self.thread = None, {}, None
        self.stop = threading.Event()

    def peer(self, sdp):
        address = re.search(r"c=IN IP[46] (\S+)", sdp).group(1)
        self.remote = (address, int(re.search(r"m=audio (\d+)", sdp).group(1)))

    def talk(self, tone):
        """Starts to send; tone is any short text that names the speaker."""
        self.socket.settimeout(0.02)
        self.thread = threading.Thread(target=self._run, args=(tone.encode().ljust(160, b"."),), daemon=True)
        self.thread.start()

    def _run(self, payload):
        sequence, ssrc = random.randrange(1000), random.getrandbits(32)
        while not self.stop.is_set():
            sequence += 1
            packet = struct.pack(">BBHII", 0x80, 0, sequence & 0xffff, sequence * 160 & 0xffffffff, ssrc) + payload
            try:
                self.socket.sendto(packet, self.remote)
                got = self.socket.recv(2048)
                name = got[12:].rstrip(b".").decode(errors="replace")
                self.heard[name] = self.heard.get(name, 0) + 1
            except TimeoutError:
                pass
            except OSError:
                return

    def hears(self, tone, packets=5, seconds=60):
        wait_until(lambda: self.heard.get(tone, 0) >= packets, seconds, f"{tone} is heard; heard {self.heard}")

    def close(self):
        self.stop.set()
        if self.thread:
            self.thread.join(2)
        self.socket.close()
