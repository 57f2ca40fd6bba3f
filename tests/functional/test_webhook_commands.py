"""`bellwire webhook …` with the real program, and deliveries judged by the published package of Standard Webhooks."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import node_packages
from functional.test_webhooks import register, shown, subscribe
from office import BINARY, Office, free_ports, wait_until
from receiver import Receiver, ok

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = b'{"event_id":"e-1","event_type":"call.ended","timestamp":"2026-01-01T00:00:00.000Z","seq":7,"data":{"call_id":"c-1"}}'


def office():
    return Office(config="features:\n  webhooks:\n    allow_networks: [127.0.0.0/8]\n    timeout: 60\n")


class Running:
    """A program whose lines are kept as they come."""

    def __init__(self, test, *words, secret=None):
        environment = {**os.environ, **({"BELLWIRE_WEBHOOK_SECRET": secret} if secret else {})}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        env=environment)
        self.out, self.said = [], []
        self.threads = [threading.Thread(target=self.keep, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.said))]
        for thread in self.threads:
            thread.start()
        test.addCleanup(self.end)

    @staticmethod
    def keep(pipe, lines):
        for line in pipe:
            lines.append(line.decode().rstrip("\n"))

    def line(self, lines, number):
        """The line of that number, once it is there."""
        wait_until(lambda: len(lines) > number or self.process.poll() is not None, 60, f"line {number + 1}")
        return lines[number]

    def find(self, lines, wanted):
        """The first line that is wanted; a delivery that was slow to be acknowledged may have come twice."""
        return wait_until(lambda: next((line for line in lines if wanted(line)), None), 60, "the line wanted")

    def end(self, by=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(by)
        code = self.process.wait(120)
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def listening(test, *words, secret=None):
    listener = Running(test, BINARY, "webhook", "listen", "--port", "0", *words, secret=secret)
    listener.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", listener.line(listener.said, 0)).group(1))
    return listener


def post(port, body, headers, method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request(method, "/hook", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def signed(body, secret=SECRET, at=None, identity="e-1"):
    at = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    standard = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    return {"X-Webhook-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
            "webhook-id": identity, "webhook-timestamp": at, "webhook-signature": "v1," + base64.b64encode(standard).decode()}


def exit_code(server, *words):
    done = subprocess.run(server.command(*words, "--data", str(server.data)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


class Commands(unittest.TestCase):
    def test_from_adding_one_to_removing_it(self):
        with Receiver() as receiver, office() as server:
            added = server.cli("webhook", "add", "--event", "extension.registered", "--event", "call.*", "--extension", "1001",
                               "--header", "Authorization:  Bearer mine ", "--secret", SECRET, receiver.url())
            identity = re.match(r"id: (\S+)\n", added).group(1)
            hook, = server.json("webhook", "ls")
            self.assertEqual((hook["id"], hook["url"], hook["events"], hook["extensions"], hook["headers"], hook["signed"]),
                             (identity, receiver.url(), ["extension.registered", "call.*"], ["1001"], ["Authorization"], True))
            self.assertRegex(server.cli("webhook", "ls"), rf"ID +STATE .*\n{identity} +active .*{re.escape(receiver.url())}")

            tested = server.cli("webhook", "test", identity)
            self.assertIn(f"POST {receiver.url()}", tested)
            self.assertIn("answer: 200 after", tested)
            self.assertNotIn("Bearer mine", tested)
            self.assertTrue(server.json("webhook", "test", identity)["success"])
            self.assertEqual([d.headers["Authorization"] for d in receiver.got("webhook.test")], ["Bearer mine"] * 2)

            register(server, "1001", "1002")
            event = receiver.wait_for(1, "extension.registered")[0]
            wait_until(lambda: shown(server, hook)["success_count"] >= 1, 60, "it is acknowledged")
            log = server.json("webhook", "deliveries", identity)
            self.assertIn(("extension.registered", event.event_id, 200),
                          [(d["event_type"], d["event_id"], d["status"]) for d in log])
            self.assertEqual(len(server.json("webhook", "deliveries", identity, "--limit", "1")), 1)
            self.assertRegex(server.cli("webhook", "deliveries", identity), rf"extension\.registered +{event.event_id} +1 +200 ")

            self.assertIn("sent again", server.cli("webhook", "replay", identity, "--event", event.event_id))
            again = receiver.wait_for(2, "extension.registered")
            self.assertEqual({d.event_id for d in again}, {event.event_id})
            wait_until(lambda: not shown(server, hook)["replaying"], 60, "the replay is over")
            server.cli("webhook", "replay", identity, "--since", "2020-01-01T00:00:00Z", "--json")
            receiver.wait_for(3, "extension.registered")

            changed = server.json("webhook", "change", identity, "--event", "call.ended", "--all-extensions", "--disable")
            self.assertEqual([changed["subscription"][k] for k in ("events", "extensions", "state", "url", "headers")],
                             [["call.ended"], [], "disabled", receiver.url(), ["Authorization"]])
            said = server.cli("webhook", "change", identity, "--enable", "--url", receiver.url("/new"), "--no-headers")
            self.assertIn("state: active", said)
            hook, = server.json("webhook", "ls")
            self.assertEqual((hook["events"], hook["url"], hook["headers"]), (["call.ended"], receiver.url("/new"), []))

            said = server.cli("webhook", "rotate", identity)
            secret = re.search(r"^secret: (whsec_\S+)$", said, re.M).group(1)
            server.cli("webhook", "test", identity)
            delivery = receiver.got("webhook.test")[-1]
            self.assertEqual(delivery.path, "/new")
            self.assertEqual(len(delivery.headers["webhook-signature"].split()), 2)
            mac = hmac.new(secret.encode(), delivery.raw, hashlib.sha256).hexdigest()
            self.assertEqual(delivery.headers["X-Webhook-Signature"], "sha256=" + mac)
            self.assertNotIn("secret", server.json("webhook", "rotate", identity, "--secret", SECRET))

            self.assertIn("removed", server.cli("webhook", "rm", identity))
            self.assertEqual(server.json("webhook", "ls"), [])
            server.cli("webhook", "add", receiver.url("/?a=b&c"))
            self.assertEqual(server.json("webhook", "rm", receiver.url("/?a=b&c"))["count"], 1)
            self.assertEqual(server.json("webhook", "ls"), [])

    def test_a_secret_that_is_typed_goes_before_that_of_the_environment(self):
        with Receiver() as receiver, office() as server:
            for words, secret in ((["--secret", "typed-by-hand"], b"typed-by-hand"), ([], b"of-the-environment")):
                command = server.command("webhook", "add", receiver.url(), *words, "--json", "--data", str(server.data))
                added = subprocess.run(command, stdout=subprocess.PIPE, timeout=60,
                                       env={**os.environ, "BELLWIRE_WEBHOOK_SECRET": "of-the-environment"})
                server.cli("webhook", "test", json.loads(added.stdout)["subscription"]["id"])
                delivery = receiver.got("webhook.test")[-1]
                self.assertEqual(delivery.headers["X-Webhook-Signature"],
                                 "sha256=" + hmac.new(secret, delivery.raw, hashlib.sha256).hexdigest(), words)

    def test_an_address_that_is_not_reached_is_told_when_it_is_named(self):
        with Receiver() as receiver, office() as server:
            for url, why in (("http://10.1.2.3/", "10.1.2.3: it is a private address"), ("http://[::1]:9000/x", "::1: it is a loopback"),
                             ("https://169.254.1.1", "169.254.1.1: it is ")):
                with self.subTest(url=url):
                    added = server.json("webhook", "add", url)
                    self.assertIn(why, added["warning"])
                    self.assertIn("allow_networks", added["warning"])
                    code, out, said = exit_code(server, "webhook", "change", added["subscription"]["id"], "--event", "call.*")
                    self.assertEqual((code, why in said), (0, True), said)
            for url in (receiver.url(), "http://localhost:9000/", "http://192.88.99.1.example/", "http://10.1.2.3.example/"):
                self.assertNotIn("warning", server.json("webhook", "add", url), url)
            self.assertEqual(len(server.json("webhook", "ls")), 7, "added all the same")
            said = server.cli("webhook", "add", receiver.url("/next"))
            identity, = re.findall(r"^id: (wh_\w+)$", said, re.M)
            self.assertIn(f"`bellwire webhook test {identity}`", said)

    def test_refusals_are_sentences_with_their_exit_codes(self):
        with Receiver(lambda _: 500) as receiver, office() as server:
            code, out, said = exit_code(server, "webhook", "add", "ftp://127.0.0.1/")
            self.assertEqual((code, out), (5, ""))
            self.assertIn("http", said)
            code, out, said = exit_code(server, "webhook", "add", receiver.url(), "--header", "no colon")
            self.assertEqual(code, 2, said)
            for words in (["change", "--enable"], ["rotate"], ["rm"], ["test"], ["deliveries"], ["replay"]):
                self.assertEqual(exit_code(server, "webhook", *words, "nobody")[0], 5, words)
                self.assertEqual(exit_code(server, "webhook", *words)[0], 2, words)
            hook = server.json("webhook", "add", receiver.url())["subscription"]
            for words in ([], ["--enable", "--disable"], ["--header", "no colon"]):
                self.assertEqual(exit_code(server, "webhook", "change", hook["id"], *words)[0], 2, words)
            code, out, said = exit_code(server, "webhook", "test", hook["id"])
            self.assertEqual(code, 5, said)
            self.assertIn("answer: 500", out)
            code, out, said = exit_code(server, "webhook", "test", hook["id"], "--json")
            self.assertEqual((code, json.loads(out)["success"]), (5, False))
            code, out, said = exit_code(server, "webhook", "replay", hook["id"], "--since", "yesterday")
            self.assertEqual(code, 5)
            self.assertIn("since must be a date", said)
            server.stop()
            for words in (["ls"], ["add", receiver.url()], ["test", hook["id"]]):
                self.assertEqual(exit_code(server, "webhook", *words)[0], 4, words)


class Listen(unittest.TestCase):
    def test_it_checks_and_shows_real_deliveries_also_while_the_secret_is_changed(self):
        listener = listening(self, "--secret", SECRET)
        as_json = listening(self, "--json")
        with office() as server:
            hook = subscribe(server, f"http://127.0.0.1:{listener.port}/", secret=SECRET, events=["extension.registered"])
            subscribe(server, f"http://127.0.0.1:{as_json.port}/", events=["extension.registered"])
            register(server, "1001")
            self.assertRegex(listener.line(listener.out, 0),
                             r"^ *\d+  \d{4}-\d\d-\d\dT[\d:.]+Z  extension\.registered .*extension=1001")
            event = json.loads(as_json.line(as_json.out, 0))
            self.assertEqual((event["event_type"], event["data"]["extension"]), ("extension.registered", "1001"))
            ok(server, "POST", f"/api/webhooks/{hook['id']}/rotate-secret", {})
            register(server, "1002")
            listener.find(listener.out, lambda line: "extension=1002" in line)
            wait_until(lambda: shown(server, hook)["success_count"] == 2, 60, "both are acknowledged")
            self.assertRegex(server.cli("webhook", "test", hook["id"]), r'answer: 200 after [\d.]+ ms  \{"success":true\}\n$')
        self.assertEqual(len(listener.said), 1, listener.said)
        self.assertEqual(listener.end(by=signal.SIGINT), 0)
        self.assertEqual(as_json.end(by=signal.SIGTERM), 0)

    def test_what_is_not_genuine_is_refused_and_not_shown(self):
        listener = listening(self, secret=SECRET)
        good = signed(EVENT)
        self.assertEqual(post(listener.port, EVENT, good), 200)
        forged = [(EVENT.replace(b"c-1", b"c-2"), good), (EVENT, {}), (EVENT, {**good, "webhook-id": "e-2"}),
                  (EVENT, {**good, "X-Webhook-Signature": "sha256=" + "0" * 64}), (EVENT, signed(EVENT, "whsec_" + "A" * 32)),
                  (EVENT, {**good, "webhook-signature": "v1,AAAA v1,  v2,"}), (EVENT, signed(EVENT, at=time.time() - 900)),
                  (EVENT, signed(EVENT, at=time.time() + 900)), (EVENT, signed(EVENT, at=2 ** 63 - 1))]
        for body, headers in forged:
            self.assertEqual(post(listener.port, body, headers), 401, (body, headers))
        self.assertEqual(post(listener.port, EVENT, {**good, "webhook-signature": "v1,AAAA " + good["webhook-signature"]}), 200)
        self.assertEqual(post(listener.port, None, {}, "GET"), 405)
        self.assertEqual(post(listener.port, b"[1]", good), 400)
        wait_until(lambda: len(listener.said) == 1 + len(forged) + 2, 60, "each refusal is told")
        self.assertEqual(listener.end(by=signal.SIGINT), 0)
        self.assertEqual(len(listener.out), 2, listener.out)
        self.assertIn("X-Webhook-Signature does not fit", listener.said[1])
        self.assertIn("more than five minutes off", listener.said[7])

    def test_hostile_input_is_bounded_and_cannot_write_to_the_terminal(self):
        listener = listening(self)
        evil = json.dumps({"event_type": "x\x1b[2J\u009b31m", "data": {"a\nb": "c\nd" + "y" * 500_000}}, ensure_ascii=False)
        self.assertEqual(post(listener.port, evil.encode(), {}), 200)
        self.assertEqual(post(listener.port, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}), 400)
        self.assertEqual(post(listener.port, b'{"a": "\xff"}', {}), 400)
        with socket.create_connection(("127.0.0.1", listener.port), timeout=300) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            self.assertIn(b" 413 ", client.recv(4096))
        self.assertEqual(post(listener.port, EVENT, {}), 200)
        self.assertIn("call.ended", listener.line(listener.out, 1))
        self.assertLess(len(listener.out[0]), 20_000)
        self.assertRegex("".join(listener.out + listener.said), r"^[^\x00-\x1f\x7f-\x9f]*$")

    def test_a_port_in_use_and_a_reader_that_leaves(self):
        listener = listening(self)
        taken = subprocess.run([BINARY, "webhook", "listen", "--port", str(listener.port)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(taken.returncode, 3, taken.stderr)
        self.assertIn(str(listener.port), taken.stderr)
        port, = free_ports(1)
        process = subprocess.Popen([BINARY, "webhook", "listen", "--port", str(port)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stderr.readline()
        process.stdout.close()
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may end before it answers
            post(port, EVENT, {})
        self.assertEqual(process.wait(120), 0)


class StandardWebhooks(unittest.TestCase):
    """A receiver in Node that leaves the judgement to the package `standardwebhooks`."""

    def test_a_genuine_delivery_verifies_and_a_tampered_one_does_not(self):
        node = shutil.which("node") or shutil.which("nodejs")
        self.assertIsNotNone(node, "Node is among the packages that ./bw test installs")
        receiver = Running(self, node, str(node_packages.installed() / "receiver.mjs"), SECRET)
        port = json.loads(receiver.line(receiver.out, 0))["port"]
        with office() as server:
            hook = subscribe(server, f"http://127.0.0.1:{port}/", secret=SECRET, events=["extension.registered"])
            register(server, "1001")
            told = json.loads(receiver.line(receiver.out, 1))
            self.assertTrue(told["genuine"], told)
            self.assertEqual(told["event"]["data"]["extension"], "1001")
            wait_until(lambda: shown(server, hook)["success_count"] == 1, 60, "it is acknowledged")
        headers = {name: value for name, value in told["headers"].items() if name.startswith("webhook-")}
        body = told["body"].encode()
        self.assertEqual(post(port, body, headers), 204)
        later = str(int(headers["webhook-timestamp"]) + 1)
        tampered = [(body.replace(b'"1001"', b'"1002"'), headers), (body + b" ", headers),
                    (body, {**headers, "webhook-id": "another"}), (body, {**headers, "webhook-timestamp": later})]
        for text, given in tampered:
            self.assertNotEqual((text, given), (body, headers))
            self.assertEqual(post(port, text, given), 401)
        receiver.find(receiver.out, lambda line: "WebhookVerificationError" in line)


if __name__ == "__main__":
    unittest.main()
