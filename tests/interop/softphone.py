"""baresip as a telephone: registered at an Office, driven over its control port, its ears written to WAV files."""
import json
import math
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import wave

from office import free_ports, password, wait_until

MODULES = "/usr/lib/baresip/modules"


class Baresip:
    """Needs a network namespace with an interface that is not loopback (see netns.py)."""

    def __init__(self, number, office_address, transport="udp", tone=440, namespace=None, source=None, options="",
                 answer="auto", secret=None, codecs="PCMU/8000/1", events=True):
        """`events`: whether it knows telephone-event. It has no way not to: its library is copied under another word."""
        self.number = number
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"baresip-{number}-"))
        self.namespace = namespace
        self.control_port, self.sip_port = free_ports(2)
        self.buffer = b""
        self.events, self.replies = [], []
        host, port = office_address
        shown = f"[{host}]" if ":" in host else host
        (self.folder / "config").write_text(f"""
poll_method epoll
sip_listen {source or '0.0.0.0'}:{self.sip_port}
sip_verify_server no
call_max_calls 4
audio_path /usr/share/baresip
ring_aufile none
audio_source ausine,{tone}
audio_player aubridge,{number}
audio_alert aubridge,alert
audio_level no
ausrc_srate 48000
auplay_srate 8000
ausrc_channels 2
auplay_channels 1
rtp_tos 184
rtp_ports 30000-39998
rtcp_mux no
jitter_buffer_delay 1-5
rtp_stats no
net_prefer_ipv6 {'yes' if ':' in host else 'no'}
module_path {MODULES}
module g711.so
module g722.so
module opus.so
module ausine.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{self.control_port}
snd_path {self.folder}
""")
        (self.folder / "accounts").write_text(
            f"<sip:{number}@{shown}:{port};transport={transport}>;auth_pass={secret or password(number)}"
            f";answermode={answer};audio_codecs={codecs};regint=60{options}\n")
        (self.folder / "contacts").write_text("")
        self.log = open(self.folder / "log", "wb")
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        environment = dict(os.environ)
        if not events:
            loaded = subprocess.run(["ldd", shutil.which("baresip")], capture_output=True, text=True, check=True).stdout
            library = pathlib.Path(re.search(r"libre\.so\S* => (\S+)", loaded)[1])
            text = library.read_bytes()
            assert b"telephone-event" in text
            (self.folder / library.name).write_bytes(text.replace(b"telephone-event", b"in-band-or-none"))
            environment["LD_LIBRARY_PATH"] = str(self.folder)
        self.process = subprocess.Popen(inside + ["baresip", "-f", str(self.folder)], stdout=self.log,
                                        stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.folder, env=environment)
        self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if kind is not None:
            print(f"--- baresip {self.number}\n" + (self.folder / "log").read_text(errors="replace")[-3000:])
        self.log.close()
        if self.socket:
            self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- control (JSON in netstrings) ----

    def connect(self):
        if self.socket:
            return
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            if self.namespace:
                there = os.open(f"/run/netns/{self.namespace}", os.O_RDONLY)
                setns(there)
                os.close(there)
            self.socket = wait_until(self._try, 60, f"baresip {self.number} listens for commands")
        finally:
            setns(own)
            os.close(own)

    def _try(self):
        try:
            return socket.create_connection(("127.0.0.1", self.control_port), 1)
        except OSError:
            return None

    def command(self, command, params=""):
        self.connect()
        text = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text + b",")

    def pump(self):
        """Takes in what has come; the events seen so far."""
        self.connect()
        self.socket.settimeout(0.02)
        try:
            self.buffer += self.socket.recv(65536)
        except TimeoutError:
            pass
        while b":" in self.buffer:
            length, rest = self.buffer.split(b":", 1)
            size = int(length)
            if len(rest) < size + 1:
                break
            message = json.loads(rest[:size])
            self.buffer = rest[size + 1:]
            (self.events if message.get("event") else self.replies).append(message)
        return self.events

    def wait_for(self, kind, seconds=60):
        return wait_until(lambda: next((e for e in self.pump() if e["type"] == kind), None), seconds,
                          f"baresip {self.number} sees {kind}; saw {[e['type'] for e in self.events]}")

    def wait_registered(self, seconds=60):
        # The event may have come before we listened: its table of accounts tells as well.
        def registered():
            self.command("reginfo")
            time.sleep(0.1)
            self.pump()
            return any("OK" in reply.get("data", "") for reply in self.replies)

        wait_until(registered, seconds, f"baresip {self.number} is registered")

    def dial(self, target):
        self.command("dial", target)

    def accept(self):
        self.command("accept")

    def hang_up(self):
        self.command("hangup")

    # ---- ears ----

    def heard(self):
        """What came from the other side so far: (sample rate, samples)."""
        newest = max(self.folder.glob("*dec.wav"), key=lambda p: p.stat().st_mtime, default=None)
        if newest is None:
            return 8000, []
        raw = newest.read_bytes()
        channels, rate = struct.unpack_from("<HI", raw, 22)
        data = raw.find(b"data")
        body = raw[data + 8:]
        return rate, struct.unpack(f"<{len(body) // 2}h", body[:len(body) // 2 * 2])[::channels]

    def hears(self, frequency, seconds=60):
        wait_until(lambda: self.loudest() is not None and abs(self.loudest() - frequency) < 15, seconds,
                   f"{self.number} hears {frequency} Hz; hears {self.loudest()}")

    def loudest(self):
        rate, samples = self.heard()
        return loudest_tone(samples[-rate:], rate) if len(samples) >= rate // 2 else None


def setns(fd):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def loudest_tone(samples, rate):
    """The strongest of 200, 205, … 2000 Hz by Goertzel's algorithm; None if it is quiet or not a tone."""
    energy = sum(s * s for s in samples) / max(len(samples), 1)
    if energy < 1000:
        return None
    best, power = None, 0.0
    for frequency in range(200, 2000, 10):
        w = 2 * math.cos(2 * math.pi * frequency / rate)
        a = b = 0.0
        for s in samples[:2000]:
            a, b = s + w * a - b, a
        p = a * a + b * b - w * a * b
        if p > power:
            best, power = frequency, p
    return best
