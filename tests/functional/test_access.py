"""Logging in, users, API keys, the audit log: with the real server over the network."""
import concurrent.futures
import http.client
import json
import os
import pty
import re
import ssl
import subprocess
import threading
import unittest

from api_client import Client, login, user
from office import Office, password, wait_until

STRICT = "security:\n  trusted_networks: ['10.0.0.0/8']\n  rate_limit: {max_attempts: 3, window_seconds: 300, lockout_duration: 900}\n"


class Logins(unittest.TestCase):
    def test_users_extensions_and_keys_come_in_and_go_out(self):
        with Office() as office:
            admin = user(office, "eve")
            self.assertEqual(admin.ask("GET", "/api/me")[2],
                             {"name": "eve", "role": "admin", "extension": None, "scopes": []})
            alice = login(office, "1001", password("1001"))
            self.assertEqual(alice.ask("GET", "/api/me")[2]["extension"], "1001")
            self.assertEqual([e["number"] for e in alice.ask("GET", "/api/extensions")[2]], ["1001"])
            self.assertEqual(alice.ask("GET", "/api/extensions/1002")[0], 403)
            made = admin.ask("POST", "/api/keys", {"name": "crm", "scopes": ["calls:read"]})[2]
            key = Client(office, headers={"X-API-Key": made["key"]})
            self.assertEqual(key.ask("GET", "/api/calls")[:1] + key.ask("GET", "/api/calls")[2:], (200, []))
            self.assertEqual(key.ask("GET", "/api/extensions")[0], 403)
            office.cli("key", "rm", made["id"])
            self.assertEqual(key.ask("GET", "/api/calls")[0], 401)
            self.assertEqual(alice.ask("POST", "/api/logout")[0], 200)
            self.assertEqual(alice.ask("GET", "/api/me")[0], 401)
            self.assertEqual(Client(office).ask("GET", "/api/me")[1]["www-authenticate"], 'Bearer realm="bellwire"')

    def test_logins_outlive_a_restart_and_nothing_that_opens_is_stored(self):
        with Office() as office:
            made = office.json("user", "add", "eve")
            status, _, answer = Client(office).log_in("eve", made["password"])
            self.assertEqual(status, 200)
            key = office.json("key", "add", "crm", "--scope", "*")["key"]
            office.kill()
            office.start()
            self.assertEqual(Client(office, answer["token"]).ask("GET", "/api/users")[0], 200)
            self.assertEqual(Client(office, key).ask("GET", "/api/calls")[0], 200)
            stored = b"".join(f.read_bytes() for f in office.data.iterdir() if f.name.startswith("bellwire.db"))
            for secret in (made["password"], answer["token"], key):
                self.assertNotIn(secret.encode(), stored)
            self.assertNotIn(made["password"], office.log.read_text())

    def test_the_first_start_shows_one_password_on_the_terminal_alone(self):
        office = Office()
        main, far = pty.openpty()
        office.process = subprocess.Popen(
            office.command("serve", "--config", str(office.config_file), "--data", str(office.data)),
            stdout=far, stderr=far, stdin=subprocess.DEVNULL)
        os.close(far)
        office.log.write_text("")
        try:
            shown = ""

            def found():
                nonlocal shown
                shown += os.read(main, 4096).decode(errors="replace")
                return re.search(r"user admin, password (\S+)", shown)

            secret = wait_until(found, 60, "the password on the terminal").group(1)
            wait_until(lambda: office.alive() and office.answers(), 60, "the server answers")
            self.assertEqual(login(office, "admin", secret).ask("GET", "/api/me")[2]["role"], "admin")
        finally:
            os.close(main)
            office.process.terminate()
            office.process.wait(30)
            office.process = None
            office.__exit__(None)

    def test_who_guesses_is_locked_out_and_that_is_written_down(self):
        with Office(config=STRICT) as office:
            made = office.json("user", "add", "eve")
            wrong = [Client(office).log_in(name, "nope") for name in ("eve", "nobody")]
            self.assertEqual(wrong[0][0], 401)
            self.assertEqual(wrong[0][2], wrong[1][2])
            Client(office).log_in("eve", "nope")
            status, headers, answer = Client(office).log_in("eve", made["password"])
            self.assertEqual((status, answer["code"]), (423, "locked"))
            self.assertGreater(int(headers["retry-after"]), 800)
            for i in range(20):
                self.assertEqual(Client(office).log_in(f"user{i}", "nope")[0], 423)
            log = office.json("audit")
            self.assertEqual([(e["action"], e["status"], e["who"]) for e in log[:4]],
                             [("login", 423, "eve"), ("login", 401, "nobody"), ("login", 401, "eve"), ("addUser", 200, "operator")])
            office.stop()  # what was counted so far is written down before the end
            office.start()
            counted = {(e["status"], e["who"]): e["after"]["repeated"] for e in office.json("audit")[:2]}
            self.assertEqual(counted, {(401, "eve"): 1, (423, "eve"): 20})
            self.assertNotIn("nope", json.dumps(log))
            kinds = lambda: [r["data"] for r in office.rows("SELECT data FROM events WHERE type = 'security.lockout'")]
            wait_until(lambda: any("127.0.0.1" in data for data in kinds()), 60, "the event of the lockout")

    def test_many_logins_at_once_all_get_an_answer_and_hold_up_nobody(self):
        config = "security:\n  rate_limit: {max_attempts: 1000, window_seconds: 300, lockout_duration: 60}\n"
        with Office(config=config) as office:
            with concurrent.futures.ThreadPoolExecutor(40) as crowd:
                answers = [crowd.submit(Client(office).log_in, f"user{i}", "nope") for i in range(120)]
                self.assertEqual(Client(office).ask("GET", "/health")[0], 200)
                told = [a.result()[0] for a in answers]
            self.assertEqual(set(told) - {401, 429}, set())  # four of one address at a time, the others later
            self.assertIn(401, told)

    def test_a_flood_of_logins_keeps_nobody_out(self):
        config = "security:\n  rate_limit: {max_attempts: 1000, window_seconds: 300, lockout_duration: 60}\n"
        with Office(config=config) as office:
            made = office.json("user", "add", "eve")
            ending = threading.Event()

            def flood():
                while not ending.is_set():
                    Client(office, source="127.0.0.2").log_in("eve", "nope")

            with concurrent.futures.ThreadPoolExecutor(20) as crowd:
                floods = [crowd.submit(flood) for _ in range(20)]
                try:
                    for _ in range(5):
                        self.assertEqual(Client(office).log_in("eve", made["password"])[0], 200)
                        self.assertEqual(Client(office).log_in("1001", password("1001"))[0], 200)
                finally:
                    ending.set()
                for one in floods:
                    one.result()

    def test_the_cookie_works_for_our_own_pages_alone(self):
        with Office(config="") as office:
            made = office.json("user", "add", "eve")
            status, headers, answer = Client(office).log_in("eve", made["password"], cookie=True)
            self.assertEqual(status, 200)
            self.assertNotIn("token", answer)
            for word in ("HttpOnly", "SameSite=Strict"):
                self.assertIn(word, headers["set-cookie"])
            page = Client(office, headers={"Cookie": headers["set-cookie"].split(";")[0]})
            self.assertEqual(page.ask("GET", "/api/users")[0], 200)
            here = f"http://{office.host}:{office.http}"
            for origin, expected in ((None, 403), ("null", 403), ("http://evil.example", 403), (here, 200)):
                more = {"Origin": origin} if origin else {}
                self.assertEqual(page.ask("POST", "/api/reload", {}, more)[0], expected, origin)
            self.assertEqual(page.ask("POST", "/api/logout", {}, {"Origin": here})[0], 200)
            self.assertEqual(page.ask("GET", "/api/users")[0], 401)

    def test_the_cookie_is_secure_over_tls(self):
        with Office() as office:
            connection = http.client.HTTPSConnection(office.host, office.https, timeout=60,
                                                     context=ssl._create_unverified_context())
            connection.request("POST", "/api/login", json.dumps(
                {"username": "1001", "password": password("1001"), "cookie": True}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            self.assertIn("; Secure", answer.getheader("Set-Cookie"))
            # Browsers would apply it to every port of the host, the one without TLS included.
            self.assertIsNone(answer.getheader("Strict-Transport-Security"))
            connection.close()


class Changes(unittest.TestCase):
    def test_every_change_is_in_the_audit_log_and_its_file_without_secrets(self):
        with Office(config="") as office:
            office.config_file.write_text(office.config_file.read_text() + "security:\n  audit:\n    log_to_file: true\n"
                                          f"    log_file: '{office.folder}/audit.log'\n")
            office.stop()
            office.start()
            admin = user(office, "eve")
            admin.ask("POST", "/api/extensions", {"number": "1009", "password": "Given-Pass-42!"})
            admin.ask("PUT", "/api/extensions/1009", {"name": "Nina"})
            admin.ask("DELETE", "/api/extensions/1009")
            log = [e for e in admin.ask("GET", "/api/audit?who=eve")[2] if e["action"] != "login"]
            self.assertEqual([e["action"] for e in log], ["removeExtension", "changeExtension", "addExtension"])
            self.assertEqual(log[0]["before"]["name"], "Nina")
            self.assertEqual((log[1]["before"]["name"], log[1]["after"]["name"]), ("", "Nina"))
            self.assertEqual(log[2]["after"]["password"], "(secret)")
            self.assertEqual((log[2]["from"], log[2]["way"]), ("127.0.0.1", "token"))
            text = wait_until(lambda: (office.folder / "audit.log").read_text().count("removeExtension") and
                              (office.folder / "audit.log").read_text(), 60, "the file")
            self.assertNotIn("Given-Pass-42", text + json.dumps(log))

    def test_lists_lead_from_page_to_page(self):
        with Office(extensions=[str(n) for n in range(1001, 1021)]) as office:
            admin = user(office, "eve")
            path, numbers = "/api/extensions?limit=7", []
            while path:
                status, headers, page = admin.ask("GET", path)
                self.assertEqual(status, 200)
                self.assertLessEqual(len(page), 7)
                numbers += [e["number"] for e in page]
                link = re.fullmatch(r'<([^>]+)>; rel="next"', headers.get("link", ""))
                path = link and link.group(1)
            self.assertEqual(numbers, [str(n) for n in range(1001, 1021)])
            for i in range(12):
                admin.ask("PUT", "/api/extensions/1001", {"name": f"N{i}"})
            first = admin.ask("GET", "/api/audit?limit=5&action=changeExtension")
            after = admin.ask("GET", re.search("<([^>]+)>", first[1]["link"]).group(1))
            self.assertEqual([e["after"]["name"] for e in first[2] + after[2]], [f"N{i}" for i in range(11, 1, -1)])

    def test_the_same_idempotency_key_adds_once(self):
        with Office() as office:
            admin = user(office, "eve")
            key = {"Idempotency-Key": "first-try"}
            one = admin.ask("POST", "/api/extensions", {"number": "1009"}, key)
            two = admin.ask("POST", "/api/extensions", {"number": "1009"}, key)
            self.assertEqual((one[0], two[0], one[2]), (200, 200, two[2]))
            self.assertEqual(two[1]["idempotency-replayed"], "true")
            self.assertEqual(admin.ask("POST", "/api/extensions", {"number": "1010"}, key)[0], 422)
            self.assertEqual(admin.ask("POST", "/api/extensions", {"number": "1009"})[0], 409)


if __name__ == "__main__":
    unittest.main()
