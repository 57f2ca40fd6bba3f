#!/usr/bin/env python3
"""Honest requests while a thousand clients are slow: at sending headers, at sending a body, at reading. Prints a table.

  tests/load/slow_clients.py [--clients 1000] [--seconds 20]      the release binary, or $BELLWIRE
"""
import argparse
import os
import pathlib
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import office as offices  # noqa: E402
from functional.test_transports import Answering  # noqa: E402
from office import Office  # noqa: E402
from softphone import Phone, hear_each_other  # noqa: E402

QUIET = "logging:\n  level: WARNING\n"


class SlowClients:
    """Sockets that drip: each of its kind sends a byte in turn, and opens again when it is sent away."""

    BEGIN = {
        "headers": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "body": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
        "reading": b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 4,
    }

    def __init__(self, address, count):
        self.address, self.open, self.again = address, [], 0
        self.stopping = threading.Event()
        kinds = list(self.BEGIN)
        for i in range(count):
            self.open.append(self._connect(kinds[i % len(kinds)]))
        self.thread = threading.Thread(target=self._drip)
        self.thread.start()

    def _connect(self, kind):
        made = socket.socket()
        if kind == "reading":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(60)
        made.connect(self.address)
        made.setblocking(False)
        try:
            made.send(self.BEGIN[kind])
        except OSError:
            pass
        return made, kind

    def _drip(self):
        turn = 0
        while not self.stopping.wait(0.01):
            for i in range(turn % 100, len(self.open), 100):  # each about once a second
                made, kind = self.open[i]
                try:
                    if kind != "reading":
                        made.send(b"x")
                        if made.recv(1000) == b"":
                            raise ConnectionError
                except BlockingIOError:
                    pass
                except OSError:
                    made.close()
                    self.again += 1
                    try:
                        self.open[i] = self._connect(kind)
                    except OSError:
                        pass
            turn += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()
        for made, _ in self.open:
            made.close()


def ask(address, seconds, pause=0.01):
    """Times of requests, one after another, on a new connection every tenth time. From an address of its own: what one
    address may ask is limited, and the slow ones ask much."""
    times, made = [], None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        if made is None:
            made = socket.create_connection(address, 10, source_address=("127.0.0.2", 0))
        made.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while b'"status"' not in answer:
            part = made.recv(4096)
            if not part:
                raise AssertionError("an honest client was sent away")
            answer += part
        times.append(time.monotonic() - began)
        if len(times) % 10 == 0:
            made.close()
            made = None
        time.sleep(pause)
    return sorted(times)


def call(office):
    """Somebody calls and is heard, both ways; how long until the answer."""
    with Phone("1001", office) as a, Phone("1002", office, "tcp") as b:
        a.register()
        b.register()
        answering = Answering(b)
        began = time.monotonic()
        a.dial("1002")
        took = time.monotonic() - began
        answering.join()
        hear_each_other(a, b)
        a.hang_up()
        b.hung_up()
    return took


def row(what, times):
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"| {what} | {len(times)} | {at(0.5):.1f} | {at(0.99):.1f} | {times[-1] * 1000:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    print(f"{offices.BINARY}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    with Office(config=QUIET) as office:
        address = (office.host, office.http)
        quiet = ask(address, options.seconds / 4)
        quiet_call = call(office)
        slow = SlowClients(address, options.clients)
        try:
            before = office.cpu_seconds()
            times = ask(address, options.seconds)
            used = office.cpu_seconds() - before
            slow_call = call(office)
        finally:
            slow.stop()
        print("| GET /health | requests | median ms | p99 ms | most ms |\n|---|---|---|---|---|")
        row("nobody else", quiet)
        row(f"{options.clients} slow clients (must: p99 <= 50)", times)
        print(f"\nA call was answered after {quiet_call * 1000:.0f} ms before, {slow_call * 1000:.0f} ms among the slow; "
              f"sent away and come again: {slow.again}; CPU of the server: {used / options.seconds * 100:.1f} %.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
