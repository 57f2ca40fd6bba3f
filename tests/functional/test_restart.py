"""What survives a crash: registrations, and exactly one record per call."""
import threading
import unittest

from functional.test_transports import Answering
from office import Office, wait_until
from softphone import Phone


class Restart(unittest.TestCase):
    def test_a_phone_can_be_called_before_it_registers_again(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            bob.register()
            office.kill()
            office.start()
            answering = Answering(bob)
            alice.dial("1002")
            answering.join()
            alice.hang_up()
            bob.hung_up()

    def test_a_call_cut_by_a_crash_is_written_down_once_with_the_reason(self):
        with Office() as office, Phone("1001", office) as alice, Phone("1002", office) as bob:
            bob.register()
            answering = Answering(bob)
            alice.dial("1002")
            answering.join()
            wait_until(lambda: office.rows("select * from call_records"), 60, "the call is written down")
            office.kill()
            office.start()
            rows = office.rows("select * from call_records")
            self.assertEqual(len(rows), 1)
            self.assertIsNotNone(rows[0]["ended_at"])
            self.assertIn("restart", rows[0]["reason"])

    def test_kill_under_load_loses_no_registration_and_no_record(self):
        numbers = [f"1{n:03}" for n in range(100, 140)]
        with Office(extensions=numbers) as office:
            confirmed, stop = set(), threading.Event()

            def register(mine):
                for number in mine:
                    if stop.is_set():
                        return
                    try:
                        with Phone(number, office) as phone:
                            phone.register()
                            confirmed.add(number)
                    except (AssertionError, OSError):
                        return

            for _ in range(5):
                confirmed.clear()
                stop.clear()
                threads = [threading.Thread(target=register, args=(numbers[i::4],)) for i in range(4)]
                for thread in threads:
                    thread.start()
                wait_until(lambda: len(confirmed) > 8, 60, "some phones are registered")
                sure = set(confirmed)
                office.kill()
                stop.set()
                office.start()
                for thread in threads:  # whose last phone is answered by the new server, or was cut off
                    thread.join()
                kept = {row["extension"] for row in office.rows("select distinct extension from bindings")}
                self.assertLessEqual(sure, kept)


if __name__ == "__main__":
    unittest.main()
