#!/usr/bin/env python3
"""Whole-server load: sipp as phones, the release binary as the server, CPU from /proc. Every INVITE and REGISTER is
authenticated; call records are written to SQLite. Prints a table; commands and last output: docs/performance.md.

  tests/load/load.py [calls] [registers] [memory] [rtp] [start]     all of them without words
  --rates 50,200,400    calls per second to measure at          --most    climb until calls fail
  --callers N           steady rate of the long memory run      --calls N length of the memory run
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import office as offices  # noqa: E402
import sipp  # noqa: E402
from office import Office, free_ports, wait_until  # noqa: E402

# All calls of a run come from one extension.
QUIET = "logging:\n  level: WARNING\nsecurity:\n  calls_per_extension: 20000\n"


def line(what, value, must=""):
    print(f"| {what} | {value} | {must} |", flush=True)


def office(numbers=("1001", "1002"), rtp_ports=12000, config=QUIET):
    made = Office(extensions=numbers, config=config, rtp_ports=rtp_ports)
    text = re.sub(r"rtp_port_range_start: \d+", "rtp_port_range_start: 44000", made.config_file.read_text())
    made.config_file.write_text(re.sub(r"rtp_port_range_end: \d+", f"rtp_port_range_end: {44000 + rtp_ports}", text))
    return made


def callers(server, folder, count, rate, seconds=None):
    port = free_ports(1)[0]
    rows = [("1001", sipp.credentials("1001"), "1002")]
    caller = sipp.Sipp("uac", server, folder, port, count, rate, rows, extra=("-d", "0"))
    return caller, caller.wait(seconds or count / rate + 40)


def measure_calls(rate, seconds=10):
    with office() as server, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        callee = sipp.callee(server, folder, "1002")
        try:
            callers(server, folder, 50, 50)
            before = server.cpu_seconds()
            caller, figures = callers(server, folder, rate * seconds, rate)
            used = server.cpu_seconds() - before
            wait_until(lambda: server.status()["active_calls"] == 0, 10, "all calls have ended")
        finally:
            callee.stop()
    good = figures["ok"] or 1
    holds = figures["failed"] <= 0.005 * rate * seconds and figures["again"] <= 0.005 * rate * seconds
    return used / good * 1000, figures, holds


def calls(options):
    for rate in options.rates:
        cpu, figures, holds = measure_calls(rate)
        line(f"CPU s per 1,000 calls at {rate}/s (two legs, UDP, no media, INVITE authenticated, records on)",
             f"{cpu:.3f} ({figures['ok']} ok, {figures['failed']} failed, {figures['again']} sent again)", "≤ 0.35, aim 0.12")
    if options.most:
        rate, best = 400, 0
        while True:
            cpu, figures, holds = measure_calls(rate)
            if not holds:
                break
            best, rate = rate, int(rate * 1.25)
        line("most calls/s without failure (≤ 0.5 % failed, ≤ 0.5 % sent again; sipp shares the two cores)",
             f"{best} ({cpu:.3f} CPU s per 1,000 beyond it)")


def registers(_):
    numbers = [f"1{n:04}" for n in range(1000)]
    with office(numbers) as server, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        port = free_ports(1)[0]
        sipp.register(server, folder, port, numbers, 500)
        for rate in (500, 2000):
            count = rate * 8
            before = server.cpu_seconds()
            rows = [(n, sipp.credentials(n)) for n in numbers]
            run = sipp.Sipp("register", server, folder, port, count, rate, rows)
            figures = run.wait(60)
            used = server.cpu_seconds() - before
            line(f"CPU s per 1,000 REGISTERs with digest at {rate}/s (stored before the 200)",
                 f"{used / (figures['ok'] or 1) * 1000:.4f} ({figures['ok']} ok, {figures['failed']} failed, "
                 f"{figures['again']} sent again)", "≤ 0.08, aim 0.03")


def memory(options):
    numbers = [f"1{n:05}" for n in range(8000)]
    with office(["1001", "1002"] + numbers) as server, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        empty = server.resident_bytes()
        sipp.register(server, folder, free_ports(1)[0], numbers, 2000, 120)
        time.sleep(35)  # transactions of the registrations are over
        line("memory per registration (8,000)", f"{(server.resident_bytes() - empty) / len(numbers):.0f} B", "≤ 4096 B")
    with office() as server, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        callee = sipp.callee(server, folder, "1002")
        try:
            callers(server, folder, 500, 200)
            base = server.resident_bytes()
            rows = [("1001", sipp.credentials("1001"), "1002")]
            caller = sipp.Sipp("uac", server, folder, free_ports(1)[0], 1000, 200, rows, extra=("-d", "20000"))
            wait_until(lambda: server.status()["active_calls"] == 1000, 30, "1,000 calls are up")
            line("memory per call (1,000 calls up)", f"{(server.resident_bytes() - base) / 1000:.0f} B", "≤ 40960 B")
            caller.wait(60)
            marks = []
            for _ in range(10):
                callers(server, folder, options.calls // 10, options.callers)
                marks.append(server.resident_bytes())
            line(f"resident memory after each tenth of {options.calls} calls",
                 " ".join(f"{m / 1e6:.1f}" for m in marks) + " MB", "flat")
        finally:
            callee.stop()


def rtp(_):
    program = ROOT / "build/release/tests/load/rtp_load"
    for words in (["--calls", "400", "--seconds", "8"], ["--calls", "1000", "--seconds", "8"]):
        done = subprocess.run([str(program), *words], stdout=subprocess.PIPE, text=True, timeout=300)
        print("\n" + done.stdout, flush=True)


def start(_):
    first, later = [], []
    for _ in range(5):
        server = office()
        for times in (first, later):
            began = time.monotonic()
            server.start_quietly()
            times.append(time.monotonic() - began)
            server.stop()
        server.__exit__(None)
    line("start to first SIP answer (median of 5)", f"{statistics.median(later) * 1000:.0f} ms", "aim 100 ms")
    line("the same, new data directory: keys, an authority, a password that is slow to hash",
         f"{statistics.median(first) * 1000:.0f} ms", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = {"calls": calls, "registers": registers, "memory": memory, "rtp": rtp, "start": start}
    parser.add_argument("what", nargs="*", choices=[*every, []])
    parser.add_argument("--rates", type=lambda text: [int(r) for r in text.split(",")], default=[50, 200, 400])
    parser.add_argument("--most", action="store_true")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--callers", type=int, default=400)
    options = parser.parse_args()
    print(f"{offices.BINARY}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    print("| figure | measured | must |\n|---|---|---|")
    for name in options.what or every:
        every[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
