"""How near heads that are fitted to MediaPipe's points come to the true ones, on people who are drawn (docs/faces.md).

python benchmarks/heads.py --python .mediapipe/bin/python
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from s2v.config import HeadsConfig
from s2v.models.face_reader import LOOKS
from s2v.report.heads import find_points
from s2v.speakers.film import portrait
from s2v.speakers.landmarks import fit
from s2v.speakers.mesh import distance_mm
from s2v.speakers.person import GROUPS
from s2v.speakers.recipe import SHAPE, Clip, pose, who

EACH = 3
PX = 128


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=".mediapipe/bin/python", help="of an environment with MediaPipe")
    tool = Path(__file__).parents[1] / "tools/mediapipe_landmarks.py"
    command = f"{parser.parse_args().python} {tool} {{pictures}} {{output}}"
    people = [who(Clip("test", group, number, 0, 0)) for group in GROUPS for number in range(EACH)]
    held = [pose(np.random.default_rng(number)) for number in range(len(people))]
    images = np.stack([portrait(one, how, 0.0, PX) for one, how in zip(people, held, strict=True)])
    shown = {"drawn": torch.from_numpy(images).permute(0, 3, 1, 2)}
    points = find_points(HeadsConfig(command=command), shown)["drawn"]
    seen = [i for i, one in enumerate(points) if one is not None]
    truth = np.array([[people[i].shape[name] for name in SHAPE] for i in seen])
    fitted = np.stack([fit(points[i])[len(LOOKS) :] for i in seen])
    others = [who(Clip("prior", group, number, 0, 0)) for group in GROUPS for number in range(40)]
    mean = np.mean([[one.shape[name] for name in SHAPE] for one in others], 0)
    print(f"faces found: {len(seen)} of {len(people)}, {PX} px")
    print(f"fitted heads: {distance_mm(fitted, truth).mean():.2f} mm from the true ones")
    print(f"the mean head: {distance_mm(mean[None].repeat(len(seen), 0), truth).mean():.2f} mm")


if __name__ == "__main__":
    main()
