"""sipp as phones: scenarios in this folder, driven by small functions."""
import pathlib
import re
import subprocess

from office import free_ports, password, wait_until

HERE = pathlib.Path(__file__).resolve().parent


def injection(path, rows):
    path.write_text("SEQUENTIAL\n" + "\n".join(";".join(row) for row in rows) + "\n")
    return path


def credentials(number):
    return f"[authentication username={number} password={password(number)}]"


class Sipp:
    """One sipp process; its counters come back from wait()."""

    def __init__(self, scenario, office, folder, port, calls, rate=10, rows=None, transport="u1", host="127.0.0.1",
                 extra=(), target=None, namespace=None):
        """scenario: a name in this folder, or the path of a file."""
        path = scenario if isinstance(scenario, pathlib.Path) else HERE / f"{scenario}.xml"
        self.trace = folder / f"{path.stem}-{port}"
        scenario = str(path)
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        command = [*inside, "sipp", f"{target or host}:{office.sip}", "-sf", scenario, "-i", host, "-p", str(port), "-t", transport,
                   "-m", str(calls), "-r", str(rate), "-l", str(max(2000, rate * 40)), "-nostdin", "-trace_stat",
                   "-fd", "1", "-stf", f"{self.trace}.csv", "-trace_err", "-error_file", f"{self.trace}.err",
                   "-recv_timeout", "30000", *extra]
        if rows:
            command += ["-inf", str(injection(folder / f"rows-{port}.csv", rows))]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def wait(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
        return self.figures()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)

    def figures(self):
        """The last line of sipp's statistics by column name; what it counted in all."""
        try:
            lines = pathlib.Path(f"{self.trace}.csv").read_text().splitlines()
        except FileNotFoundError:
            return {"ok": 0, "failed": 0, "again": 0, "rate": 0.0}
        row = dict(zip(lines[0].split(";"), lines[-1].split(";")))
        return {"ok": int(row["SuccessfulCall(C)"]), "failed": int(row["FailedCall(C)"]),
                "again": int(row["Retransmissions(C)"]), "rate": float(row["CallRate(C)"])}

    def errors(self):
        try:
            return re.sub(r"\s+", " ", pathlib.Path(f"{self.trace}.err").read_text())[:3000]
        except FileNotFoundError:
            return ""


def register(office, folder, port, numbers, rate=200, seconds=120):
    """Registers every number at 127.0.0.1:port; raises unless all are."""
    sipp = Sipp("register", office, folder, port, len(numbers), rate, [(n, credentials(n)) for n in numbers])
    figures = sipp.wait(seconds)
    assert figures["ok"] == len(numbers), (figures, sipp.errors())
    return figures


def callee(office, folder, number):
    """A registered callee that answers everything; stop() it."""
    port = free_ports(1)[0]
    register(office, folder, port, [number])
    answering = Sipp("uas", office, folder, port, 100_000_000, extra=("-aa",))
    # Until it holds its port, free_ports() would hand the same one to the caller.
    wait_until(lambda: f":{port:04X} " in pathlib.Path("/proc/net/udp").read_text(), 60, "the callee holds its port")
    return answering
