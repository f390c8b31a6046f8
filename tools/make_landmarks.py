"""Make s2v/shipped/landmarks.json: which vertex of the head each point of MediaPipe's face mesh is.

The mean head is painted, MediaPipe finds its points there, and each is the nearest vertex that is seen:
    python tools/make_landmarks.py --python .mediapipe/bin/python
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from s2v.speakers.head import head, normals
from s2v.speakers.portrait import Look, Pose, on_picture, paint

PX = 512
NEAR_PX = 4.0


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=".mediapipe/bin/python", help="of an environment with MediaPipe")
    parser.add_argument("-o", "--output", type=Path, default=Path("s2v/shipped/landmarks.json"))
    arguments = parser.parse_args()
    mesh = head()
    look = Look(
        skin=0.2, hair=(0.24, 0.15, 0.09), style="short", eyes=(0.3, 0.5, 0.4), lips=0.5, brows=0.04, beard=0.0,
        clothes=(0.3, 0.4, 0.6), back=((0.7, 0.75, 0.8), (0.5, 0.55, 0.6)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(paint(mesh, mesh.mean, look, Pose(), PX, closed=True)).save(folder / "mean.png")
        tool = Path(__file__).with_name("mediapipe_landmarks.py")
        subprocess.run([arguments.python, str(tool), str(folder), str(folder / "points.json")], check=True)
        points = PX * np.array(json.loads((folder / "points.json").read_text())["mean.png"])
    seen, x, y = on_picture(mesh.mean, Pose(), PX)
    _, smooth = normals(seen, mesh.faces)
    skin = np.unique(mesh.faces[mesh.part == 0])
    skin = skin[smooth[skin, 2] > 0.05]
    far = np.hypot(x[skin] - points[:, :1], y[skin] - points[:, 1:])
    told = {"vertices": skin[far.argmin(1)].tolist(), "used": (far.min(1) < NEAR_PX).tolist()}
    arguments.output.write_text(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
