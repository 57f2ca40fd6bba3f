"""What somebody comes across who runs the system for the first time: commands that tell the truth, and what to do."""
import os
import re
import shutil
import subprocess
import unittest

from api_client import Client, login, user
from office import Office, password, wait_until
from softphone import Phone, talk

STRICT = "security:\n  rate_limit: {max_attempts: 5, window_seconds: 600, lockout_duration: 600}\n"
STRANGERS = STRICT + "  trusted_networks: ['10.0.0.0/8']\n"


def said(office, *words, code):
    """What a command printed that ends with this code."""
    done = subprocess.run(office.command(*words, "--data", str(office.data)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    if done.returncode != code:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}")
    return done.stdout


class Lockouts(unittest.TestCase):
    def guess(self, phone):
        for _ in range(5):
            self.assertEqual(phone.register(ok=False).status, 401)

    def test_a_phone_that_guessed_is_let_in_again_at_once(self):
        with Office(config=STRANGERS) as office, Phone("1001", office, secret="wrong") as phone:
            self.guess(phone)
            rows = wait_until(lambda: (found := office.json("lockout", "ls")) and len(found) > 1 and found, 60, "both are listed")
            self.assertEqual({(row["subject"], row["kind"], row["of"]) for row in rows},
                             {("127.0.0.1", "address", "phone"), ("1001", "extension", "phone")})
            self.assertIn("127.0.0.1", office.cli("lockout", "ls"))
            phone.secret = password("1001")
            with self.assertRaises(AssertionError):  # no answer at all
                phone.register(seconds=2)
            self.assertIn("may try again", office.cli("lockout", "lift", "127.0.0.1"))
            office.cli("lockout", "lift", "1001")
            self.assertEqual(office.json("lockout", "ls"), [])
            self.assertEqual(phone.register().status, 200)
            self.assertIn("Nobody is locked out as 1001", said(office, "lockout", "lift", "1001", code=5))
            lifted = [row["target"] for row in office.json("audit") if row["action"] == "liftLockout"]
            self.assertEqual(sorted(lifted), ["/api/lockouts/1001", "/api/lockouts/127.0.0.1"])

    def test_a_person_who_mistyped_too_often_is_let_in_by_an_admin_and_by_nobody_else(self):
        with Office(config=STRICT) as office:
            admin, supervisor = user(office, "eve"), user(office, "sue", "supervisor")
            for _ in range(5):
                self.assertEqual(Client(office).log_in("1001", "wrong")[0], 401)
            self.assertEqual(Client(office).log_in("1001", password("1001"))[0], 423)
            told = "locked out 1001 for 600 s after 5 wrong passwords"
            wait_until(lambda: told in office.log.read_text(), 60, "the log tells of it")
            self.assertEqual(supervisor.ask("GET", "/api/lockouts")[0], 403)
            self.assertEqual(supervisor.ask("DELETE", "/api/lockouts/1001")[0], 403)
            rows = admin.ask("GET", "/api/lockouts")[2]
            self.assertEqual([(r["subject"], r["kind"], r["of"], r["attempts"]) for r in rows], [("1001", "user", "login", 5)])
            self.assertEqual(admin.ask("DELETE", "/api/lockouts/1001")[0], 200)
            self.assertEqual(Client(office).log_in("1001", password("1001"))[0], 200)
            self.assertEqual(admin.ask("DELETE", "/api/lockouts/1001")[0], 404)


class Configuration(unittest.TestCase):
    def test_what_waits_for_a_restart_is_told_until_it_came(self):
        with Office() as office:
            before = office.config_file.read_text()
            self.assertEqual(office.status()["needs_restart"], [])
            office.config_file.write_text(before.replace(f"sip_tls_port: {office.tls}", "sip_tls_port: 0"))
            self.assertEqual(office.json("reload")["needs_restart"], ["server.sip_tls_port"])
            self.assertEqual(office.json("reload")["needs_restart"], ["server.sip_tls_port"], "still")
            self.assertIn("server.sip_tls_port", office.cli("status"))
            doctor = said(office, "doctor", "--config", str(office.config_file), code=0)
            self.assertRegex(doctor, r"warning +restart +server\.sip_tls_port")
            for told in ("server.sip_tls_port changes with the next start", "in force; changed: server.sip_tls_port"):
                wait_until(lambda: told in office.log.read_text(), 60, f"the log tells: {told}")
            office.config_file.write_text(before + "nonsense: [\n")
            said(office, "reload", code=5)
            wait_until(lambda: "nothing was changed" in office.log.read_text(), 60, "the log tells of the refusal")
            office.config_file.write_text(before)
            self.assertEqual(office.json("reload")["needs_restart"], [], "taken back")
            self.assertEqual(office.status()["needs_restart"], [])

    def test_certificates_that_cannot_work_are_named_with_their_line(self):
        with Office() as office:
            pair = office.data / "tls.pem", office.data / "tls.key"
            wrong = office.data / "authority.key"
            before = office.config_file.read_text()

            def check(certificate, key, code):
                office.config_file.write_text(
                    f"{before}security:\n  tls_cert_file: {certificate}\n  tls_key_file: {key}\n")
                done = subprocess.run(office.command("check", str(office.config_file)), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, timeout=300)
                self.assertEqual(done.returncode, code, done.stdout)
                return done.stdout

            line = before.count("\n") + 2
            check(*pair, 0)
            self.assertRegex(check("/nowhere/tls.pem", pair[1], 1),
                             rf":{line}: error: security\.tls_cert_file: /nowhere/tls\.pem cannot be read: No such file")
            self.assertRegex(check(pair[0], "/nowhere/tls.key", 1), rf":{line + 1}: error: security\.tls_key_file")
            self.assertRegex(check(pair[0], wrong, 1), rf":{line + 1}: error: security\.tls_key_file: .*authority\.key")
            self.assertRegex(check(office.config_file, pair[1], 1), rf":{line}: error: security\.tls_cert_file")
            self.assertIn("security.tls_cert_file", said(office, "reload", code=5))

    def test_a_group_of_events_that_does_not_exist_is_refused_with_the_one_that_was_meant(self):
        with Office() as office:
            admin = user(office, "eve")

            def subscribe(*names):
                return admin.ask("POST", "/api/webhooks", {"url": "http://192.0.2.1/", "events": list(names)})

            for wrong, meant in (("call.endet", "call.ended"), ("cal.*", "call.*"), ("voicemail.mew", "voicemail.new")):
                status, _, answer = subscribe("call.started", wrong)
                self.assertEqual((status, answer["field"]), (400, "events"), wrong)
                self.assertIn(f'did you mean "{meant}"?', answer["error"])
            self.assertEqual(subscribe("kettle.boils")[0], 400)
            self.assertEqual(subscribe("*", "call.*", "queue.*", "conference.participant_joined", "trunk.down",
                                       "hot_desk.login_failed", "security.lockout")[0], 200)


    def test_what_is_no_file_and_no_port_is_said_so(self):
        with Office() as office:
            done = subprocess.run(office.command("check", str(office.folder)), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=300)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is a directory", done.stdout)
            self.assertIn("65535", said(office, "demo", "--sip-port", "99999", code=2))
            self.assertIn(f"{office.config_file}: no errors",
                          said(office, "doctor", "--config", str(office.config_file), code=0))


class Extensions(unittest.TestCase):
    def test_a_new_one_rings_as_the_configuration_says_until_it_says_so_itself(self):
        with Office(config="voicemail:\n  no_answer_timeout: 7\n") as office:
            office.cli("extension", "add", "1009")
            shown = lambda: office.json("extension", "show", "1009")
            self.assertEqual(shown()["ring_seconds"], 0)
            self.assertIn("no_answer_timeout", office.cli("extension", "show", "1009"))
            office.cli("extension", "change", "1009", "--ring-seconds", "20", "--email", "nina@example.com")
            self.assertEqual((shown()["ring_seconds"], shown()["email"]), (20, "nina@example.com"))
            self.assertIn("5 to 600, or 0", said(office, "extension", "change", "1009", "--ring-seconds", "2", code=5))
            office.cli("extension", "change", "1009", "--ring-seconds", "0")
            self.assertEqual(shown()["ring_seconds"], 0)
            self.assertEqual(shown()["email"], "nina@example.com")

    def test_forwards_that_lead_nowhere_or_in_a_circle_are_refused_when_they_are_set(self):
        with Office() as office:
            change = lambda number, *words, code=0: said(office, "extension", "change", number, *words, code=code)
            self.assertIn("no extension 1777", change("1001", "--forward", "1777", code=5))
            self.assertIn("to itself", change("1001", "--forward-busy", "1001", code=5))
            change("1001", "--forward", "1002")
            change("1002", "--forward", "1003")
            self.assertIn("in a circle", change("1003", "--forward-no-answer", "1001", code=5))
            self.assertIn("in a circle", change("1002", "--forward-unreachable", "1001", code=5))
            change("1002", "--forward", "", "--forward-no-answer", "1003")
            change("1003", "--forward-no-answer", "1002")  # who may ring closes no circle
            forward = office.json("extension", "show", "1002")["forward"]
            self.assertEqual((forward["always"], forward["no_answer"]), ("", "1003"))
            # What becomes a circle behind the back of the check ends the call with a sentence.
            office.cli("extension", "rm", "1002")
            with Phone("1004", office) as dave:
                dave.register()
                self.assertEqual(dave.dial("1001", ok=False).status, 404)

    def test_an_address_that_is_none_is_refused(self):
        with Office() as office:
            for wrong in ("nina", "nina@", "@example.com", "a b@example.com", "a@b@c", "a@example..com"):
                self.assertIn("name@example.com", said(office, "extension", "change", "1001", "--email", wrong, code=5))
            office.cli("extension", "change", "1001", "--email", "nina@example.com")
            office.cli("extension", "change", "1001", "--email", "")


    def test_both_ways_of_not_being_disturbed_are_shown(self):
        with Office() as office:
            shown = lambda: re.search("do not disturb +(.*)", office.cli("extension", "show", "1001")).group(1)
            self.assertEqual(shown(), "no")
            office.cli("extension", "change", "1001", "--do-not-disturb")
            self.assertIn("--disturb ends it", shown())
            office.cli("extension", "change", "1001", "--disturb")
            self.assertEqual(shown(), "no")
            alice, bob = (login(office, number, password(number)) for number in ("1001", "1002"))
            self.assertEqual(bob.ask("POST", "/api/presence/set", {"status": "dnd"})[0], 200)
            self.assertEqual(shown(), "no", "that is somebody else")
            self.assertEqual(alice.ask("POST", "/api/presence/set", {"status": "dnd"})[0], 200)
            self.assertIn("as the person wishes", shown())


class Calls(unittest.TestCase):
    def test_a_call_that_goes_on_has_not_failed(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            admin = user(office, "eve")
            alice.register()
            bob.register()
            talk(alice, bob)
            row = lambda: (admin.ask("GET", "/api/cdr")[2] or [{"disposition": "none yet"}])[0]["disposition"]
            wait_until(lambda: row() is None, 60, "the call is listed without an outcome")
            alice.hang_up()
            wait_until(lambda: row() == "answered", 60, "the outcome")

    def test_what_nobody_can_answer_is_not_called_a_success(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            for phone in (alice, bob):
                phone.register()
            talk(alice, bob)
            call = office.json("call", "ls")[0]["call_id"]
            self.assertIn("1003 is not registered", said(office, "call", "transfer", call, "1001", "1003", code=5))
            office.cli("extension", "change", "1003", "--forward-unreachable", "1004")
            self.assertIn("1004 is not registered", said(office, "call", "transfer", call, "1001", "1003", code=5))
            with Phone("1004", office) as dave:
                dave.register()
                self.assertIn("1003 is being called", office.cli("call", "transfer", call, "1001", "1003"))
                dave.ringing(60)
            self.assertIn("PORT", office.cli("phone", "ls"))
            self.assertIn(str(alice.link.local[1]), office.cli("phone", "ls"))

    def test_click_to_dial_writes_down_who_ended_it(self):
        def started():
            office.cli("call", "start", "1001", "1002")
            alice.ringing(60)

        def ended(which):
            return wait_until(lambda: office.rows(
                "select * from call_records where ended_at is not null order by started_at")[which:], 60, "the record")[0]

        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            alice.register()
            bob.register()
            started()
            alice.reply(alice.invite, 603, "Decline")
            self.assertEqual((ended(0)["hangup_by"], ended(0)["disposition"]), ("caller", "busy"))

            started()
            alice.answer()
            bob.ringing(60)
            office.cli("call", "hangup", office.json("call", "ls")[0]["call_id"])
            self.assertEqual((ended(1)["hangup_by"], ended(1)["cause_code"], ended(1)["disposition"]),
                             ("system", 487, "cancelled"))

    def test_ended_over_the_api_an_answered_call_ended_well(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            alice.register()
            bob.register()
            talk(alice, bob)
            office.cli("call", "hangup", office.json("call", "ls")[0]["call_id"])
            record = wait_until(lambda: office.rows("select * from call_records where ended_at is not null"), 60, "it")[0]
            self.assertEqual((record["disposition"], record["hangup_by"], record["cause_code"]), ("answered", "system", 0))


class Commands(unittest.TestCase):
    def test_lists_are_printed_as_words(self):
        with Office() as office:
            admin = user(office, "eve")
            admin.ask("POST", "/api/webhooks", {"url": "http://192.0.2.1/", "events": ["call.ended", "call.started"]})
            office.cli("key", "add", "crm", "--scope", "calls:read", "--scope", "phones:read")
            for text, words in ((office.cli("webhook", "ls"), "call.ended, call.started"),
                                (office.cli("key", "ls"), "calls:read, phones:read"),
                                (office.cli("extension", "ls"), "  no")):
                self.assertIn(words, text)
                for sign in '[{"':
                    self.assertNotIn(sign, text)

    def test_a_backup_into_a_directory_that_is_not_there_says_so(self):
        with Office() as office:
            self.assertIn(f"the directory {office.folder}/nowhere does not exist",
                          said(office, "backup", str(office.folder / "nowhere/copy.db"), code=5))
            (office.folder / "there").write_text("")
            self.assertIn("exists already", said(office, "backup", str(office.folder / "there"), code=5))

    def test_somebody_elses_server_is_not_taken_for_none(self):
        with Office() as office:
            for word in ("status", "doctor", "export", "demo"):
                command = office.command(word, "--data", str(office.data))
                if os.geteuid() == 0:  # root without its privilege over files is like anybody else
                    command = [shutil.which("setpriv"), "--bounding-set=-dac_override,-dac_read_search", *command]
                os.chmod(office.data, 0)
                try:
                    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
                finally:
                    os.chmod(office.data, 0o700)
                self.assertEqual(done.returncode, 4, done.stdout)
                self.assertIn("belongs to another user", done.stdout)
                self.assertNotIn("bellwire serve", done.stdout)

    def test_the_name_of_the_server_in_a_browser_leads_to_the_phone(self):
        with Office() as office:
            visitor = Client(office)
            status, headers, _ = visitor.ask("GET", "/")
            self.assertEqual((status, headers["location"]), (302, "/phone"))
            self.assertEqual(visitor.ask("GET", "/phone")[0], 200)
            status, headers, _ = visitor.ask("GET", "/phone/")
            self.assertEqual((status, headers["location"]), (308, "/phone"))
            self.assertEqual(visitor.ask("POST", "/", {})[0], 404)
            self.assertEqual(visitor.ask("GET", "/nothing")[0], 404)
        with Office(config="features:\n  webrtc:\n    enabled: false\n") as office:
            status, headers, page = Client(office).ask("GET", "/")
            self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
            self.assertIn('href="/docs"', page)


if __name__ == "__main__":
    unittest.main()
