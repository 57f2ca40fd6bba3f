"""Who is not who they say gets nothing, and learns nothing from how they are refused."""
import os
import re
import unittest

from office import Office, password, wait_until
from softphone import Phone

STRICT = "security:\n  trusted_networks: ['10.0.0.0/8']\n  rate_limit: {max_attempts: 5, window_seconds: 60, lockout_duration: 15}\n"


def shape(message):
    """A response without what differs between any two: tags, branches, nonces, numbers."""
    text = "\n".join(f"{k}: {v}" for k, v in message.headers)
    return message.first + re.sub(r'(tag|branch|nonce|rport|username|opaque)=("?)[^",;\s]+', r"\1=", re.sub(r"(1001|1777|\d{4,5})", "N", re.sub(r"(Call-ID|CSeq): .*", "", text)))


class Security(unittest.TestCase):
    def test_what_is_logged_is_not_for_everybody_of_the_machine(self):
        office = Office()
        log, audit = office.folder / "logs/server.log", office.folder / "audit.log"
        office.config_file.write_text(office.config_file.read_text() + f"logging:\n  file: '{log}'\n"
                                      f"security:\n  audit: {{log_to_file: true, log_file: '{audit}'}}\n")
        umask = os.umask(0)
        self.addCleanup(os.umask, umask)
        with office:
            self.assertEqual([oct(path.stat().st_mode & 0o777) for path in (log, audit)], ["0o640", "0o600"])

    def test_wrong_password_and_unknown_user_look_the_same(self):
        with Office(config=STRICT) as office:
            with Phone("1001", office, secret="wrong") as known, Phone("1777", office, secret="wrong") as unknown:
                first, second = known.register(ok=False), unknown.register(ok=False)
                self.assertEqual(first.status, 401)
                self.assertEqual(shape(first), shape(second))
                self.assertEqual(len(first.get("WWW-Authenticate")), len(second.get("WWW-Authenticate")))
                self.assertEqual(known.dial("1002", ok=False).status, 401)

    def test_a_call_needs_the_password_even_from_a_registered_address(self):
        with Office() as office, Phone("1001", office) as phone:
            phone.register()
            phone.secret = "wrong"
            self.assertEqual(phone.dial("1002", ok=False).status, 401)
            self.assertEqual(office.rows("select count(*) as n from call_records")[0]["n"], 0)

    def test_a_captured_request_cannot_be_replayed(self):
        with Office() as office, Phone("1001", office) as phone, Phone("1001", office) as thief:
            uri, call_id = f"sip:{phone.domain}", "captured"
            to = f"<sip:1001@{phone.domain}>"
            first = phone.request("REGISTER", uri, to, call_id, phone.tag, ["Expires: 60"])
            phone.send(first)
            challenge = phone.final("REGISTER", call_id).get("WWW-Authenticate")
            credentials = phone.authorization(challenge, "REGISTER", uri)
            phone.send(phone.request("REGISTER", uri, to, call_id, phone.tag, ["Expires: 60", credentials]))
            self.assertEqual(phone.final("REGISTER", call_id).status, 200)
            thief.send(thief.request("REGISTER", uri, to, "stolen", thief.tag, ["Expires: 60", credentials]))
            self.assertEqual(thief.final("REGISTER", "stolen").status, 401)
            contacts = office.json("phone", "ls")
            self.assertNotIn(str(thief.link.local[1]), str(contacts))

    def test_guessing_ends_in_silence_and_the_owner_comes_back_after_the_lockout(self):
        with Office(config=STRICT) as office, Phone("1001", office, secret="wrong") as guesser:
            for _ in range(5):
                self.assertEqual(guesser.register(ok=False).status, 401)
            with self.assertRaises(AssertionError):  # no answer at all
                guesser.register(ok=False, seconds=2)
            guesser.secret = password("1001")
            wait_until(lambda: self.registered(guesser), 60, "the lockout ends")
            self.assertIn("locked out", office.log.read_text())

    def registered(self, phone):
        try:
            return phone.register(ok=False, seconds=5).status == 200
        except AssertionError:
            return False

    def test_no_password_reaches_the_log_or_the_database(self):
        with Office() as office, Phone("1001", office) as phone:
            phone.register()
            phone.dial("1002", ok=False)
            office.stop()
            secret = password("1001").encode()
            for file in [office.log, *office.data.glob("*")]:
                if file.is_file():
                    self.assertNotIn(secret, file.read_bytes(), file)


if __name__ == "__main__":
    unittest.main()
