"""Do evaluators know what is of no class? Shares of real, broken and strange pictures that each judge of a run accepts.

    python benchmarks/evaluators.py results/evidence --config configs/evidence.yaml

Real pictures are the chosen frames of a split. Broken ones are made of them, each kind apart. Strange ones are
new pictures of the world's classes that are neither in data.world.classes nor in data.world.others: no net saw such.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from s2v.config import Config
from s2v.configfile import load
from s2v.data.reader import read_images
from s2v.evaluate.evaluators import JudgeEvaluator
from s2v.media.picture import from_unit, to_unit
from s2v.train.broken import KINDS, break_as
from s2v.world.recipe import Clip, clip_seed
from s2v.world.render import reel
from s2v.world.thing import things

PHOTOS = 32
"""Pictures of each strange class."""


def strange(config: Config) -> dict[str, Tensor]:
    """New pictures of classes that nothing of the run saw, uint8 [PHOTOS, 3, px, px] each."""
    world = config.data.world
    assert world is not None
    names = [name for name in things() if name not in (*world.classes, *world.others)]
    drawn = world.model_copy(update={"photos_per_reel": PHOTOS})
    return {
        name: torch.from_numpy(reel(Clip("judge", name, 0, clip_seed(world.seed, "strange", name, 0)), drawn)).permute(
            0, 3, 1, 2
        )
        for name in names
    }


def main(
    results: Annotated[Path, typer.Argument(help="output folder of a run")],
    config: Annotated[list[str] | None, typer.Option(help="its configuration files, over config.yaml")] = None,
    split: Annotated[str, typer.Option(help="of the real pictures; choices are made on val")] = "test",
) -> None:
    """Print a table: a row for each kind of pictures, a column for each judge."""
    whole = load(["config.yaml", *(config or [])])
    judges = {name: JudgeEvaluator(results / name) for name in ("judge", *(f"judges/{n}" for n in whole.judges))}
    real, _, _ = read_images(sorted((results / "pack" / split).glob("*.tar")), whole.generator.resolution)
    pictures, drawn = to_unit(real), torch.rand(len(real), 2, generator=torch.Generator().manual_seed(0))
    others = pictures.roll(len(pictures) // 2, 0)
    rows = {"real frames": real}
    rows |= {kind: from_unit(break_as(kind, pictures, others, drawn)) for kind in KINDS}
    unknown = strange(whole)
    rows |= {"classes that nothing saw": torch.cat(list(unknown.values()))} if unknown else {}
    print(f"| pictures | number | {' | '.join(judges)} |\n|---|---:|{'---:|' * len(judges)}")
    for name, images in rows.items():
        shares = []
        for judge in judges.values():
            accepted = judge.accepts(images)
            shares.append("-" if accepted is None else f"{100 * float(accepted.float().mean()):.1f} %")
        print(f"| {name} | {len(images)} | {' | '.join(shares)} |")


if __name__ == "__main__":
    typer.run(main)
