"""The receivers of docs/webhooks.md, as they stand there: they take what is genuine and nothing else."""
import http.client
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from functional.test_webhooks import ok, office, register, shown, subscribe
from office import ROOT, free_ports, wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def block(language):
    text = (ROOT / "docs/webhooks.md").read_text()
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)


class Guide(unittest.TestCase):
    def run_receiver(self, command, name, code):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-guide-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / name).write_text(code)
        port, = free_ports(1)
        out = open(folder / "out", "wb")
        process = subprocess.Popen([command, str(folder / name), str(port), SECRET], stdout=out, stderr=out)
        self.addCleanup(out.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def forged():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("POST", "/", b'{"event_type":"forged","seq":1}',
                                   {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"})
                return connection.getresponse().status
            except OSError:
                return None
            finally:
                connection.close()

        self.assertEqual(wait_until(forged, 60, "the receiver listens"), 401)
        with office() as server:
            hook = subscribe(server, f"http://127.0.0.1:{port}/", secret=SECRET, events=["extension.registered"])
            register(server, "1001", "1002")
            wait_until(lambda: shown(server, hook)["success_count"] == 2, 60, "both are acknowledged")
            ok(server, "POST", f"/api/webhooks/{hook['id']}/replay", {"since": "2020-01-01T00:00:00Z"})
            wait_until(lambda: shown(server, hook)["success_count"] == 4, 60, "and again")
        printed = lambda: (folder / "out").read_text().split("\n")[:-1]
        wait_until(lambda: len(printed()) >= 2, 60, "both are printed")
        lines = printed()
        self.assertEqual([line.split()[1] for line in lines], ["extension.registered"] * 2, lines)

    def test_the_receiver_in_python(self):
        self.run_receiver(sys.executable, "receiver.py", block("python"))

    def test_the_receiver_in_node(self):
        node = shutil.which("node") or shutil.which("nodejs")
        self.assertIsNotNone(node, "Node is among the packages that ./bw test installs")
        self.run_receiver(node, "receiver.mjs", block("js"))


if __name__ == "__main__":
    unittest.main()
