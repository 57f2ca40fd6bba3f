"""The examples of docs/api.md, run as they are printed."""
import os
import pathlib
import re
import subprocess
import unittest

from office import ROOT, Office, password


class Guide(unittest.TestCase):
    def test_every_example_works_as_printed(self):
        examples = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.S)
        self.assertGreaterEqual(len(examples), 5)
        with Office() as office:
            tools = office.folder / "bin"
            tools.mkdir()
            (tools / "bellwire").symlink_to(pathlib.Path(office.binary).resolve())
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", "\necho\necho ---\n".join(examples)], text=True, timeout=120,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "URL": f"http://{office.host}:{office.http}",
                     "PASSWORD": password("1001"), "DATA": str(office.data)})
            self.assertEqual(done.returncode, 0, done.stdout)
            parts = done.stdout.split("---")
            self.assertIn('"name":"1001"', parts[0])
            self.assertIn('"number":"1004"', parts[1])
            self.assertIn("Extension 1009 was added.", parts[2])
            self.assertIn("/api/extensions?limit=2&cursor=1002", parts[3])
            self.assertEqual(parts[4].split(), ["True", "True"])
            self.assertNotIn('"error"', done.stdout)


if __name__ == "__main__":
    unittest.main()
