"""What kill -9 leaves of calls and events; the long form is tests/load/crash.py."""
import unittest

import ordeal


class Crash(unittest.TestCase):
    def test_every_call_begins_and_ends_once_and_every_event_comes_in_order(self):
        outcome, wrong = ordeal.run(kills=8, rate=20, seed=7)
        self.assertEqual(wrong, [])
        self.assertGreater(len(outcome["journal"]), 100)

    def test_the_judge_sees_what_is_lost_doubled_or_out_of_order(self):
        def entry(seq, type, call_seq):
            return {"seq": seq, "event_id": f"e{seq}", "type": type, "call_id": "c", "call_seq": call_seq}

        journal = [entry(1, "call.started", 1), entry(2, "call.ended", 2)]
        received = [["e1", 1, "c", 1, "call.started"], ["e2", 2, "c", 2, "call.ended"]]
        self.assertEqual(ordeal.what_is_wrong(journal, received), [])
        self.assertEqual(ordeal.what_is_wrong(journal, received[:1] + received), [])  # a repeat is allowed
        self.assertTrue(ordeal.what_is_wrong(journal, received[:1]))
        self.assertTrue(ordeal.what_is_wrong(journal, received[::-1]))
        self.assertTrue(ordeal.what_is_wrong(journal[:1], received[:1]))
        self.assertTrue(ordeal.what_is_wrong([journal[0], entry(3, "call.ended", 2)], received))
        self.assertTrue(ordeal.what_is_wrong(journal, received + [["e9", 2, "c", 2, "call.ended"]]))


if __name__ == "__main__":
    unittest.main()
