"""Debian's TURN server in a network namespace, with a secret it shares with the office (coturn's REST scheme)."""
import base64
import hashlib
import hmac
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from office import wait_until

REALM = "office.example"
PORT = 3478


def credentials(secret, user="1001", seconds=3600):
    """(user, password) as whoever knows the secret makes them; expired ones with negative seconds."""
    name = f"{int(time.time()) + seconds}:{user}"
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(digest).decode()


class Coturn:
    def __init__(self, network, place, secret):
        self.network, self.place, self.secret = network, place, secret
        self.address = network.address(place)
        self.url = f"turn:{self.address}:{PORT}?transport=udp"

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-turn-"))
        self.log = self.folder / "log"
        words = ["turnserver", "-n", "--use-auth-secret", f"--static-auth-secret={self.secret}", f"--realm={REALM}",
                 "-L", self.address, "-E", self.address, "-p", str(PORT), "--no-cli", "--no-tls", "--no-dtls", "--verbose",
                 "--pidfile", str(self.folder / "pid"), "--userdb", str(self.folder / "db"), "--log-file", "stdout"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self._inside(self.place, *words), stdout=log, stderr=log)
        try:
            wait_until(lambda: self.is_open(), 60, "coturn listens: " + self.log.read_text()[-2000:])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _inside(self, place, *words):
        return ["ip", "netns", "exec", self.network.namespace(place), *words]

    def is_open(self):
        assert self.process.poll() is None, f"coturn ended: {self.log.read_text()[-3000:]}"
        return self.relays(self.place, *credentials(self.secret), packets=1)

    def relays(self, place, user, password, packets=5):
        """Whether a client at that place gets relays with these credentials, and packets through them."""
        done = subprocess.run(
            self._inside(place, "turnutils_uclient", "-y", "-c", "-n", str(packets), "-m", "1", "-u", user, "-w", password,
                         "-p", str(PORT), self.address),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        passed = re.search(rf"tot_send_msgs={2 * packets}, tot_recv_msgs=([1-9]\d*)", done.stdout)
        return done.returncode == 0 and passed is not None
