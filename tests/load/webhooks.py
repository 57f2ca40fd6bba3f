#!/usr/bin/env python3
"""Figures of the webhooks: the drain of a backlog, how old events are when they come, bad receivers beside a good one,
and what telling costs.

  tests/load/webhooks.py [drain] [latency] [neighbours] [cost] [--long]

For the drain, events are written straight into the database of a stopped server. The receiver is tests/load/sink.mjs (Node), one
process.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/load")]
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import load  # noqa: E402
import sipp  # noqa: E402
from functional.test_webhooks import fill_journal, ok, shown, subscribe  # noqa: E402
from office import Office, free_ports, wait_until  # noqa: E402
from receiver import Receiver  # noqa: E402


class Sink:
    """Counts what it gets; says so every time it is asked."""

    def __init__(self):
        self.port, = free_ports(1)
        self.process = subprocess.Popen(["node", str(ROOT / "tests/load/sink.mjs"), str(self.port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, wish="?"):
        self.process.stdin.write(wish + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def drain(count):
    """A backlog written while the server was down: rate, memory and CPU until it is gone."""
    with Sink() as sink, Office(config="features:\n  webhooks:\n    allow_networks: [127.0.0.0/8]\n") as server:
        hook = subscribe(server, sink.url())
        server.stop()
        fill_journal(server, count)
        server.start()
        begin, cpu, memory = time.monotonic(), server.cpu_seconds(), server.resident_bytes()
        most = memory
        already = sink.ask()["count"]
        while shown(server, hook)["pending"]:
            most = max(most, server.resident_bytes())
            time.sleep(0.2)
            assert time.monotonic() - begin < 3600, "the backlog does not shrink"
        seconds, got = time.monotonic() - begin, sink.ask()
        assert got["distinct"] == got["count"], got
        sent = got["count"] - already
        return {"events": sent, "events/s": round(sent / seconds), "CPU of the server, us/event":
                round((server.cpu_seconds() - cpu) / sent * 1e6, 1),
                "memory at the start, MB": round(memory / 1e6, 1), "most, MB": round(most / 1e6, 1),
                "out of order": got["disorder"]}


class Deaf:
    """Takes connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


CALM = ("logging:\n  level: WARNING\nsecurity:\n  calls_per_extension: 20000\n"
        "features:\n  webhooks:\n    allow_networks: [127.0.0.0/8]\n")


class Calls:
    """sipp calling through the server at a steady rate; `with` it."""

    def __init__(self, server, calls, rate):
        self.server, self.calls, self.rate = server, calls, rate
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        folder = pathlib.Path(self.folder.name)
        self.callee = sipp.callee(self.server, folder, "1002")
        rows = [("1001", sipp.credentials("1001"), "1002")]
        self.caller = sipp.Sipp("uac", self.server, folder, free_ports(1)[0], self.calls, self.rate, rows,
                                extra=("-d", "0"))
        return self

    def figures(self):
        return self.caller.wait(self.calls / self.rate + 40)

    def __exit__(self, *_):
        self.caller.stop()
        self.callee.stop()
        self.folder.cleanup()


def office():
    return load.office(config=CALM)


def told(sink, server, rate, seconds, already=0):
    """Age of the events of `rate` calls a second when they came."""
    with Calls(server, int(rate * seconds), rate) as calls:
        figures = calls.figures()
        wait_until(lambda: server.status()["active_calls"] == 0, 30, "no call is left")
        time.sleep(2)
    got = sink.ask("new")
    return {"calls": figures["ok"], "calls failed": figures["failed"], "events": got["aged"],
            "events/s": round(got["aged"] / seconds), "age p50, ms": got["p50"], "age p99, ms": got["p99"],
            "out of order": got["disorder"]}


def latency(seconds):
    with Sink() as sink, office() as server:
        subscribe(server, sink.url(), events=["call.*"])
        told(sink, server, 50, 2)
        return told(sink, server, 125, seconds)


def neighbours(seconds):
    """The good receiver alone, then beside one that hangs, one that refuses, one that says 500, one that resets."""
    with Sink() as sink, office() as server:
        subscribe(server, sink.url(), events=["call.*"])
        told(sink, server, 50, 2)
        alone = told(sink, server, 125, seconds)
        deaf, refused = Deaf(), free_ports(1)[0]
        with Receiver(answer=500) as failing, Receiver(answer=lambda _: None) as resetting:
            for url in (f"http://127.0.0.1:{deaf.port}/", f"http://127.0.0.1:{refused}/", failing.url(), resetting.url()):
                subscribe(server, url, events=["call.*"])
            beside = told(sink, server, 125, seconds)
        deaf.close()
    return {"alone: age p50, p99, ms": f"{alone['age p50, ms']}, {alone['age p99, ms']}",
            "beside: age p50, p99, ms": f"{beside['age p50, ms']}, {beside['age p99, ms']}",
            "events": f"{alone['events']}, {beside['events']}", "out of order": beside["out of order"]}


def cost(rate, seconds):
    """CPU of the server for a thousand calls: with the journal alone, with one webhook for calls, with one for all."""
    figures = {}
    for name, events in (("journal, nobody listens", None), ("one webhook, call.*", ["call.*"]), ("one webhook, *", ["*"])):
        with Sink() as sink, office() as server:
            if events:
                subscribe(server, sink.url(), events=events)
            with Calls(server, int(rate * seconds), rate) as calls:
                time.sleep(1)
                before = server.cpu_seconds()
                done = calls.figures()
                wait_until(lambda: server.status()["active_calls"] == 0, 30, "no call is left")
                time.sleep(1)
            used = server.cpu_seconds() - before
            figures[f"{rate}/s, {name}: CPU s per 1,000 calls"] = f"{used / (done['ok'] or 1) * 1000:.3f} ({done['ok']} calls)"
    return figures


def main():
    every = {
        "drain": ("a backlog after an outage", lambda long: drain(1_000_000 if long else 50_000)),
        "latency": ("from event to receiver at 500 events/s", lambda long: latency(60 if long else 15)),
        "neighbours": ("a good receiver beside bad ones", lambda long: neighbours(30 if long else 10)),
        "cost": ("at 400 calls/s, and at 60 % of the most", lambda long: cost(400, 20 if long else 10) | cost(800, 10)),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="a million events instead of fifty thousand, longer runs")
    parser.add_argument("what", nargs="*", choices=[*every, []])
    options = parser.parse_args()
    print(f"{os.environ['BELLWIRE']}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for name in options.what or every:
        title, run = every[name]
        print(f"\n{name}: {title}", flush=True)
        for key, value in run(options.long).items():
            print(f"  {key:45} {value}", flush=True)


if __name__ == "__main__":
    main()
