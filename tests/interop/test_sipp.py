"""sipp and sipsak, tools nobody here wrote: registered, called, heard both ways, ended from either side."""
import math
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from interop.softphone import Baresip
from netns import Network
from office import Office, free_ports, password, wait_until
from sipp import HERE, Sipp, credentials

RECORDS = "select * from call_records where ended_at is not null"


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-sipp-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.network = None

    def start_office(self, **options):
        self.office = Office(**options)
        self.addCleanup(lambda: self.office.__exit__(None))
        self.office.start()

    def sipp(self, scenario, port, calls, **options):
        sipp = Sipp(scenario, self.office, self.folder, port, calls, **options)
        self.addCleanup(sipp.stop)
        return sipp

    def all_ok(self, sipp, calls, seconds):
        figures = sipp.wait(seconds)
        self.assertEqual((figures["ok"], figures["failed"]), (calls, 0), sipp.errors())
        return figures

    def no_call_is_left(self):
        wait_until(lambda: self.office.status()["active_calls"] == 0, 60, "no call is left")


class Calls(Tools):
    CALLS, RATE = 200, 20

    def setUp(self):
        super().setUp()
        # Calls that wait for a busy machine are not to be too many at a time.
        self.start_office(rtp_ports=1600, config="security:\n  calls_per_extension: 1000\n")

    def calls(self, transport):
        caller_port, callee_port = free_ports(2)
        registration = self.sipp("register", callee_port, 1, rows=[("1002", credentials("1002"))])
        self.all_ok(registration, 1, 60)
        callee = self.sipp("uas", callee_port, 1_000_000, extra=("-aa",))
        caller = self.sipp("uac", caller_port, self.CALLS, rate=self.RATE, transport=transport,
                           rows=[("1001", credentials("1001"), "1002")])
        self.all_ok(caller, self.CALLS, 180)
        self.no_call_is_left()
        rows = wait_until(lambda: (found := self.office.rows(RECORDS)) and len(found) >= self.CALLS and found, 60, "the records")
        self.assertEqual(len(rows), self.CALLS)
        self.assertEqual(len({row["call_id"] for row in rows}), self.CALLS)
        self.assertEqual({(row["from_extension"], row["to_extension"], row["disposition"], row["hangup_by"]) for row in rows},
                         {("1001", "1002", "answered", "caller")})
        self.assertEqual(self.office.status()["total_calls"], self.CALLS)
        callee.stop()

    def test_two_hundred_calls_over_udp(self):
        self.calls("u1")

    def test_two_hundred_calls_over_tcp(self):
        self.calls("t1")  # to a callee on UDP: a callee's connection would have to be that of its registration

    def test_registers_over_udp_and_tcp(self):
        for transport in ("u1", "t1"):
            with self.subTest(transport=transport):
                sipp = self.sipp("register", free_ports(1)[0], 4, transport=transport, rate=50,
                                 rows=[(n, credentials(n)) for n in ("1001", "1002", "1003", "1004")])
                self.all_ok(sipp, 4, 60)
                self.assertEqual(self.office.status()["registered_extensions"], 4)

    def test_a_wrong_password_registers_nobody(self):
        sipp = self.sipp("register", free_ports(1)[0], 1, rows=[("1001", "[authentication username=1001 password=wrong]")])
        self.assertEqual(sipp.wait(120)["ok"], 0)
        self.assertEqual(self.office.status()["registered_extensions"], 0)


class WithBaresip(Tools):
    def setUp(self):
        super().setUp()
        self.network = Network("pbx", "a", "s").__enter__()
        self.addCleanup(self.network.__exit__)
        self.start_office(host="0.0.0.0", namespace=self.network.namespace("pbx"))
        self.pbx = self.network.address("pbx")

    def at_s(self, **options):
        here = self.network.address("s")
        return {"namespace": self.network.namespace("s"), "host": here, "target": self.pbx,
                "extra": ("-mi", here, *options.pop("extra", ())), **options}

    def registered_sipp(self, number, port):
        sipp = self.sipp("register", port, 1, rows=[(number, credentials(number))], **self.at_s())
        self.all_ok(sipp, 1, 60)

    def baresip(self, number, tone):
        phone = Baresip(number, (self.pbx, self.office.sip), namespace=self.network.namespace("a"), tone=tone)
        self.addCleanup(phone.__exit__, None)
        phone.wait_registered()
        return phone

    def variant(self, name, old, new):
        text = (HERE / f"{name}.xml").read_text()
        self.assertIn(old, text)
        path = self.folder / f"{name}-variant.xml"
        path.write_text(text.replace(old, new))
        return path

    def record(self, hangup_by):
        self.no_call_is_left()
        (row,) = wait_until(lambda: self.office.rows(RECORDS), 60, "the record")
        self.assertEqual((row["disposition"], row["hangup_by"]), ("answered", hangup_by))

    def test_sipp_calls_baresip_which_hears_its_tone_and_sipp_hangs_up(self):
        port = free_ports(1)[0]
        self.registered_sipp("1001", port)
        bob = self.baresip("1002", 1000)
        tone = tone_file(self.folder / "tone.ul", 600)
        path = self.variant("uac", "<pause/>", '<nop><action><exec rtp_stream="%s,-1,0"/></action></nop>'
                                               '<pause milliseconds="5000"/>' % tone)
        path.write_text(path.read_text().replace("[media_port]", "[rtpstream_audio_port]"))
        caller = self.sipp(path, port, 1, rows=[("1001", credentials("1001"), "1002")], **self.at_s())
        bob.wait_for("CALL_ESTABLISHED")
        bob.hears(600, 60)
        self.all_ok(caller, 1, 60)
        bob.wait_for("CALL_CLOSED")
        self.record("caller")

    def test_baresip_calls_sipp_which_returns_its_voice_and_baresip_hangs_up(self):
        port = free_ports(1)[0]
        self.registered_sipp("1002", port)
        callee = self.sipp("uas", port, 1, **self.at_s(extra=("-rtp_echo", "-mp", "26000")))
        alice = self.baresip("1001", 700)
        alice.dial("1002")
        alice.wait_for("CALL_ESTABLISHED")
        alice.hears(700, 60)  # it went all the way to sipp and back
        alice.hang_up()
        alice.wait_for("CALL_CLOSED")
        self.all_ok(callee, 1, 60)
        self.record("caller")

    def test_baresip_calls_sipp_which_hangs_up(self):
        port = free_ports(1)[0]
        self.registered_sipp("1002", port)
        text = (HERE / "uas.xml").read_text()
        start = text.index('<recv request="BYE"/>')
        bye = """<pause milliseconds="1000"/>
  <send retrans="500">
    <![CDATA[
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
      Max-Forwards: 70
      [routes]
      From:[$to];tag=[pid]s[call_number]
      To:[$from]
      Call-ID: [call_id]
      CSeq: 1 BYE
      Content-Length: 0

    ]]>
  </send>
  <recv response="200"/>
</scenario>
"""
        path = self.folder / "uas-ends.xml"
        path.write_text(text[:start].replace('<recv request="INVITE" crlf="true" rrs="true"/>', """<recv request="INVITE" rrs="true">
    <action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
    </action>
  </recv>""") + bye)
        callee = self.sipp(path, port, 1, **self.at_s())
        alice = self.baresip("1001", 700)
        alice.dial("1002")
        alice.wait_for("CALL_ESTABLISHED")
        alice.wait_for("CALL_CLOSED")
        self.all_ok(callee, 1, 60)
        self.record("callee")


class Sipsak(Tools):
    def setUp(self):
        super().setUp()
        self.start_office()

    def run_sipsak(self, *words):
        return subprocess.run(["sipsak", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)

    def test_options_is_answered_for_the_server_and_by_a_stranger(self):
        done = self.run_sipsak("-vv", "-s", f"sip:127.0.0.1:{self.office.sip}")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("SIP/2.0 200", done.stdout)
        for method in ("INVITE", "ACK", "BYE", "CANCEL", "REFER"):
            self.assertRegex(done.stdout, rf"(?m)^Allow:.*\b{method}\b")

    def test_sipsak_registers_with_the_password_and_not_without(self):
        uri = f"sip:1001@127.0.0.1:{self.office.sip}"
        done = self.run_sipsak("-U", "-x", "60", "-u", "1001", "-a", password("1001"), "-C", "sip:1001@127.0.0.1:7777", "-s", uri, "-vvv")
        self.assertEqual(done.returncode, 0, done.stdout)
        (phone,) = self.office.json("phone", "ls")
        self.assertEqual(phone["contact_uri"], "sip:1001@127.0.0.1:7777")
        wrong = self.run_sipsak("-U", "-x", "60", "-u", "1002", "-a", "wrong", "-C", "sip:1002@127.0.0.1:7778",
                                "-s", f"sip:1002@127.0.0.1:{self.office.sip}")
        self.assertNotEqual(wrong.returncode, 0, wrong.stdout)
        self.assertEqual(len(self.office.json("phone", "ls")), 1)


def tone_file(path, frequency):
    """Ten seconds of a tone, µ-law, as it goes into packets."""
    path.write_bytes(bytes(mu_law(int(12000 * math.sin(2 * math.pi * frequency * n / 8000))) for n in range(80000)))
    return path


def mu_law(sample):
    sign, sample = (0x80, -sample) if sample < 0 else (0, sample)
    sample = min(sample, 32635) + 132
    exponent = max(sample.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | (sample >> exponent + 3) & 15) & 0xff


if __name__ == "__main__":
    unittest.main()
