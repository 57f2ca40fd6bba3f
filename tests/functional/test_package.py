"""The Debian package: what is in it, and that what it installs runs."""
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from office import ROOT, Office

RELEASE = pathlib.Path(os.environ.get("BELLWIRE_RELEASE", ROOT / "build/release/bellwire")).parent
UNIT = "usr/lib/systemd/system/bellwire.service"


def output(*words, **kwargs):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, **kwargs)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        output("cpack", "-G", "DEB", "-B", cls.folder, cwd=RELEASE)
        (cls.deb,) = cls.folder.glob("bellwire_*.deb")
        cls.root = cls.folder / "root"
        output("dpkg-deb", "-x", cls.deb, cls.root)

    def test_it_holds_program_unit_configuration_and_documents(self):
        for path in ("usr/bin/bellwire", UNIT, "usr/lib/sysusers.d/bellwire.conf", "usr/lib/tmpfiles.d/bellwire.conf",
                     "etc/bellwire/config.yml", "usr/share/doc/bellwire/README.md", "usr/share/doc/bellwire/LICENSE",
                     "usr/share/doc/bellwire/copyright", "usr/share/doc/bellwire/docs/configuration.md"):
            self.assertGreater((self.root / path).stat().st_size, 0, path)

    def test_it_holds_nothing_else(self):
        listed = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        allowed = ("usr/bin/bellwire", "usr/lib/systemd/system/bellwire.", "usr/lib/sysusers.d/", "usr/lib/tmpfiles.d/",
                   "etc/bellwire/config.yml", "usr/share/doc/bellwire/")
        self.assertEqual([path for path in sorted(listed) if not path.startswith(allowed)], [])

    def test_nothing_in_it_may_be_changed_by_others_or_changes_the_user(self):
        for path in self.root.rglob("*"):
            mode = path.lstat().st_mode
            self.assertFalse(mode & (stat.S_IWOTH | stat.S_IWGRP | stat.S_ISUID | stat.S_ISGID), path)

    def test_the_configuration_is_a_conffile_and_the_libraries_are_dependencies(self):
        self.assertEqual(output("dpkg-deb", "-I", self.deb, "conffiles").split(), ["/etc/bellwire/config.yml"])
        depends = output("dpkg-deb", "-f", self.deb, "Depends")
        for library in ("libc6", "libssl3", "libsoci-core4.0", "libsoci-sqlite3-4.0", "libsrtp2-1"):
            self.assertIn(library, depends)

    def test_the_installed_program_likes_the_installed_configuration(self):
        said = output(self.root / "usr/bin/bellwire", "check", self.root / "etc/bellwire/config.yml")
        self.assertIn("good", said)

    def test_the_installed_program_serves(self):
        with Office(binary=str(self.root / "usr/bin/bellwire")) as office:
            self.assertEqual(office.status()["active_calls"], 0)

    def test_the_unit_is_valid(self):
        unit = self.folder / "bellwire.service"
        unit.write_text((self.root / UNIT).read_text().replace("/usr/bin/bellwire", f"{self.root}/usr/bin/bellwire"))
        self.assertEqual(output("systemd-analyze", "verify", "--man=no", unit), "")

    @unittest.skipUnless(os.geteuid() == 0, "dpkg gives files to root")
    def test_installing_makes_the_user_and_removing_leaves_the_configuration(self):
        root = self.folder / "installed"
        for path in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"):
            (root / path).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        # The libraries are those of this machine; the scratch root knows of no package.
        dpkg = ("dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless", "--log=/dev/null")
        output(*dpkg, "-i", self.deb)
        self.assertIn("bellwire:x:", (root / "etc/passwd").read_text())
        folder = (root / "etc/bellwire").stat()
        group = next(line for line in (root / "etc/group").read_text().splitlines() if line.startswith("bellwire:"))
        self.assertEqual((stat.S_IMODE(folder.st_mode), folder.st_gid), (0o750, int(group.split(":")[2])))
        wanted = root / "etc/systemd/system/multi-user.target.wants/bellwire.service"
        self.assertTrue(wanted.is_symlink())

        with open(root / "etc/bellwire/config.yml", "a") as config:
            config.write("# a line of the operator\n")
        output(*dpkg, "-i", self.deb)
        self.assertIn("a line of the operator", (root / "etc/bellwire/config.yml").read_text())

        output(*dpkg, "--remove", "bellwire")
        self.assertFalse((root / "usr/bin/bellwire").exists())
        self.assertTrue((root / "etc/bellwire/config.yml").exists())
        output(*dpkg, "--purge", "bellwire")
        self.assertFalse((root / "etc/bellwire/config.yml").exists())
        self.assertFalse(wanted.is_symlink())


class Notify(unittest.TestCase):
    """What the unit relies on: Type=notify and WatchdogSec (sd_notify(3))."""

    def test_ready_and_signs_of_life_reach_the_service_manager(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(120)
            asked = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "2000000"}
            with mock.patch.dict(os.environ, asked), Office():
                self.assertEqual(manager.recv(256), b"READY=1")
                self.assertEqual(manager.recv(256), b"WATCHDOG=1")
            # Any number of signs of life may lie between; the last word is that it stops.
            while (said := manager.recv(256)) == b"WATCHDOG=1":
                pass
            self.assertEqual(said, b"STOPPING=1")


if __name__ == "__main__":
    unittest.main()
