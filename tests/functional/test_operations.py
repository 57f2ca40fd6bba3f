"""Calls controlled, looked up and counted over the API; presence; the configuration; figures and readiness."""
import csv
import io
import json
import pathlib
import sqlite3
import ssl
import unittest
import urllib.request

from api_client import Client, login, user
from office import Office, password, wait_until
from receiver import Receiver, ok
from softphone import Phone, talk


def asked_again(phone, direction):
    """Answers the re-INVITE; the direction that was offered comes back."""
    again = phone.expect(lambda m: m.method == "INVITE", "re-INVITE", 60)
    phone.reply(again, 200, "OK", phone.sdp(direction))
    phone.expect(lambda m: m.method == "ACK" and m.get("Call-ID") == again.get("Call-ID"), "ACK", 60)
    return next(d for d in ("sendonly", "recvonly", "inactive", "sendrecv") if f"a={d}" in again.body or d == "sendrecv")


class Calls(unittest.TestCase):
    def test_a_user_controls_its_own_call_and_nobody_elses(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob, \
                Phone("1003", office) as carol:
            for phone in (alice, bob, carol):
                phone.register()
            talk(alice, bob)
            call = office.json("call", "ls")[0]["call_id"]
            own = login(office, "1001", password("1001"))
            stranger = login(office, "1004", password("1004"))
            admin = user(office, "eve")

            status, _, shown = own.ask("GET", f"/api/calls/{call}")
            self.assertEqual((status, shown["state"]), (200, "up"))
            self.assertEqual([leg["party"] for leg in shown["legs"]], ["1001", "1002"])
            self.assertEqual(shown["legs"][0]["device"], "test-phone")
            self.assertEqual(stranger.ask("GET", f"/api/calls/{call}")[0], 404)
            self.assertEqual(Client(office).ask("GET", f"/api/calls/{call}")[0], 401)
            for what in ("hold", "resume", "hangup"):
                self.assertEqual(stranger.ask("POST", f"/api/call/{what}", {"call_id": call})[0], 404, what)
            self.assertEqual(stranger.ask("POST", "/api/call/transfer", {"call_id": call, "to": "1003"})[0], 404)
            refused = own.ask("POST", "/api/call/hold", {"call_id": call, "extension": "1002"})
            self.assertEqual((refused[0], refused[2]["field"]), (403, "extension"))
            unnamed = admin.ask("POST", "/api/call/hold", {"call_id": call})
            self.assertEqual((unnamed[0], unnamed[2]["field"]), (400, "extension"))
            self.assertEqual(own.ask("POST", "/api/call/resume", {"call_id": call})[0], 409)

            self.assertEqual(own.ask("POST", "/api/call/hold", {"call_id": call})[0], 200)
            self.assertIn(asked_again(bob, "recvonly"), ("sendonly", "inactive"))
            asked_again(alice, "sendrecv")
            wait_until(lambda: own.ask("GET", f"/api/calls/{call}")[2]["state"] == "held", 60, "held")
            self.assertEqual(own.ask("POST", "/api/call/hold", {"call_id": call})[0], 409)
            resumed = wait_until(
                lambda: own.ask("POST", "/api/call/resume", {"call_id": call})[0] == 200, 60, "resumed")
            self.assertTrue(resumed)
            self.assertEqual(asked_again(alice, "sendrecv"), "sendrecv")
            asked_again(bob, "sendrecv")
            wait_until(lambda: own.ask("GET", f"/api/calls/{call}")[2]["state"] == "up", 60, "up again")

            self.assertEqual(own.ask("POST", "/api/call/transfer", {"call_id": call})[2]["field"], "to")
            self.assertEqual(own.ask("POST", "/api/call/transfer", {"call_id": call, "to": "1777"})[0], 404)
            same = {"Idempotency-Key": "one transfer"}
            for _ in range(2):
                status, _, answer = own.ask("POST", "/api/call/transfer", {"call_id": call, "to": "1003"}, same)
                self.assertEqual((status, answer["success"]), (200, True))
            carol.ringing(60)
            self.assertEqual(admin.ask("POST", "/api/call/hangup", {"call_id": call})[0], 200)
            wait_until(lambda: not office.json("call", "ls"), 60, "the end of the call")
            self.assertEqual(admin.ask("POST", "/api/call/hangup", {"call_id": call})[0], 404)

    def test_the_command_line_does_the_same(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            alice.register()
            bob.register()
            talk(alice, bob)
            call = office.json("call", "ls")[0]["call_id"]
            self.assertEqual(office.json("call", "show", call)["call_id"], call)
            self.assertIn("test-phone", office.cli("call", "show", call))
            self.assertEqual(office.json("call", "hold", call, "1001"), {"success": True})
            asked_again(bob, "recvonly")
            self.assertIn("no such call", office.cli("call", "transfer", "nothing", "1001", "1003", ok=False))
            self.assertEqual(office.json("call", "hangup", call), {"success": True})

    def test_records_are_found_by_period_and_read_by_spreadsheets(self):
        with Office(config="") as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            alice.register()
            bob.register()
            talk(alice, bob)
            alice.hang_up()
            bob.hung_up()
            admin = user(office, "eve")
            record = wait_until(lambda: [r for r in admin.ask("GET", "/api/cdr")[2] if r["end_time"]], 60, "a record")[0]
            today = record["start_time"][:10]
            for good in (f"date={today}", f"from={today}", f"to={today}", f"from={today}T00:00:00Z",
                         f"from={today}T00:00:00%2B00:00&to={today}"):
                self.assertEqual(len(admin.ask("GET", f"/api/cdr?{good}")[2]), 1, good)
            for empty in ("date=1999-01-01", "to=1999-01-01", "from=2150-01-01", "extension=1003"):
                self.assertEqual(admin.ask("GET", f"/api/cdr?{empty}")[2], [], empty)
            for bad, field in (("date=yesterday", "date"), ("date=2026-02-30", "date"), ("from=1", "from"),
                               ("to=2026-01-01T10:00", "to"), ("format=xml", "format"), ("cursor=7", "cursor"),
                               (f"date={today}&from={today}", "date"), ("from=2026-01-02&to=2026-01-01T00:00:00Z", "to")):
                status, _, answer = admin.ask("GET", f"/api/cdr?{bad}")
                self.assertEqual((status, answer.get("field")), (400, field), bad)
            # A name that a spreadsheet would take for a formula: only whoever dials can write it.
            with sqlite3.connect(office.data / "bellwire.db", timeout=30) as database:
                database.execute("UPDATE call_records SET user_agent = '=cmd|\"x\",1', reason = 'two\nlines'")
            status, headers, text = admin.ask("GET", "/api/cdr?format=csv")
            self.assertTrue(headers["content-type"].startswith("text/csv"))
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            self.assertEqual(rows[0]["call_id"], record["call_id"])
            self.assertEqual(rows[0]["user_agent"], "'=cmd|\"x\",1")
            self.assertEqual(rows[0]["reason"], "two\nlines")
            self.assertEqual(len(login(office, "1001", password("1001")).ask("GET", "/api/cdr")[2]), 1)
            self.assertEqual(login(office, "1003", password("1003")).ask("GET", "/api/cdr")[2], [])
            self.assertEqual(login(office, "1003", password("1003")).ask("GET", "/api/cdr?extension=1001")[0], 403)

            figures = admin.ask("GET", f"/api/statistics?date={today}")[2]
            self.assertEqual((figures["date"], figures["total_calls"], figures["answered_calls"]), (today, 1, 1))
            self.assertEqual((figures["answer_rate"], len(figures["per_hour"]), figures["timezone"]), (100, 24, "UTC"))
            hour = int(record["start_time"][11:13])
            self.assertEqual(figures["per_hour"][hour]["total_calls"], 1)
            self.assertEqual({e["extension"]: e["made_calls"] for e in figures["per_extension"]}, {"1001": 1, "1002": 0})
            self.assertEqual(admin.ask("GET", "/api/statistics?from=2000-01-01&to=2026-01-01")[0], 400)
            self.assertEqual(admin.ask("GET", "/api/statistics?date=1999-12-31")[2]["total_calls"], 0)


class Presence(unittest.TestCase):
    def test_people_say_what_they_do_and_only_of_themselves(self):
        with Office() as office, Phone("1001", office) as alice:
            alice.register()
            own, admin = login(office, "1001", password("1001")), user(office, "eve")
            people = {p["extension"]: p for p in own.ask("GET", "/api/presence")[2]}
            self.assertEqual((people["1001"]["status"], people["1002"]["status"]), ("available", "offline"))
            self.assertEqual(own.ask("POST", "/api/presence/set", {"status": "dnd", "custom_message": "lunch"})[0], 200)
            told = {p["extension"]: p for p in admin.ask("GET", "/api/presence")[2]}["1001"]
            self.assertEqual((told["status"], told["custom_message"], told["in_call"]), ("dnd", "lunch", False))
            for body, status in (({"status": "asleep"}, 400), ({"status": "away", "extension": "1002"}, 403), ({}, 400),
                                 ({"status": "away", "custom_message": "x" * 201}, 400)):
                self.assertEqual(own.ask("POST", "/api/presence/set", body)[0], status, body)
            self.assertEqual(admin.ask("POST", "/api/presence/set", {"status": "away"})[0], 400)
            self.assertEqual(admin.ask("POST", "/api/presence/set", {"status": "away", "extension": "1999"})[0], 404)


class Configuration(unittest.TestCase):
    def test_changes_are_checked_written_in_force_logged_and_undone(self):
        with Office(config="logging:\n  level: INFO   # not too much\nevents:\n  retention_days: 30  # a month\n") as office:
            admin = user(office, "eve")
            before = office.config_file.read_text()
            whole = admin.ask("GET", "/api/config")[2]
            self.assertEqual(whole["server"]["sip_port"], office.sip)
            self.assertEqual(whole["extensions"][0]["password"], "********")
            self.assertNotIn(password("1001"), json.dumps(whole))

            status, _, answer = admin.ask("PUT", "/api/config", {"server": {"sip_prt": 1, "sip_port": "many"},
                                                                 "logging": {"level": "loud"}})
            self.assertEqual(status, 422)
            self.assertEqual({p["key"] for p in answer["problems"]}, {"server.sip_prt", "server.sip_port", "logging.level"})
            self.assertEqual(office.config_file.read_text(), before)
            self.assertEqual(admin.ask("PUT", "/api/config", {"sever": {}})[0], 400)

            status, _, answer = admin.ask("PUT", "/api/config", whole)
            self.assertEqual((status, answer["changed"]), (200, []))
            self.assertEqual(office.config_file.read_text(), before)

            whole["logging"]["level"] = "DEBUG"
            whole["api"]["tls_port"] = 0
            status, _, answer = admin.ask("PUT", "/api/config", whole)
            self.assertEqual((status, sorted(answer["changed"])), (200, ["api.tls_port", "logging.level"]))
            self.assertEqual(answer["needs_restart"], ["api.tls_port"])
            after = office.config_file.read_text()
            self.assertIn("# a month", after)
            self.assertIn(password("1001"), after)
            self.assertEqual(admin.ask("GET", "/api/config")[2]["logging"]["level"], "DEBUG")
            logged = wait_until(lambda: [e for e in admin.ask("GET", "/api/audit")[2] if "onfiguration" in e["action"]],
                                60, "the audit log")
            self.assertIn("logging.level", json.dumps(logged[0]))
            self.assertNotIn(password("1001"), json.dumps(logged))

            status, _, answer = admin.ask("POST", "/api/config/undo")
            self.assertEqual(status, 200, answer)
            self.assertEqual(office.config_file.read_text(), before)
            self.assertEqual(admin.ask("GET", "/api/config")[2]["logging"]["level"], "INFO")
            office.config_file.write_text(before + "# mine\n")
            self.assertEqual(admin.ask("POST", "/api/config/undo")[2]["code"], "edited_since")
            self.assertEqual(login(office, "1001", password("1001")).ask("GET", "/api/config")[0], 403)


    def test_switching_the_audit_log_off_is_its_last_entry(self):
        with Office() as office:
            admin = user(office, "eve")
            self.assertEqual(admin.ask("PUT", "/api/config", {"security": {"audit": {"enabled": False}}})[0], 200)
            admin.ask("PUT", "/api/extensions/1001", {"name": "Unseen"})
            seen = lambda: [(e["action"], e["who"]) for e in admin.ask("GET", "/api/audit")[2]][:2]
            wait_until(lambda: set(seen()) == {("changeConfiguration", "eve"), ("changeAuditLog", "configuration")}, 60,
                       "who switched it off, and that it is off")
            admin.ask("PUT", "/api/config", {"security": {"audit": {"enabled": True}}})
            admin.ask("PUT", "/api/extensions/1001", {"name": "Seen"})
            wait_until(lambda: seen()[0] == ("changeExtension", "eve"), 60, "changes are written down again")
            self.assertIn(("changeConfiguration", "eve"), seen())
            # So it is when the file itself says so.
            office.config_file.write_text(office.config_file.read_text().replace("enabled: true", "enabled: false"))
            office.cli("reload")
            wait_until(lambda: ("changeAuditLog", "configuration") in seen(), 60, "that it is off")
            # What was changed meanwhile shows only as the value before the next change.
            changes = [e["after"] for e in admin.ask("GET", "/api/audit?action=changeExtension")[2]]
            self.assertEqual(changes, [{"name": "Seen"}])

    def test_over_the_api_log_files_and_database_stay_where_they_may_lie(self):
        with Office(config="") as office:
            logs = office.folder / "logs"
            logs.mkdir()
            office.stop()
            office.config_file.write_text(office.config_file.read_text() + f"logging:\n  file: '{logs}/server.log'\n")
            office.start()
            admin = user(office, "eve")
            (logs / "link.log").symlink_to("/etc/passwd")
            (logs / "way").symlink_to("/etc")
            before = office.config_file.read_text()
            for path in ("/etc/cron.d/x", "/etc/x.log", f"{logs}/../x.log", f"{logs}/link.log", f"{logs}/way/x.log",
                         f"{office.data}/bellwire.db", f"{logs}", f"{logs}/none/x.log", "../x.log"):
                for key, change in (("security.audit.log_file", {"security": {"audit": {"log_to_file": True, "log_file": path}}}),
                                    ("logging.file", {"logging": {"file": path}})):
                    status, _, answer = admin.ask("PUT", "/api/config", change)
                    self.assertEqual((status, [p["key"] for p in answer["problems"]]), (422, [key]), path)
                    self.assertIn("in the file itself", answer["problems"][0]["message"])
            status, _, answer = admin.ask("PUT", "/api/config", {"database": {"path": "/tmp/other.db"}})
            self.assertEqual((status, answer["problems"][0]["key"]), (422, "database.path"))
            self.assertEqual(office.config_file.read_text(), before)
            for path in (f"{logs}/audit.log", f"{office.data}/audit.log"):
                change = {"security": {"audit": {"log_to_file": True, "log_file": path}}}
                self.assertEqual(admin.ask("PUT", "/api/config", change)[0], 200, path)
                admin.ask("PUT", "/api/extensions/1001", {"name": "Nina"})
                wait_until(lambda: "Nina" in pathlib.Path(path).read_text(), 60, path)

    def test_log_files_without_a_directory_lie_with_the_data_and_not_where_the_server_was_started(self):
        with Office(config="logging: {file: logs/server.log}\nsecurity:\n  audit: {log_to_file: true, log_file: audit.log}\n") as office:
            told = lambda name, what: wait_until(lambda: what in (office.data / name).read_text(), 60, f"{what} in {name}")
            told("logs/server.log", "is ready")
            admin = user(office, "eve")
            change = {"security": {"audit": {"log_file": "changes.log"}}}
            self.assertEqual(admin.ask("PUT", "/api/config", change)[0], 200)
            admin.ask("PUT", "/api/extensions/1001", {"name": "Nina"})
            told("changes.log", "Nina")
            told("audit.log", "addUser")


class Operating(unittest.TestCase):
    def test_figures_are_those_of_the_server_and_not_for_everybody(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            alice.register()
            bob.register()
            talk(alice, bob)
            admin = user(office, "eve")
            key = admin.ask("POST", "/api/keys", {"name": "prometheus", "role": "supervisor", "scopes": ["metrics"]})
            self.assertEqual(key[0], 200, key)
            prometheus = Client(office, headers={"X-API-Key": key[2]["key"]})

            def figures():
                status, headers, text = prometheus.ask("GET", "/metrics")
                self.assertEqual(status, 200, text)
                self.assertTrue(headers["content-type"].startswith("text/plain"))
                return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

            first = figures()
            self.assertEqual(first["bellwire_calls_active"], "1")
            self.assertEqual(first["bellwire_registered_extensions"], "2")
            self.assertGreater(float(first['bellwire_sip_messages_total{direction="in",transport="udp"}']), 4)
            self.assertGreater(float(first["bellwire_database_commits_total"]), 0)
            self.assertGreater(float(first["process_resident_memory_bytes"]), 1e6)
            wait_until(lambda: figures()["bellwire_media_legs"] == "2", 60, "the two sides of the call")
            alice.hang_up()
            wait_until(lambda: figures()["bellwire_media_legs"] == "0", 60, "no side is left")
            wait_until(lambda: figures()['bellwire_calls_ended_total{disposition="answered"}'] == "1", 60, "an ended call")
            wait_until(lambda: figures()["bellwire_calls_active"] == "0", 60, "no call is left")
            last = figures()
            self.assertGreater(float(last["bellwire_events_total"]), float(first["bellwire_events_total"]))
            self.assertGreater(float(last['bellwire_http_requests_total{operation="metrics",status="200"}']), 1)
            self.assertEqual(login(office, "1001", password("1001")).ask("GET", "/metrics")[0], 403)
            self.assertEqual(Client(office).ask("GET", "/metrics")[0], 401)
            self.assertEqual(prometheus.ask("GET", "/api/calls")[0], 403)

    def test_figures_of_webhooks(self):
        # The second attempt is beyond the test: however slow the machine is, nothing is given up.
        config = "features:\n  webhooks:\n    retry_delay: 3600\n    timeout: 60\n    allow_networks: [127.0.0.0/8]\n"
        with Receiver() as good, Receiver(500) as bad, Office(config=config) as office, Phone("1001", office) as alice:
            names = [ok(office, "POST", "/api/webhooks", {"url": r.url(), "events": ["extension.*"]})["subscription"]["id"]
                     for r in (good, bad)]
            admin = user(office, "eve")

            def figure(name, which, result=None):
                labels = f'{{subscription="{names[which]}"' + (f',result="{result}"}}' if result else "}")
                text = admin.ask("GET", "/metrics")[2]
                line, = [line for line in text.splitlines() if line.startswith(f"bellwire_webhook_{name}{labels} ")]
                return float(line.rsplit(" ", 1)[1])

            self.assertEqual(figure("deliveries_total", 0, "ok"), 0)
            alice.register()
            wait_until(lambda: figure("deliveries_total", 0, "ok") == 1, 60, "the good one has it")
            wait_until(lambda: figure("deliveries_total", 1, "failed") == 1, 60, "the bad one does not")
            self.assertEqual(figure("deliveries_total", 0, "failed"), 0)
            self.assertEqual(figure("deliveries_total", 1, "ok"), 0)
            wait_until(lambda: figure("pending_events", 0) == 0, 60, "nothing is left for the good one")
            wait_until(lambda: figure("pending_events", 1) >= 1, 60, "it waits for the bad one")
            self.assertEqual(figure("dead_letters", 1), 0)
            self.assertEqual(figure("attempts_total", 0), 1)
            self.assertGreater(figure("attempt_seconds_total", 0), 0)
            self.assertIn("\nbellwire_webhook_subscriptions 2\n", admin.ask("GET", "/metrics")[2])

    def test_ready_means_that_the_database_commits(self):
        with Office() as office:
            anyone = Client(office)
            # The control socket answers before the last media loop has its ports.
            wait_until(lambda: anyone.ask("GET", "/health/ready")[0] == 200, 60, "ready")
            status, _, answer = anyone.ask("GET", "/health/ready")
            self.assertEqual((status, answer["parts"]), (200, {"sip": "ok", "database": "ok", "media": "ok"}))
            lock = sqlite3.connect(office.data / "bellwire.db", isolation_level=None, timeout=30)
            lock.execute("BEGIN IMMEDIATE")
            status, _, answer = anyone.ask("GET", "/health/ready")
            self.assertEqual((status, answer["parts"]["database"], answer["parts"]["sip"]), (503, "down", "ok"))
            lock.execute("ROLLBACK")
            lock.close()
            wait_until(lambda: anyone.ask("GET", "/health/ready")[0] == 200, 60, "ready again")

    def test_the_paths_are_there_over_tls(self):
        with Office() as office:
            own = login(office, "1001", password("1001"))
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            request = urllib.request.Request(f"https://127.0.0.1:{office.https}/api/presence", headers=own.headers)
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                self.assertEqual(len(json.load(answer)), 4)


if __name__ == "__main__":
    unittest.main()
