"""The whole server on PostgreSQL: what it promises does not depend on the database."""
import json
import shutil
import subprocess
import unittest

from functional.test_transports import Answering
from office import Office, wait_until
from postgresql import Postgresql
from softphone import Phone


def call(caller, callee, number):
    answering = Answering(callee)
    caller.dial(number)
    answering.join()


class OnPostgresql(unittest.TestCase):
    def test_calls_records_and_events_survive_a_kill_and_a_stop(self):
        with Postgresql() as database, Office(config=database.configuration()) as office, \
                Phone("1001", office) as alice, Phone("1002", office) as bob:
            def events():
                return database.rows("select * from events order by seq")

            def of_call(number):
                calls = database.rows("select call_id from call_records order by started_at")
                return [e for e in events() if e["call_id"] == calls[number]["call_id"]]

            def answered():
                return [e for e in events() if e["type"] == "call.answered"]

            bob.register()
            call(alice, bob, "1002")
            wait_until(answered, 60, "the answer is stored")
            office.kill()
            office.start()
            record = database.rows("select * from call_records")[0]
            self.assertIsNotNone(record["ended_at"])
            self.assertEqual(record["disposition"], "answered")
            self.assertIn("restart", record["reason"])

            call(alice, bob, "1002")  # bob has not registered again
            alice.hang_up()
            bob.hung_up()
            office.stop()
            self.assertEqual(len(database.rows("select * from call_records where ended_at is null")), 0)
            office.start()

            self.assertEqual([e["seq"] for e in events()], list(range(1, len(events()) + 1)))
            self.assertEqual(len({e["event_id"] for e in events()}), len(events()))
            self.assertEqual(events()[0]["type"], "extension.registered")
            for number, by in ((0, "system"), (1, "caller")):
                told = of_call(number)
                types = [e["type"] for e in told]
                self.assertEqual([e["call_seq"] for e in told], list(range(1, len(told) + 1)))
                self.assertEqual((types[0], types[-1]), ("call.started", "call.ended"))
                self.assertEqual((types.count("call.started"), types.count("call.ended")), (1, 1))
                self.assertIn("call.answered", types)
                end = json.loads(told[-1]["data"])
                self.assertEqual(end["hangup_by"], by)
                self.assertEqual(end["disposition"], "answered")
                self.assertEqual(end["reason"] == "server_restart", number == 0)
                self.assertEqual(told[0]["extensions"], " 1001 1002 ")

    def test_one_server_at_a_time_and_the_next_as_soon_as_it_is_gone(self):
        def sessions():
            return database.psql("bellwire", "select pid from pg_locks where locktype = 'advisory' and granted").split()

        with Postgresql() as database, Office(config=database.configuration()) as first:
            second = Office(config=database.configuration())
            self.addCleanup(second.__exit__, None)
            second.data.mkdir(mode=0o700)
            shutil.copy(first.data / "secret.key", second.data)
            serve = second.command("serve", "--config", str(second.config_file), "--data", str(second.data))

            done = subprocess.run(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("waiting up to 10 s", done.stdout)
            self.assertRegex(done.stdout, "another Bellwire server uses it: bellwire, process "
                                          rf"{first.process.pid} on .*, PostgreSQL process {sessions()[0]} of user")
            self.assertIn("1001", first.cli("export", "--config", str(first.config_file)))
            self.assertIn("schema", first.cli("doctor", ok=False))

            before = sessions()
            database.psql("bellwire", f"select pg_terminate_backend({before[0]})")
            with Phone("1001", first) as alice:
                alice.register()
            wait_until(lambda: len(sessions()) == 1 and sessions() != before, 60, "the new connection holds it")

            first.kill()
            second.start()
            self.assertEqual(len(second.json("extension", "ls")), 4)


if __name__ == "__main__":
    unittest.main()
