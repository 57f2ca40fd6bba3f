"""Figures of the webhooks: the drain of a backlog to one receiver with keep-alive; rate, CPU and memory.

  python3 tests/load/webhooks.py [--long]     with BELLWIRE=build/release/bellwire

Events are written straight into the database of a stopped server. The receiver is tests/load/sink.mjs (Node), one
process.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from functional.test_webhooks import fill_journal, ok, shown, subscribe  # noqa: E402
from office import Office, free_ports  # noqa: E402


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

    def ask(self):
        self.process.stdin.write("?\n")
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


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--long", action="store_true", help="a million events instead of fifty thousand")
    long = options.parse_args().long
    for name, figures in (("drain", drain(1_000_000 if long else 50_000)),):
        print(f"\n{name}")
        for key, value in figures.items():
            print(f"  {key:32} {value}")


if __name__ == "__main__":
    os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))
    main()
