"""Kills the server again and again under calls, with a receiver of webhooks that dies too, and looks at what was lost.

The receiver is a process of its own (run this file with a port and a file): it writes down each event before it says
thank you, so what it acknowledged it has.
"""
import http.server
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import sipp
from office import Office, free_ports, wait_until

CONFIG = """logging:
  level: WARNING
features:
  webhooks:
    allow_networks: [127.0.0.0/8]
    retry_delay: 1
    subscriptions:
      - url: http://127.0.0.1:{port}/events
        events: ['*']
"""


def receive(port, file):
    lock = threading.Lock()
    out = open(file, "a", buffering=1)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            row = [body["event_id"], body["seq"], body["data"].get("call_id", ""), body.get("call_seq", 0), body["event_type"]]
            with lock:
                out.write(json.dumps(row) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 64

        def handle_error(self, *_):
            pass

    Server(("127.0.0.1", port), Handler).serve_forever()


class ReceiverProcess:
    def __init__(self, port, file):
        self.port, self.file, self.process = port, file, None
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, __file__, str(self.port), str(self.file)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Until it holds its port, free_ports() would hand the same one to somebody else.
        wait_until(self.listens, 60, "the receiver listens")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def rows(self):
        """What it wrote, in order. A kill may leave half a line, which it then never acknowledged."""
        found = []
        if self.file.exists():
            for line in self.file.read_text().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    pass
        return found


def journal_of(server):
    return server.rows("select seq, event_id, type, call_id, call_seq from events order by seq")


def what_is_wrong(journal, received):
    """Sentences; none if every promise of the journal and of the deliveries was kept."""
    wrong = []
    for before, after in zip(journal, journal[1:]):
        if after["seq"] != before["seq"] + 1:
            wrong.append(f"a gap in the journal between {before['seq']} and {after['seq']}")
    calls = {}
    for row in journal:
        if row["call_id"]:
            calls.setdefault(row["call_id"], []).append(row)
    for call, rows in calls.items():
        types = [row["type"] for row in rows]
        if types.count("call.started") != 1 or types.count("call.ended") != 1:
            wrong.append(f"call {call}: {types}")
        if [row["call_seq"] for row in rows] != list(range(1, len(rows) + 1)):
            wrong.append(f"call {call} counts {[row['call_seq'] for row in rows]}")
    by_id = {row["event_id"]: row for row in journal}
    if len(by_id) != len(journal):
        wrong.append("an event_id stands twice in the journal")
    seen, last = set(), {}
    for event_id, seq, call, call_seq, kind in received:
        known = by_id.get(event_id)
        if known is None or (known["seq"], known["call_id"], known["call_seq"], known["type"]) != (seq, call, call_seq, kind):
            wrong.append(f"received {event_id} ({kind}, seq {seq}), which the journal tells otherwise: {known}")
        if event_id in seen:
            continue
        seen.add(event_id)
        if call and call_seq != last.get(call, 0) + 1:
            wrong.append(f"call {call}: {call_seq} came after {last.get(call, 0)}")
        if call:
            last[call] = call_seq
    missing = [row for row in journal if row["event_id"] not in seen]
    if missing:
        wrong.append(f"{len(missing)} events never came, the first: {missing[0]}")
    return wrong


def run(kills, rate, seed, patience=120, say=lambda text: None):
    """`kills` times kill -9 at chosen moments of `rate` calls a second. What came of it, and what is wrong."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        port = free_ports(1)[0]
        receiver = ReceiverProcess(port, folder / "received")
        try:
            with Office(extensions=("1001", "1002"), config=CONFIG.format(port=port)) as server:
                callee = sipp.callee(server, folder, "1002")
                rows = [("1001", sipp.credentials("1001"), "1002")]
                caller = sipp.Sipp("uac", server, folder, free_ports(1)[0], 100_000_000, rate, rows, extra=("-d", "400"))
                try:
                    for number in range(kills):
                        time.sleep(chance.uniform(0.3, 2.0))
                        server.kill()
                        if chance.random() < 0.3:
                            receiver.kill()
                            server.start()
                            time.sleep(chance.uniform(0, 1.5))
                            receiver.start()
                        else:
                            server.start()
                        if number % 20 == 19:
                            say(f"{number + 1} kills, {len(journal_of(server))} events so far")
                    caller.process.send_signal(signal.SIGUSR1)  # no new calls; those that are up go on to their end
                    wait_until(lambda: caller.process.poll() is not None, 180, "the last calls have ended")
                finally:
                    caller.stop()
                for call in server.json("call", "ls"):  # whose caller gave up waiting for a server that was dead
                    server.cli("call", "hangup", call["call_id"], ok=False)
                wait_until(lambda: server.status()["active_calls"] == 0, 120, "no call is left")
                callee.stop()

                def all_told():  # the last words of a call are written down, and told, after it has ended
                    journal, received = journal_of(server), receiver.rows()
                    types = [row["type"] for row in journal]
                    told = {row["event_id"] for row in journal} <= {row[0] for row in received}
                    return types.count("call.started") == types.count("call.ended") and told and (journal, received)

                journal, received = wait_until(all_told, patience, "every event of the journal has come")
        except AssertionError as problem:
            return {"journal": [], "received": receiver.rows()}, [str(problem)]
        finally:
            receiver.kill()
    return {"journal": journal, "received": received}, what_is_wrong(journal, received)


if __name__ == "__main__":
    receive(int(sys.argv[1]), sys.argv[2])
    os._exit(0)
