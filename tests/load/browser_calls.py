#!/usr/bin/env python3
"""What calls of browsers cost the server: sessions over HTTP, checks, DTLS, SRTP, 50 packets a second each way, all heard.
CPU from /proc, user and system, all threads. Prints a table; commands and last output: docs/performance.md.

  tests/load/browser_calls.py [pages] [phones] [transcoded]     all of them without words
  --calls N             at a time, at most 100            --seconds S    that are measured
"""
import argparse
import contextlib
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import office as offices  # noqa: E402
from crowd import Crowd  # noqa: E402
from load import line  # noqa: E402
from office import Office  # noqa: E402

QUIET = "logging:\n  level: WARNING\n"


def numbers(first, count):
    return [str(first + n) for n in range(count)]


class Crowded:
    """An office with so many calls up, each heard both ways."""

    def __init__(self, calls, phones=None):
        self.callers, self.callees = numbers(2000, calls), numbers(3000, calls)
        self.phones = phones  # the codec of the called; none: pages

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.office = stack.enter_context(Office(extensions=self.callers + self.callees, config=QUIET, rtp_ports=1000))
            self.crowd = stack.enter_context(Crowd(self.office, pace_us=100))
            self.call()
            self.stack = stack.pop_all()
        return self

    def call(self):
        empty = self.office.resident_bytes()
        pages = [self.crowd.page(n) for n in self.callers]
        others = [self.crowd.phone(n, self.phones) if self.phones else self.crowd.page(n) for n in self.callees]
        self.sessions = pages if self.phones else pages + others
        self.crowd.wait_connected(self.sessions)
        self.per_session = (self.office.resident_bytes() - empty) / len(self.sessions)
        self.pairs = list(zip(pages, others))
        for a, b in self.pairs:
            a.calls(b)
        self.crowd.all_hear(self.pairs)

    def __exit__(self, *_):
        self.stack.close()

    def cpu_per_hundred_calls(self, seconds):
        """In per cent of a core; the least of three: others share the machine."""
        least = []
        for _ in range(3):
            used, began = self.office.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            least.append((self.office.cpu_seconds() - used) / (time.monotonic() - began))
        self.crowd.all_hear(self.pairs)
        return ", ".join(f"{share * 100 * 100 / len(self.pairs):.1f} %" for share in sorted(least))


def pages(options):
    with Crowded(options.calls) as crowd:
        line("sessions connected; calls heard both ways, each side by its own tone", f"{len(crowd.sessions)}; {len(crowd.pairs)}", "all")
        line("memory per session (with its login and its live stream)", f"{crowd.per_session / 1024:.0f} KiB")
        line("of a core per 100 calls browser ↔ browser (three times)", crowd.cpu_per_hundred_calls(options.seconds), "aim ≤ 12 %")


def phones(options):
    with Crowded(options.calls, "opus") as crowd:
        line("of a core per 100 calls browser ↔ phone, Opus", crowd.cpu_per_hundred_calls(options.seconds), "aim ≤ 12 %")


def transcoded(options):
    with Crowded(options.calls, "pcmu") as crowd:
        line("of a core per 100 calls browser ↔ phone, Opus ↔ G.711", crowd.cpu_per_hundred_calls(options.seconds), "aim ≤ 45 %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = {"pages": pages, "phones": phones, "transcoded": transcoded}
    parser.add_argument("what", nargs="*", choices=[*every, []])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    print(f"{offices.BINARY}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print("| figure | measured | must |\n|---|---|---|")
    for name in options.what or every:
        every[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
