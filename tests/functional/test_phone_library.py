"""@bellwire/phone and the page: their types, and the tests that run with Node alone."""
import fcntl
import subprocess
import unittest

from office import ROOT

WEB = ROOT / "web"


def npm(*words):
    done = subprocess.run(["npm", *words], cwd=WEB, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
    return done.returncode, done.stdout


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The build of the program has installed the packages, unless it found the pages made already.
        with open(WEB / "package-lock.json") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (WEB / "node_modules/.package-lock.json").exists():
                code, said = npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
                assert code == 0, said[-3000:]

    def test_its_own_tests_pass(self):
        code, said = npm("test")
        self.assertEqual(code, 0, said[-6000:])
        self.assertRegex(said, r"(?m)^. pass [1-9]\d+$")
        self.assertRegex(said, r"(?m)^. fail 0$")

    def test_types_and_components_have_no_error_and_no_warning(self):
        code, said = npm("run", "check")
        self.assertEqual(code, 0, said[-6000:])

    def test_it_depends_on_nothing(self):
        text = (WEB / "phone-client/package.json").read_text()
        self.assertNotIn('ependencies"', text)

    def test_the_lock_files_name_no_host(self):
        for folder in (WEB, ROOT / "tests/node"):
            named = [line for line in (folder / "package-lock.json").read_text().splitlines() if '"resolved": "http' in line]
            self.assertEqual(named, [])


if __name__ == "__main__":
    unittest.main()
