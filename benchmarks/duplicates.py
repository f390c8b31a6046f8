"""Looking for near copies of test clips: by bands of bits, and by comparing all pairs.

    python benchmarks/duplicates.py [--clips 20000 200000 2000000] [--share 0.1] [--distance 4]

Random hashes, of which some are near copies; `--share` of the clips are the test split. All pairs are compared for the
first of the others alone, and their seconds counted up; there both must find the same. Real frames have hashes that are
more alike than random ones: bands are then less selective, and the stage itself goes over to pairs where that is less
work.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from s2v.data import duplicates

COMPARED = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[20_000, 200_000, 2_000_000])
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--distance", type=int, default=4)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| clips | of them test | found | bands, s | all pairs, s (counted up) | memory, GB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for clips in given.clips:
        n_test = round(clips * given.share)
        test = rng.integers(1, 2**64, (n_test, 3), dtype=np.uint64)
        others = rng.integers(1, 2**64, (clips - n_test, 3), dtype=np.uint64)
        others[:100] = test[:100] ^ np.uint64(5)
        started = time.process_time()
        found = duplicates.nearest(others, test, given.distance)
        bands = time.process_time() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        part = others[: min(len(others), COMPARED * COMPARED // max(COMPARED, n_test))]
        started = time.process_time()
        same = duplicates._of_all_pairs(part, test, given.distance)
        pairs = (time.process_time() - started) * len(others) / len(part)
        if (same != found[: len(part)]).any():
            raise SystemExit("error: both ways do not find the same")
        print(
            f"| {clips:,} | {n_test:,} | {(found >= 0).sum()} | {bands:.1f} | {pairs:,.0f} | {memory:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
