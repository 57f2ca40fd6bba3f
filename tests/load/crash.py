#!/usr/bin/env python3
"""kill -9 at many random points under calls, with a receiver of webhooks that dies as well. Prints a table.

  tests/load/crash.py [--kills 200] [--rate 20] [--seed 1]
"""
import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("BELLWIRE", str(ROOT / "build/release/bellwire"))

import ordeal  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcome, wrong = ordeal.run(options.kills, options.rate, options.seed, patience=300,
                                  say=lambda text: print(text, file=sys.stderr, flush=True))
    calls = {row["call_id"] for row in outcome["journal"] if row["call_id"]}
    received = outcome["received"]
    print("| figure | measured | must |\n|---|---|---|")
    print(f"| kill -9 under {options.rate} calls/s (seed {options.seed}) | {options.kills} | 200 |")
    print(f"| calls, each with one start and one end | {len(calls)} | all |")
    print(f"| events, each delivered at least once and in order within its call | {len(outcome['journal'])} | all |")
    print(f"| deliveries, repeats with the same event_id | {len(received)}, {len(received) - len({r[0] for r in received})} | |")
    print(f"| promises broken | {len(wrong)} | 0 |", flush=True)
    for sentence in wrong[:20]:
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
