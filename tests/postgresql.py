"""A PostgreSQL server of a test's own: in a temporary directory, reached by its Unix socket, unprivileged, gone afterwards."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from office import wait_until

PORT = 5439  # names the socket; nothing listens on the network
NOBODY = 65534


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise AssertionError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def unprivileged():
    """PostgreSQL refuses to run as root; and it must not outlive a test that was killed."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        words += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return words


class Postgresql:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-pg-"))
        self.process = None

    def __enter__(self):
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        try:
            done = subprocess.run(
                unprivileged() + [str(programs() / "initdb"), "-D", str(self.folder / "data"), "-A", "trust",
                                  "-U", "bellwire", "-E", "UTF8", "--no-locale", "--no-sync"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
            if done.returncode != 0:
                raise AssertionError("initdb: " + done.stdout)
            self.start()
            self.psql("postgres", "CREATE DATABASE bellwire")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        self.process = subprocess.Popen(
            unprivileged() + [str(programs() / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder),
                              "-p", str(PORT), "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                              "shared_buffers=16MB", "-c", "max_connections=20"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")
        wait_until(lambda: subprocess.run(
            [str(programs() / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(PORT)]).returncode == 0,
            60, "PostgreSQL starts")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)  # "fast": rolls back and stops
        self.process.wait(60)

    def configuration(self):
        """For config.yml."""
        return ("database:\n  type: postgresql\n"
                f"  host: '{self.folder}'\n  port: {PORT}\n  name: bellwire\n  user: bellwire\n")

    def psql(self, database, sql):
        done = subprocess.run(
            [str(programs() / "psql"), "-X", "-h", str(self.folder), "-p", str(PORT), "-U", "bellwire", "-d", database,
             "-v", "ON_ERROR_STOP=1", "-Atc", sql], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{sql}: {done.stdout}")
        return done.stdout

    def rows(self, sql):
        """As Office.rows()."""
        return [json.loads(line) for line in
                self.psql("bellwire", f"select row_to_json(t) from ({sql}) t").splitlines()]
