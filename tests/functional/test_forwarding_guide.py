"""The examples of docs/forwarding.md, run as they are printed; and calls that go where it says."""
import os
import pathlib
import re
import subprocess
import unittest

from api_client import user
from office import ROOT, Office, wait_until
from softphone import Phone
from functional.test_transports import Answering


class Guide(unittest.TestCase):
    def run_examples(self, office, examples, token):
        tools = office.folder / "bin"
        tools.mkdir(exist_ok=True)
        if not (tools / "bellwire").exists():
            (tools / "bellwire").symlink_to(pathlib.Path(office.binary).resolve())
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(examples)], text=True, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "URL": f"http://{office.host}:{office.http}",
                 "TOKEN": token, "DATA": str(office.data)})
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_every_example_works_as_printed_and_calls_go_where_it_says(self):
        examples = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/forwarding.md").read_text(), re.S)
        self.assertEqual(len(examples), 3)
        with Office() as office, Phone("1002", office) as bob, Phone("1003", office) as carol, \
                Phone("1004", office) as dave:
            for phone in (bob, carol, dave):
                phone.register()
            token = user(office, "eve").headers["Authorization"].split()[1]

            shown = self.run_examples(office, examples[:1], token)
            self.assertRegex(shown, r"no answer +1002")
            self.assertRegex(shown, r"unreachable +1003")
            self.assertRegex(shown, r"forward +-\n")
            answering = Answering(carol)  # 1001 has no phone
            dave.dial("1001")
            answering.join()
            dave.hang_up()
            carol.hung_up()

            self.run_examples(office, examples[1:2], token)
            forward = office.json("extension", "show", "1001")["forward"]
            self.assertEqual(forward, {"always": "", "busy": "", "no_answer": "1002", "unreachable": "1003"})

            self.run_examples(office, examples[2:], token)
            wait_until(lambda: dave.dial("1002", ok=False).status == 486, 60, "1002 is not disturbed")


if __name__ == "__main__":
    unittest.main()
