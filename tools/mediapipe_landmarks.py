"""Find the 468 points of MediaPipe's face mesh on pictures, for `heads.command` (docs/faces.md).

It runs in an environment of its own, since MediaPipe 0.10 takes another numpy:
    python3.11 -m venv .mediapipe && .mediapipe/bin/pip install -r envs/mediapipe.txt
    .mediapipe/bin/python tools/mediapipe_landmarks.py pictures/ points.json
"""

import argparse
import json
from pathlib import Path


def main() -> None:
    """Write {file name: [[x, y], ...]} in shares of width and height; a picture without a face is left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="folder of PNG files")
    parser.add_argument("output", type=Path, help="JSON that is written")
    arguments = parser.parse_args()
    import mediapipe
    import numpy as np
    from PIL import Image

    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, min_detection_confidence=0.2)
    found = {}
    for path in sorted(arguments.pictures.glob("*.png")):
        image = Image.open(path).convert("RGB")
        larger = image.resize((512, 512), Image.Resampling.LANCZOS) if image.width < 512 else image
        faces = mesh.process(np.asarray(larger)).multi_face_landmarks
        if faces:
            found[path.name] = [[point.x, point.y] for point in faces[0].landmark]
    arguments.output.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
