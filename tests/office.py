"""A running Bellwire for tests: its own data directory, its own ports, its own process; gone afterwards."""
import atexit
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

from claims import claim

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("BELLWIRE", str(ROOT / "build/release/bellwire"))
PASSWORD = "Test-Pass-{}!"


def password(number):
    return PASSWORD.format(number)


class Ports:
    """The ports of this process: a block that no other test has, below those the system gives to outgoing connections
    (32768 and up), or one of them could take the place of a server that is being restarted; and below those baresip
    takes for sound."""
    FIRST, LAST, BLOCK = 21000, 29999, 200

    def __init__(self):
        self.owner = os.getpid()
        block, self.held = claim("ports", (self.LAST - self.FIRST + 1) // self.BLOCK, self.mostly_free)
        atexit.register(self.held.close)
        self.numbers = itertools.cycle(self.of_block(block))

    def of_block(self, block):
        return range(self.FIRST + block * self.BLOCK, self.FIRST + (block + 1) * self.BLOCK)

    def mostly_free(self, block):
        """What is no test may have taken it."""
        return sum(map(self.is_free, self.of_block(block))) > self.BLOCK * 3 // 4

    @staticmethod
    def is_free(port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            try:
                packets.bind(("127.0.0.1", port))
                stream.bind(("127.0.0.1", port))
                return True
            except OSError:
                return False

    def free(self):
        """One that is free on UDP and TCP alike; what was given comes again after all others."""
        for port in itertools.islice(self.numbers, self.BLOCK):
            if self.is_free(port):
                return port
        raise AssertionError(f"none of the {self.BLOCK} ports of this test is free")


_ports = None


def free_ports(count):
    global _ports
    if _ports is None or _ports.owner != os.getpid():
        _ports = Ports()
    return [_ports.free() for _ in range(count)]


def wait_until(check, seconds, what):
    """Looks again every 20 ms; the value that made it true comes back."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Office:
    # Where the media of one begins and the next may: no two that run share a port of it.
    MEDIA_FIRST, MEDIA_STEP, MEDIA_PLACES = 41000, 410, 43

    def __init__(self, extensions=("1001", "1002", "1003", "1004"), config="", host="127.0.0.1", binary=None,
                 rtp_ports=400, namespace=None, secrets=None):
        self.binary = binary or BINARY
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-test-"))
        self.data = self.folder / "data"
        self.host = host
        self.sip, self.tls, self.http, self.https = free_ports(4)
        place, self.media_claim = claim("media", self.MEDIA_PLACES, self.mostly_free)
        self.rtp = self.MEDIA_FIRST + place * self.MEDIA_STEP
        self.namespace = namespace
        self.config_file = self.folder / "config.yml"
        lines = ["server:", f"  sip_host: {host!r}", f"  sip_port: {self.sip}", f"  sip_tls_port: {self.tls}",
                 f"  rtp_port_range_start: {self.rtp}", f"  rtp_port_range_end: {self.rtp + rtp_ports}",
                 "api:", f"  host: {host!r}", f"  port: {self.http}", f"  tls_port: {self.https}", "extensions:"]
        for number in extensions:
            secret = (secrets or {}).get(number, password(number))
            lines += [f"  - number: '{number}'", f"    name: 'Person {number}'", f"    password: '{secret}'"]
        self.config_file.write_text("\n".join(lines) + "\n" + config)
        self.process = None
        self.log = self.folder / "server.log"

    def mostly_free(self, place):
        """A server that is no test's may have ports of it, as the sockets of any program may have one or another."""
        first = self.MEDIA_FIRST + place * self.MEDIA_STEP
        taken = 0
        for port in range(first, first + self.MEDIA_STEP, 2):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    taken += 1
        return taken < self.MEDIA_STEP // 20

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is not None:
            print(self.log.read_text()[-8000:])
        shutil.rmtree(self.folder, ignore_errors=True)
        self.media_claim.close()

    def command(self, *words):
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return inside + [self.binary, *words]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command("serve", "--config", str(self.config_file), "--data", str(self.data)),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: self.alive() and self.answers(), 120, "the server answers")
        except AssertionError as late:
            raise AssertionError(f"{late}; log: {self.log.read_text()[-2000:]}") from None

    def start_quietly(self):
        """As start(), but waits for the answer to an OPTIONS: what a phone would see."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command("serve", "--config", str(self.config_file), "--data", str(self.data)),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.005)
            probe.connect((self.host, self.sip))
            port = probe.getsockname()[1]
            text = (f"OPTIONS sip:{self.host} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{port};branch=z9hG4bKstart\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:probe@{self.host}>;tag=1\r\nTo: <sip:{self.host}>\r\n"
                    "Call-ID: start\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()

            def answered():
                try:
                    probe.send(text)
                    return probe.recv(2000)
                except OSError:
                    return None

            wait_until(lambda: self.alive() and answered(), 60, "an answer to OPTIONS")

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
        return True

    def answers(self):
        done = subprocess.run(self.command("status", "--json", "--data", str(self.data)), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        return done.returncode == 0

    def cli(self, *words, ok=True):
        done = subprocess.run(self.command(*words, "--data", str(self.data)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300)
        if ok and done.returncode != 0:
            raise AssertionError(f"bellwire {' '.join(words)} ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.cli(*words, "--json"))

    def status(self):
        return self.json("status")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop within 60 s of SIGTERM")
        if self.process.returncode != 0:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-6000:]}")

    def rows(self, sql, *values):
        """Straight from the database file, read only."""
        with sqlite3.connect(f"file:{self.data / 'bellwire.db'}?mode=ro", uri=True, timeout=60) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql, values)]

    def change(self, sql, *values):
        """Of the database file of a server that does not run."""
        with sqlite3.connect(self.data / "bellwire.db", timeout=60) as database:
            database.execute(sql, values)

    def cpu_seconds(self):
        """User and system time of all threads of the server so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024
