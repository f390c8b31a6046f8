"""How near heads that are fitted to MediaPipe's points come to the true ones, on people who are drawn (docs/faces.md).

python benchmarks/heads.py --python .mediapipe/bin/python
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from s2v.config import HeadsConfig
from s2v.report.heads import found_by
from s2v.speakers.film import portrait
from s2v.speakers.mesh import face_mm
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
    found = found_by(HeadsConfig(command=command), shown)["drawn"]
    seen = [i for i, one in enumerate(found) if one is not None]
    truth = face_mm(np.array([[people[i].shape[name] for name in SHAPE] for i in seen]))
    fitted = torch.stack([one.vertices for one in found if one is not None])
    others = [who(Clip("prior", group, number, 0, 0)) for group in GROUPS for number in range(40)]
    mean = face_mm(np.mean([[one.shape[name] for name in SHAPE] for one in others], 0)[None])
    print(f"faces found: {len(seen)} of {len(people)}, {PX} px")
    print(f"fitted heads: {(fitted - truth).norm(dim=2).mean():.2f} mm from the true ones")
    print(f"the mean head: {(mean - truth).norm(dim=2).mean():.2f} mm")


if __name__ == "__main__":
    main()
