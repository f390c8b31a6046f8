"""What a table's intervals cost: FID and IS of resamples from scratch, and with what all resamples share.

    python benchmarks/tables.py [--pictures 2500] [--features 2048] [--classes 1000] [--resamples 3] [--threads 1]

Random features and posteriors of Inception's sizes. Both ways see the same resamples; "apart" is the largest relative
difference of their values. What is made before, once for a set of pictures or for a table, is printed beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from s2v.evaluate.fidelity import (
    FrechetDistances,
    InceptionScores,
    Reference,
    frechet_distance,
    inception_score,
)
from s2v.evaluate.resampling import resamples

SPLITS = 10


def timed(of: Callable[[torch.Tensor], float], clips: list[torch.Tensor]) -> tuple[float, list[float]]:
    """Seconds of one resample, and the values of all."""
    started = time.perf_counter()
    values = [of(index) for index in clips]
    return (time.perf_counter() - started) / len(clips), values


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2500)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    g = torch.Generator().manual_seed(0)
    mix = torch.randn(given.features, given.features, generator=g) / given.features**0.5
    made, real = ((torch.randn(given.pictures, given.features, generator=g) @ mix).relu() for _ in range(2))
    posteriors = (3 * torch.randn(given.pictures, given.classes, generator=g)).softmax(1)
    clips = [torch.from_numpy(index) for index in resamples(given.pictures, given.resamples)]
    started = time.perf_counter()
    reference = Reference.of(real)
    of_table = time.perf_counter() - started
    started = time.perf_counter()
    distances = FrechetDistances(made, reference)
    distances.distance(clips[0])
    of_set = time.perf_counter() - started
    scores = InceptionScores(posteriors, SPLITS)
    ways: dict[str, tuple[Callable[[torch.Tensor], float], Callable[[torch.Tensor], float]]] = {
        "FID": (lambda index: frechet_distance(made[index], reference), distances.distance),
        "IS": (lambda index: inception_score(posteriors[index], SPLITS)[0], scores.score),
    }
    print(f"{given.pictures} pictures, {given.features} features, {given.classes} classes, {given.threads} thread(s)\n")
    print("| of a resample | from scratch, s | shared, s | ratio | apart |\n|---|---:|---:|---:|---:|")
    for name, (scratch, shared) in ways.items():
        (slow, expected), (fast, found) = timed(scratch, clips), timed(shared, clips)
        apart = max(abs(a - b) / abs(a) for a, b in zip(expected, found, strict=True))
        print(f"| {name} | {slow:.3f} | {fast:.3f} | {slow / fast:.1f} | {apart:.0e} |")
    print(f"\nmade before: for the table {of_table:.1f} s (the reference), for each set {of_set:.1f} s")


if __name__ == "__main__":
    main()
