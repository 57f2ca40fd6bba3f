"""Runs the test classes of tests/functional and tests/interop in several processes, because most of what they do is wait.

A class is a process of its own; one that takes long and prepares nothing for all its tests is cut into its tests.
The longest begin first (tests/durations.json). A class with an attribute `alone` measures what others would disturb:
it runs at the end, with nobody beside it.

  python3 tests/side_by_side.py --report FILE NAME     what each of the processes is
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent
DURATIONS = TESTS / "durations.json"
CUT_S = 15  # a class that takes longer is cut
LIMIT_S = 900


class Reporter(unittest.TextTestResult):
    """Writes a line about each test when it ends, so that one that ends the process does not take those before it along."""
    report = None

    def startTest(self, test):
        super().startTest(test)
        self.began, self.troubles, self.reason = time.monotonic(), self._troubles(), None

    def _troubles(self):
        return len(self.failures) + len(self.errors) + len(self.unexpectedSuccesses)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.reason = reason
        if not hasattr(test, "_testMethodName"):  # a whole class
            self._write(test.id(), "skipped", 0)

    def addError(self, test, error):
        super().addError(test, error)
        if not hasattr(test, "_testMethodName"):  # what prepares or cleans up for a class
            self._write(test.id(), "failed", 0)

    def stopTest(self, test):
        super().stopTest(test)
        outcome = "failed" if self._troubles() > self.troubles else "skipped" if self.reason else "ok"
        self._write(test.id(), outcome, time.monotonic() - self.began)

    def _write(self, name, outcome, seconds):
        line = {"test": name, "outcome": outcome, "seconds": round(seconds, 1)}
        self.report.write(json.dumps(line) + "\n")
        self.report.flush()


def tests_of(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_of(part)
        else:
            yield part


def discovered(text):
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{text}*"] if text else None
    for folder in ("functional", "interop"):
        yield from tests_of(loader.discover(str(TESTS / folder), pattern="test_*.py", top_level_dir=str(TESTS)))


def prepares_for_all(kind):
    return kind.setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__


def parts(text):
    """[(seconds as last known, runs alone, names)], the longest first."""
    known = json.loads(DURATIONS.read_text()) if DURATIONS.exists() else {}
    classes = {}
    for test in discovered(text):
        classes.setdefault(type(test), []).append(test.id())
    found = []
    for kind, names in classes.items():
        alone = bool(getattr(kind, "alone", None))
        seconds = {name: known.get(name, 1) for name in names}
        if sum(seconds.values()) > CUT_S and not alone and not prepares_for_all(kind):
            found += [(seconds[name], alone, [name]) for name in names]
        else:
            found.append((sum(seconds.values()), alone, names))
    return sorted(found, key=lambda part: -part[0])


class Run:
    """One process, from its start to what it left to read."""

    def __init__(self, names):
        self.names = names
        self.said, self.lines = "", []

    def __call__(self):
        with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as report, tempfile.TemporaryFile() as said:
            command = [sys.executable, str(TESTS / "side_by_side.py"), "--report", report.name, *self.names]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, cwd=TESTS,
                                       start_new_session=True)
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                said.write(f"\nno end within {LIMIT_S} s".encode())
            finally:  # servers it left behind as well
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
            said.seek(0)
            self.said = said.read().decode(errors="replace")
            self.lines = [json.loads(line) for line in report]
        told = {line["test"] for line in self.lines}
        missing = [name for name in self.names if name not in told] if told <= set(self.names) else []
        if process.returncode != 0 and not missing and not any(line["outcome"] == "failed" for line in self.lines):
            missing = [f"{self.names[0]} and those beside it: exit code {process.returncode}"]
        self.lines += [{"test": name, "outcome": "failed", "seconds": 0} for name in missing]
        return self


def run(text, workers, tell, before_alone=None):
    """tell({"test", "outcome", "seconds"}, output) for each test; the output is that of the whole process if it failed.
    `before_alone` returns when nothing else runs any more."""
    found = parts(text)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    for alone, beside in ((False, workers), (True, 1)):
        runs = [Run(names) for _, apart, names in found if apart == alone]
        if alone and runs and before_alone:
            before_alone()
        with concurrent.futures.ThreadPoolExecutor(beside) as pool:
            try:
                for done in concurrent.futures.as_completed([pool.submit(one) for one in runs]):
                    one = done.result()
                    said = one.said
                    for line in one.lines:
                        tell(line, said if line["outcome"] == "failed" else "")
                        said = "(as above)" if line["outcome"] == "failed" else said
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def remember(lines):
    """What takes a second or more, for the order of the next runs."""
    slow = {line["test"]: round(line["seconds"]) for line in lines if line["seconds"] >= 1}
    DURATIONS.write_text(json.dumps(slow, indent=1, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", required=True)
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    with open(options.report, "a") as Reporter.report:
        runner = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, resultclass=Reporter)
        result = runner.run(unittest.TestLoader().loadTestsFromNames(options.names))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
