"""Draw docs/images/speakers.png: somebody of each group, a row a group.

python tools/speakers_sheet.py -o docs/images/speakers.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from s2v.config import SpeakersConfig
from s2v.speakers.film import portrait
from s2v.speakers.recipe import clips, photos

COLUMNS = 8
PX = 112


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/speakers.png"))
    rows = [
        np.concatenate([portrait(one, pose, opening, PX) for one, pose, opening in photos(clip, COLUMNS)], axis=1)
        for clip in clips(SpeakersConfig(people={"judge": 1}))
    ]
    Image.fromarray(np.concatenate(rows)).save(parser.parse_args().output)


if __name__ == "__main__":
    main()
