"""The program as its owner meets it: configuration, commands, exit codes, what is said when something is wrong."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import types
import unittest

from functional.test_transports import Answering
from office import BINARY, Office, free_ports, wait_until
from softphone import Phone

BAD = """server:
  sip_prt: 5060
  sip_tls_port: many
  rtp_port_range_start: 99999999
extensions:
  - number: '1001'
    pasword: x
features:
  call_recording: true
"""
WARNED = "features:\n  call_recording: true\n"


GROUPS = ("extension", "phone", "call", "event", "webhook", "user", "key", "lockout")


def run(*words, stdin=None, **environment):
    done = subprocess.run([BINARY, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          input=stdin, timeout=300, env={**os.environ, **environment})
    return types.SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, said=done.stdout + done.stderr)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bellwire-program-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, text):
        path = self.folder / "config.yml"
        path.write_text(text)
        return path


class Configuration(Folder):
    def test_check_names_every_problem_with_its_line_and_the_nearest_key(self):
        path = self.file(BAD)
        done = run("check", path)
        self.assertEqual(done.code, 1, done.said)
        for line, *words in ((2, "sip_prt", "sip_port"), (3, "sip_tls_port", "many", "65535"),
                             (4, "rtp_port_range_start", "99999999", "1024"), (7, "pasword", '"password"'),
                             (9, "features.call_recording", "warning")):
            with self.subTest(line=line):
                found = [said for said in done.said.splitlines() if said.startswith(f"{path}:{line}:")]
                self.assertEqual(len(found), 1, done.said)
                for word in words:
                    self.assertIn(word, found[0])
        self.assertIn("4 errors, 1 warning", done.said)

    def test_check_speaks_json(self):
        done = run("check", self.file(BAD), "--json")
        view = json.loads(done.out)
        self.assertFalse(view["usable"])
        self.assertEqual([(p["line"], p["nearest"], p["severity"]) for p in view["problems"]],
                         [(2, "sip_port", "error"), (3, "", "error"), (4, "", "error"), (7, "password", "error"),
                          (9, "", "warning")])

    def test_yaml_that_is_broken_or_missing_is_named(self):
        path = self.file("server:\n  sip_port: [1\nextensions:\n")
        done = run("check", path)
        self.assertEqual(done.code, 1)
        self.assertRegex(done.said, re.escape(str(path)) + r":\d+:")
        done = run("check", self.folder / "none.yml")
        self.assertEqual(done.code, 1)
        self.assertIn("none.yml", done.said)

    def test_a_file_with_errors_starts_nothing(self):
        path = self.file(BAD)
        done = run("serve", "--config", path, "--data", self.folder / "data")
        self.assertEqual(done.code, 1)
        self.assertIn(f"{path}:2:", done.said)
        self.assertIn(f"{path}:7:", done.said)
        self.assertFalse((self.folder / "data" / "bellwire.db").exists())

    def test_warnings_stop_nothing(self):
        self.assertEqual(run("check", self.file(WARNED)).code, 0)
        with Office(config=WARNED) as office:
            self.assertEqual(office.status()["active_calls"], 0)
            wait_until(lambda: "call_recording" in office.log.read_text(), 60, "the log names it")

    def test_an_unknown_command_or_option_ends_with_2(self):
        for words in (["frobnicate"], ["status", "--frobnicate"], ["extension", "add"], ["call", "start", "1001"]):
            with self.subTest(words=words):
                self.assertEqual(run(*words).code, 2)

    def test_a_word_that_is_no_command_is_told_with_those_there_are(self):
        for words, told in ((["frobnicate"], '"frobnicate" here; there is demo,'), (["call", "list"], '"list" in call; there is ls,')):
            with self.subTest(words=words):
                self.assertIn("there is no command " + told, run(*words).err)


    def test_without_a_command_it_shows_which_there_are(self):
        done = run()
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertTrue(done.out.startswith("Bellwire, a telephone system for an office\nUsage: bellwire COMMAND\n"), done.out)
        for words, inside in (([], ("demo ", "serve ", "extension ", "audit ")), (["extension"], ("ls ", "add ", "rm "))):
            done = run(*words)
            self.assertEqual((done.code, done.err), (0, ""), words)
            self.assertEqual(done.out, run(*words, "--help").out)
            for name in inside:
                self.assertIn(f"\n  {name}", done.out)

    def test_every_command_tells_how_it_is_used(self):
        for line in re.findall(r"^  (\w+) ", run().out, re.M):
            inner = re.findall(r"^  (\w+) ", run(line).out, re.M) if line in GROUPS else [""]
            self.assertTrue(inner, line)
            for word in inner:
                with self.subTest(command=f"{line} {word}".strip()):
                    done = run(line, *filter(None, [word]), "--help")
                    self.assertEqual((done.code, done.err), (0, ""))
                    self.assertRegex(done.out, rf"\nUsage: bellwire {line} ?{word}[A-Z_ ]* \[OPTIONS\]\n")
                    self.assertIn("\n  -h,--help   ", done.out)
                    for told in done.out.splitlines():
                        self.assertLessEqual(len(told), 110)
                        self.assertNotRegex(told, r"^  \S+( [A-Z]+)?$", "nothing is said of it")

    def test_a_slip_is_told_with_what_was_meant(self):
        for words, told in ((["statsu"], 'did you mean "status"?'), (["extension", "ad", "1001"], 'did you mean "add"?'),
                            (["call", "start", "1001"], "TO is required (`bellwire call start --help` tells more)"),
                            (["status", "--jsn"], 'there is no option --jsn; did you mean "--json"?'),
                            (["call", "hangup", "1", "2"], '"2" is one word too many (`bellwire call hangup --help`')):
            with self.subTest(words=words):
                done = run(*words)
                self.assertEqual((done.code, done.out), (2, ""))
                self.assertEqual(done.err.count("\n"), 1, done.err)
                self.assertIn(told, done.err)


class Starting(Folder):
    def test_a_port_in_use_is_named(self):
        for key, kind in (("sip", socket.SOCK_DGRAM), ("sip", socket.SOCK_STREAM), ("tls", socket.SOCK_STREAM),
                          ("http", socket.SOCK_STREAM), ("https", socket.SOCK_STREAM)):
            office = Office()
            self.addCleanup(shutil.rmtree, office.folder, ignore_errors=True)
            port = getattr(office, key)
            with self.subTest(key=key, kind=kind.name), socket.socket(socket.AF_INET, kind) as taken:
                taken.bind(("127.0.0.1", port))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                done = run("serve", "--config", office.config_file, "--data", office.data)
                self.assertEqual(done.code, 3, done.said)
                self.assertIn(str(port), done.said)
                self.assertIn("in use", done.said)

    def test_a_demo_that_cannot_start_says_where_its_ports_are_chosen(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            done = run("demo", "--sip-port", str(taken.getsockname()[1]))
        self.assertEqual(done.code, 3, done.said)
        self.assertIn("in use", done.said)
        self.assertIn("demo --help` names them", done.err)
        self.assertNotIn("configuration", done.said)

    def test_a_second_server_of_the_same_data_directory_is_refused(self):
        with Office() as first:
            other = Office()
            self.addCleanup(shutil.rmtree, other.folder, ignore_errors=True)
            done = run("serve", "--config", other.config_file, "--data", first.data)
            self.assertEqual(done.code, 3, done.said)
            self.assertIn(str(first.data), done.said)
            self.assertTrue(first.answers())

    def test_a_second_server_on_the_same_database_file_is_refused(self):
        shared = self.folder / "shared.db"
        with Office(config=f"database: {{path: '{shared}'}}\n") as first:
            other = Office(config=f"database: {{path: '{shared}'}}\n")
            self.addCleanup(other.__exit__, None)
            done = run("serve", "--config", other.config_file, "--data", other.data)
            self.assertEqual(done.code, 3, done.said)
            self.assertIn(f"{shared} is held by process {first.process.pid}", done.said)
            first.cli("backup", str(self.folder / "copy.db"))
            self.assertIn("1001", first.cli("export", "--config", str(first.config_file)))

    def test_without_a_server_the_commands_say_so(self):
        for words in (["status"], ["reload"], ["extension", "ls"], ["phone", "ls"], ["call", "ls"],
                      ["call", "start", "1001", "1002"], ["backup", self.folder / "copy.db"]):
            with self.subTest(words=words):
                done = run(*words, "--data", self.folder)
                self.assertEqual(done.code, 4, done.said)
                self.assertIn("no server answers", done.err)
                self.assertIn(str(self.folder), done.err)
                self.assertIn("BELLWIRE_DATA (a demo prints it)", done.err)

    def check_sound_card(self, said):
        (command,) = re.findall(r"^  (sed .*?) \\\n +/tmp/alice/config /tmp/bob/config$", said, re.M | re.S)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["baresip", "-f", folder, "-t", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60)
            subprocess.run(f"{command} {folder}/config", shell=True, check=True)
            config = [line.split() for line in (pathlib.Path(folder) / "config").read_text().splitlines()]
        for line in ("audio_player aubridge,demo", "audio_source aubridge,demo", "audio_alert aubridge,alert",
                     "module aubridge.so", "ringback_disabled yes"):
            self.assertEqual([words for words in config if words[:1] == line.split()[:1]
                              and (words[0] != "module" or words[1] == "aubridge.so")], [line.split()])

    def test_demo_prints_logins_that_work_and_ends_on_interrupt(self):
        sip, tls, http, https = free_ports(4)
        process = subprocess.Popen([BINARY, "demo", "--sip-port", str(sip), "--sip-tls-port", str(tls), "--http-port",
                                    str(http), "--https-port", str(https)], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(iter(process.stdout.readline, "")), daemon=True)
        reader.start()
        try:
            for last in ("is ready", "Ctrl-C ends it."):
                wait_until(lambda: last in "".join(said), 60, f"the demo says: {last}")
            logins = dict(re.findall(r"<sip:(\d+)@127\.0\.0\.1:%d;transport=udp>;auth_pass=(\S+)" % sip, "".join(said)))
            self.assertEqual(sorted(logins), ["1001", "1002", "1003", "1004"])
            self.assertEqual(len(set(logins.values())), 4)
            data = re.search(r"BELLWIRE_DATA=(\S+)", "".join(said)).group(1)
            if shutil.which("bellwire") is None:
                self.assertIn(f"  {pathlib.Path(BINARY).resolve()} status", "".join(said))
            self.assertIn("on this machine", "".join(said))
            if "no sound card" in "".join(said):
                self.check_sound_card("".join(said))
            self.assertIn(f"http://127.0.0.1:{http}/phone", "".join(said))
            office = types.SimpleNamespace(sip=sip, tls=tls, http=http, https=https)
            with Phone("1001", office, secret=logins["1001"]) as a, Phone("1002", office, "tcp", secret=logins["1002"]) as b:
                a.register()
                b.register()
                answering = Answering(b)
                a.dial("1002")
                answering.join()
                a.hang_up()
                b.hung_up()
                with Phone("1003", office, secret="wrong") as stranger:
                    self.assertEqual(stranger.register(ok=False).status, 401)
            self.assertEqual(json.loads(run("status", "--json", "--data", data).out)["registered_extensions"], 2)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 0)
            self.assertFalse(pathlib.Path(data).exists())
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            reader.join()
            process.stdout.close()


class Reload(unittest.TestCase):
    def setUp(self):
        self.office = Office(("1001",))
        self.addCleanup(lambda: self.office.__exit__(None))
        self.office.start()
        self.text = self.office.config_file.read_text()

    def write(self, text):
        self.office.config_file.write_text(text)

    def numbers(self):
        return [row["number"] for row in self.office.json("extension", "ls")]

    def with_extension(self, number):
        return self.text + f"  - number: '{number}'\n    name: New\n    password: 'Test-Pass-{number}!'\n"

    def test_a_good_file_is_in_force_at_once(self):
        self.write(self.with_extension("1009") + "features:\n  max_call_duration: 1\n")
        self.assertTrue(self.office.json("reload")["success"])
        self.assertEqual(self.numbers(), ["1001", "1009"])
        with Phone("1001", self.office) as a, Phone("1009", self.office) as b:
            a.register()
            b.register()
            answering = Answering(b)
            a.dial("1009")
            answering.join()
            a.hung_up(60)  # by the new max_call_duration
            b.hung_up(60)

    def test_a_bad_file_changes_nothing_and_says_why(self):
        self.write(self.with_extension("1009").replace("sip_host", "sip_hots"))
        done = run("reload", "--data", self.office.data)
        self.assertEqual(done.code, 5, done.said)
        self.assertIn(f"{self.office.config_file}:2:", done.err)
        self.assertIn("sip_hots", done.err)
        self.assertEqual(self.numbers(), ["1001"])
        view = json.loads(run("reload", "--json", "--data", self.office.data).out)
        self.assertIn('did you mean "sip_host"?', view["problems"][0])

    def test_sighup_reloads_and_a_bad_file_is_logged(self):
        self.write(self.with_extension("1009"))
        self.office.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "1009" in self.numbers(), 60, "the new extension is there")
        self.write(self.with_extension("1008").replace("sip_host", "sip_hots"))
        self.office.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "sip_hots" in self.office.log.read_text(), 60, "the log names the key")
        self.assertEqual(self.numbers(), ["1001", "1009"])

    def test_what_needs_a_restart_is_named(self):
        self.write(self.text.replace(f"sip_port: {self.office.sip}", f"sip_port: {free_ports(1)[0]}"))
        self.assertEqual(self.office.json("reload")["needs_restart"], ["server.sip_port"])
        with Phone("1001", self.office) as phone:
            phone.register()


class Commands(unittest.TestCase):
    def setUp(self):
        self.office = Office()
        self.addCleanup(lambda: self.office.__exit__(None))
        self.office.start()

    def run_here(self, *words, stdin=None):
        return run(*words, "--data", self.office.data, stdin=stdin)

    def registers(self, number, secret):
        with Phone(number, self.office, secret=secret) as phone:
            return phone.register(ok=False).status == 200

    def test_an_extension_comes_gets_a_password_and_goes(self):
        added = self.office.json("extension", "add", "1010", "--name", "Zoë", "--email", "z@example.com", "--allow-external")
        self.assertTrue(self.registers("1010", added["password"]))
        row = next(r for r in self.office.json("extension", "ls") if r["number"] == "1010")
        self.assertEqual((row["name"], row["email"], row["allow_external"], row["registered"]),
                         ("Zoë", "z@example.com", True, True))
        changed = self.office.json("extension", "passwd", "1010")
        self.assertFalse(self.registers("1010", added["password"]))
        self.assertTrue(self.registers("1010", changed["password"]))
        self.assertIn("1010", self.office.cli("extension", "rm", "1010"))
        self.assertFalse(self.registers("1010", changed["password"]))
        self.assertEqual(self.office.json("phone", "ls"), [])

    def test_a_password_is_read_from_standard_input_and_a_weak_one_refused(self):
        self.assertEqual(self.run_here("extension", "add", "1010", "--ask-password", stdin="Own-Words-77!\n").code, 0)
        self.assertTrue(self.registers("1010", "Own-Words-77!"))
        done = self.run_here("extension", "passwd", "1010", "--ask-password", stdin="weak\n")
        self.assertEqual(done.code, 5, done.said)
        self.assertTrue(self.registers("1010", "Own-Words-77!"))

    def test_what_cannot_be_done_is_refused_in_words(self):
        for words, says in ((["extension", "add", "1001"], "1001"), (["extension", "add", "x"], "number"),
                            (["extension", "rm", "1999"], "1999"), (["extension", "passwd", "1999"], "1999"),
                            (["call", "start", "1001", "1002"], "1001 is not registered"), (["call", "hangup", "99"], "call")):
            with self.subTest(words=words):
                done = self.run_here(*words)
                self.assertEqual(done.code, 5, done.said)
                self.assertIn(says, done.err)
                refused = self.run_here(*words, "--json").said
                self.assertIn("error", json.loads(refused))
                self.assertEqual(refused.count("\n"), 1, "one line")

    def test_the_environment_names_the_server(self):
        done = run("status", "--json", BELLWIRE_DATA=str(self.office.data))
        self.assertEqual(json.loads(done.out)["config_file"], str(self.office.config_file))
        self.assertIn(str(self.office.config_file), run("status", BELLWIRE_DATA=str(self.office.data)).out)
        self.assertEqual(run("status", "--data", "/nowhere", BELLWIRE_DATA=str(self.office.data)).code, 4)

    def test_doctor_looks_at_the_file_of_the_running_server(self):
        checks = {c["check"]: c for c in self.office.json("doctor")}
        self.assertEqual(checks["configuration"]["detail"], f"{self.office.config_file}: no errors")

    def test_what_is_typed_is_one_name_whatever_is_in_it(self):
        for name in ("a b", "../audit", "1001?limit=1", "%31001", "a/b"):
            for words in (["extension", "show"], ["extension", "rm"], ["extension", "passwd"], ["call", "show"], ["user", "rm"],
                          ["user", "passwd"], ["key", "rm"]):
                with self.subTest(words=words, name=name):
                    done = self.run_here(*words, name)
                    self.assertEqual(done.code, 5)
                    self.assertRegex(done.err.lower(), "^bellwire: there is no (extension|such (call|user|key))")

    def test_a_list_says_when_it_is_empty_and_its_columns_stand_below_each_other(self):
        for words, told in ((["phone", "ls"], "No phone is registered."), (["call", "ls"], "Nobody is in a call."),
                            (["webhook", "ls"], "`bellwire webhook add URL`"), (["lockout", "ls"], "Nobody is locked out.")):
            self.assertIn(told, self.office.cli(*words))
            self.assertEqual(self.office.json(*words), [])
        self.office.cli("extension", "change", "1001", "--name", "Åse Ørsted-Łukasiewicz")
        head, *rows = self.office.cli("extension", "ls").splitlines()
        self.assertEqual({row.rindex("no") for row in rows}, {head.index("REGISTERED")})

    def test_registered_phones_are_listed(self):
        with Phone("1001", self.office) as udp, Phone("1002", self.office, "tcp") as tcp:
            udp.register()
            tcp.register()
            rows = {row["extension_number"]: row for row in self.office.json("phone", "ls")}
            self.assertEqual((rows["1001"]["transport"], rows["1001"]["port"]), ("udp", udp.link.local[1]))
            self.assertEqual((rows["1002"]["transport"], rows["1002"]["user_agent"]), ("tcp", "test-phone"))
            self.assertRegex(self.office.cli("phone", "ls"), rf"1001 +127\.0\.0\.1 +{udp.link.local[1]} +udp")

    def test_a_call_is_started_listed_and_hung_up(self):
        with Phone("1001", self.office) as a, Phone("1002", self.office) as b:
            a.register()
            b.register()
            first, second = Answering(a), Answering(b)
            self.office.json("call", "start", "1001", "1002")
            first.join()
            second.join()
            (call,) = wait_until(lambda: [c for c in self.office.json("call", "ls") if c["state"] == "up"], 60, "a call is up")
            self.assertEqual((call["from"], call["to"]), ("1001", "1002"))
            reinvite_answered(a)
            a.media.talk("from-a")
            b.media.talk("from-b")
            a.media.hears("from-b")
            b.media.hears("from-a")
            self.assertIn(call["call_id"], self.office.cli("call", "ls"))
            self.office.cli("call", "hangup", call["call_id"])
            a.hung_up()
            b.hung_up()
            self.assertEqual(wait_until(lambda: self.office.json("call", "ls") == [], 60, "no call is left"), True)
            (record,) = wait_until(lambda: self.office.rows(
                "select disposition, hangup_by, from_extension, to_extension from call_records where ended_at is not null"),
                60, "the record is written")
            self.assertEqual(tuple(record.values()), ("answered", "system", "1001", "1002"))

    def test_the_extensions_are_exported_as_a_configuration_without_passwords(self):
        text = self.office.cli("export")
        copy = self.office.folder / "exported.yml"
        copy.write_text(text)
        self.assertEqual(run("check", copy).code, 0)
        self.assertEqual(re.findall(r'number: "(\d+)"', text), ["1001", "1002", "1003", "1004"])
        self.assertNotIn("Test-Pass", text)

    def test_export_gives_json_where_it_takes_the_option(self):
        done = self.run_here("export", "--json")
        if done.code != 2:
            self.assertIn("1001", str(json.loads(done.out)))

    def test_a_backup_is_a_database_and_never_overwrites(self):
        copy = self.office.folder / "copy.db"
        self.office.json("backup", str(copy))
        with sqlite3.connect(copy) as database:
            self.assertEqual(database.execute("select count(*) from extensions").fetchone()[0], 4)
            self.assertEqual(database.execute("pragma integrity_check").fetchone()[0], "ok")
        self.assertEqual(copy.stat().st_mode & 0o077, 0)
        before = copy.read_bytes()
        self.assertEqual(self.run_here("backup", copy).code, 5)
        self.assertEqual(copy.read_bytes(), before)

    def test_a_backup_with_its_key_makes_a_server_again_and_without_it_none(self):
        added = self.office.json("extension", "add", "1010")
        copy = self.office.folder / "kept.db"
        self.assertIn(str(self.office.data / "secret.key"), self.office.cli("backup", str(copy)))
        other = Office()
        self.addCleanup(shutil.rmtree, other.folder, ignore_errors=True)
        other.data.mkdir(mode=0o700)
        shutil.copy(copy, other.data / "bellwire.db")
        done = run("serve", "--config", other.config_file, "--data", other.data)
        self.assertEqual(done.code, 3, done.said)
        self.assertIn("secret.key", done.said)
        shutil.copy(self.office.data / "secret.key", other.data)
        with other, Phone("1010", other, secret=added["password"]) as phone:
            self.assertEqual(phone.register().status, 200)

    def test_doctor_is_content_and_finds_what_is_wrong(self):
        rows = {row["check"]: row["verdict"] for row in json.loads(
            self.run_here("doctor", "--json", "--config", self.office.config_file).out)}
        for check in ("configuration", "data directory", "database", "ports", "certificate", "IPv6"):
            self.assertEqual(rows[check], "ok", check)
        other = Office()
        self.addCleanup(shutil.rmtree, other.folder, ignore_errors=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", other.sip))
            done = run("doctor", "--config", other.config_file, "--data", other.data)
        self.assertEqual(done.code, 1, done.said)
        self.assertIn(str(other.sip), done.said)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            media = taken.getsockname()[1]
            other.config_file.write_text(other.config_file.read_text().replace("server:\n", f"server:\n  webrtc_port: {media}\n"))
            done = run("doctor", "--config", other.config_file, "--data", other.data)
        self.assertIn(f"UDP (browsers) 127.0.0.1:{media}", done.said)

    def test_status_counts(self):
        self.assertEqual(self.office.status()["registered_extensions"], 0)
        with Phone("1001", self.office) as phone:
            phone.register()
            self.assertEqual(self.office.status()["registered_contacts"], 1)
            self.assertRegex(self.office.cli("status"), r"extensions registered +1 \(phones: 1\)")


def reinvite_answered(phone):
    """A caller that was rung first is told of the other side's media when that has answered."""
    again = phone.expect(lambda m: m.method == "INVITE", "re-INVITE")
    phone.media.peer(again.body)
    phone.reply(again, 200, "OK", phone.sdp())
    phone.expect(lambda m: m.method == "ACK", "ACK")


if __name__ == "__main__":
    unittest.main()
