"""tests/load/browser.py in short, so that it does not rot: what it measures happens, how fast is for ./bw load."""
import os
import subprocess
import sys
import unittest

from office import BINARY, ROOT


class Figures(unittest.TestCase):
    def test_each_figure_is_measured(self):
        done = subprocess.run([sys.executable, "tests/load/browser.py", "--offers", "3", "--pages", "2", "--calls", "2"], cwd=ROOT,
                              env={**os.environ, "BELLWIRE": BINARY}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if line.startswith("| ")][1:]
        self.assertEqual([(row[0], row[1]) for row in rows], [("POST offer to answer in hand", "3"), ("page open to media connected", "2"),
                                                              ('"Answer" pressed to voice heard', "2")])
        for row in rows:
            self.assertGreater(float(row[2]), 0, row)
            print(f"figure: {row[0]}: {row[2]} ms")


if __name__ == "__main__":
    unittest.main()
