"""Draw docs/images/speakers.png: somebody of each group, a row a group.

python tools/speakers_sheet.py -o docs/images/speakers.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from s2v.config import SpeakersConfig
from s2v.speakers.film import photo_of
from s2v.speakers.recipe import clips, photos

CONFIG = SpeakersConfig(people={"judge": 1}, photos_per_reel=8)
PX = 112


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images/speakers.png"))
    rows = [np.concatenate([photo_of(photo, PX) for photo in photos(clip, CONFIG)], axis=1) for clip in clips(CONFIG)]
    Image.fromarray(np.concatenate(rows)).save(parser.parse_args().output)


if __name__ == "__main__":
    main()
