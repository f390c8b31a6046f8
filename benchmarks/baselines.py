"""The systems that the paper is measured against, at several settings each, judged on `val`.

    python benchmarks/baselines.py results [--of s2i pedersoli audiotoken lee] [--only 0 3] [--threads 2] [--json out]

`results` is a finished run of `config.yaml` (results/table3.csv, table_vegas5.csv, fig12.png). A setting is what it has
other than that file; the stages that it names, and those that are made of these, are trained anew in a folder that goes
away, all else is the run's. Pictures of all clips of `val`, three generation seeds; R@1 and FID are the evaluator's,
against frames of `val`: nothing that is tested is looked at. Of Lee et al. it is the claim of Figure 12 on pairs of
`val`: insertion at equal background kept, theirs minus ours.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from s2v.config import Config
from s2v.config.methods import METHODS
from s2v.configfile import load
from s2v.evaluate.quantities import Quantity, read_quantities
from s2v.files import read_json, write_json

Setting = dict[str, Any]
Parts = dict[str, Path]

SETTINGS: dict[str, list[Setting]] = {
    "s2i": [
        {},
        {"s2i_generator": {"steps": 1600}},
        {"s2i_generator": {"pixel_weight": 30.0}},
        {"s2i_generator": {"pixels": "l2", "pixel_weight": 30.0}},
        {"s2i_generator": {"width": 16}},
        {"s2i_autoencoder": {"steps": 400}},
    ],
    "pedersoli": [
        {},
        {"pedersoli_audio": {"steps": 1200}},
        {"pedersoli_audio": {"learning_rate": 3e-4}},
        {"pedersoli_audio": {"bands": 128, "columns": 128}},
        {"pedersoli_vqvae": {"steps": 600}},
        {"pedersoli_vqvae": {"hidden": 64, "residual_hidden": 16}},
    ],
    "audiotoken": [
        {},
        {"generate": {"text_ldm": {"guidance": 1.5}}},
        {"generate": {"text_ldm": {"guidance": 5.0}}},
        {"audiotoken": {"steps": 1200}},
        {"audiotoken": {"learning_rate": 3e-3}},
        {"audiotoken": {"token_weight": 0.0}},
    ],
    "lee": [
        {},
        {"lee": {"steps": 300}},
        {"lee": {"learning_rate": 0.05}},
        {"lee": {"learning_rate": 0.01}},
        {"lee": {"learning_rate": 0.005}},
        {"lee": {"learning_rate": 0.002}},
        {"joint": {"picture_steps": 2000}},
        {"joint": {"sound_steps": 320}},
        {"joint": {"sound_multiplier": 14.3}},
    ],
}
"""At least as many of each as `B_tuned`, our own tuned row of Table 2, had (docs/evidence.md)."""


def packs(results: Path, split: str) -> list[Path]:
    """Shards of a split."""
    return sorted((results / "pack" / split).glob("*.tar"))


def trainings(config: Config, results: Path, threads: int) -> dict[str, Callable[[Parts, Path], None]]:
    """{stage: what trains it from the parts so far into a folder}, each after those that it is made of."""
    from s2v.train import audiotoken, joint, pedersoli_audio, pedersoli_vqvae, s2i_autoencoder, s2i_generator

    pairs, place = packs(results, "train"), {"runtime": config.runtime, "threads": threads}
    pictures = [tar for split in config.pedersoli_vqvae.splits for tar in packs(results, split)]
    return {
        "s2i_autoencoder": lambda _, out: s2i_autoencoder.run(
            config=config.s2i_autoencoder, packs=pairs, output_dir=out, **place
        ),
        "s2i_generator": lambda parts, out: s2i_generator.run(
            config=config.s2i_generator, packs=pairs, autoencoder_dir=parts["s2i_autoencoder"], output_dir=out, **place
        ),
        "pedersoli_vqvae": lambda _, out: pedersoli_vqvae.run(
            config=config.pedersoli_vqvae, packs=pictures, output_dir=out, **place
        ),
        "pedersoli_audio": lambda parts, out: pedersoli_audio.run(
            config=config.pedersoli_audio, packs=pairs, vqvae_dir=parts["pedersoli_vqvae"], output_dir=out, **place
        ),
        "audiotoken": lambda parts, out: audiotoken.run(
            config=config.audiotoken,
            train_packs=pairs,
            val_packs=packs(results, "val"),
            tagger_dir=parts["tagger"],
            diffusion_dir=parts["text_diffusion"],
            vae_dir=parts["vae"],
            output_dir=out,
            **place,
        ),
        "joint": lambda _, out: joint.run(
            config=config.joint,
            captioned=packs(results, config.joint.captioned),
            tagged=packs(results, config.joint.tagged),
            output_dir=out,
            **place,
        ),
    }


MADE_OF = {"s2i_generator": "s2i_autoencoder", "pedersoli_audio": "pedersoli_vqvae"}
"""Of a stage that learns from another one's: that one."""


def judged(name: str, config: Config, results: Path, parts: Parts, folder: Path, threads: int) -> dict[str, float]:
    """R@1 in percent and FID of the pictures of `val`, means over the generation seeds."""
    from s2v.evaluate import evaluate, generate

    place, val = {"runtime": config.runtime, "threads": threads}, packs(results, "val")
    named = METHODS[name].parts
    found = []
    for seed in config.generate.seeds if METHODS[name].seeded else config.generate.seeds[:1]:
        made, result = folder / f"{seed}.tar", folder / f"{seed}.json"
        generate.run(
            config=config.generate.model_copy(update={"split": "val"}),
            method=name,
            seeds=[seed],
            packs=val,
            train_packs=packs(results, "train"),
            parts={part: parts[stage] for part, stage in named.items()},
            outputs=[made],
            **place,
        )
        evaluate.run(
            config=config.evaluate,
            pictures=[made],
            reference_packs=val,
            evaluator_dirs=[results / "judge"],
            outputs=[result],
            ranks_outputs=[folder / "ranks.parquet"],
            tensors_outputs=[folder / "tensors.safetensors"],
            **place,
        )
        found.append(read_json(result))
    return {
        "R@1 on val": 100 * statistics.fmean(one["R@1"] for one in found),
        "FID on val": statistics.fmean(one["FID"] for one in found),
    }


def edited(config: Config, results: Path, parts: Parts, folder: Path, threads: int) -> dict[str, float]:
    """Insertion at equal background kept on pairs of `val`: Lee et al. minus ours, in points."""
    from s2v.report import fig12

    fig12.run(
        config=config.lee,
        run_dir=results,
        joint_dir=parts["joint"],
        packs=packs(results, "val"),
        evaluator=config.evaluate.evaluator,
        judge_dir=results / "judge",
        prompt=config.evaluate.prompt,
        world=config.data.world,
        split="val",
        window_s=config.generate.window_s,
        bootstrap=config.evaluate.bootstrap,
        output=folder / "fig12.png",
        csv=folder / "fig12.csv",
        markdown=folder / "fig12.md",
        dataset=config.name,
        deviations=[],
        quantities=folder / "fig12.json",
        runtime=config.runtime,
        threads=threads,
    )
    found = read_quantities(folder / "fig12.json")["insertion_ours_minus_lee"]
    if not isinstance(found, Quantity):
        raise SystemExit(f"no claim of Figure 12 on val: {found}")
    return {"lead on val": -100 * found.value, "from": -100 * found.high, "to": -100 * found.low}


def one(name: str, setting: Setting, results: Path, threads: int, folder: Path) -> dict[str, Any]:
    """Train what the setting names, and judge it."""
    overlay = folder / "setting.json"
    write_json(overlay, nested(setting))
    config = load([Path(__file__).parents[1] / "config.yaml", overlay])
    parts: Parts = {stage: results / stage for stage in {*METHODS["audiotoken"].parts.values(), "joint"}}
    parts |= {stage: results / stage for stage in MADE_OF} | {stage: results / stage for stage in MADE_OF.values()}
    started, anew = time.perf_counter(), set()
    for stage, train in trainings(config, results, threads).items():
        if stage in setting or MADE_OF.get(stage) in anew:
            parts[stage] = folder / stage
            train(dict(parts), parts[stage])
            anew.add(stage)
    spent = time.perf_counter() - started
    numbers = (
        edited(config, results, parts, folder, threads)
        if name == "lee"
        else judged(name, config, results, parts, folder, threads)
    )
    return {"system": name, "setting": spelled(setting), **numbers, "seconds of training": round(spent)}


def nested(setting: Setting) -> Setting:
    """The setting as a layer of the configuration: what audio is made into stands one level down there."""
    layer: Setting = {}
    for section, values in setting.items():
        mel = {key: value for key, value in values.items() if key in ("bands", "columns")}
        layer[section] = {key: value for key, value in values.items() if key not in mel} | (
            {"audio": mel} if mel else {}
        )
    return layer


def spelled(values: Mapping[str, Any], above: str = "") -> str:
    """One line for a reader."""
    words = [
        spelled(value, f"{above}{key}.") if isinstance(value, dict) else f"{above}{key} {value:g}"
        if isinstance(value, float) else f"{above}{key} {value}"
        for key, value in values.items()
    ]  # fmt: skip
    return ", ".join(words) or "config.yaml"


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("--of", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--only", nargs="+", type=int, help="settings by number, of each system; 0 is config.yaml")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write all numbers here, after each setting")
    wanted = parser.parse_args()
    found = []
    for name in wanted.of:
        for i, setting in enumerate(SETTINGS[name]):
            if wanted.only and i not in wanted.only:
                continue
            with tempfile.TemporaryDirectory() as folder:
                found.append(one(name, setting, wanted.results, wanted.threads, Path(folder)))
            print(
                "  ".join(
                    f"{key} {value:.1f}" if isinstance(value, float) else str(value) for key, value in found[-1].items()
                ),
                flush=True,
            )
            if wanted.json:
                write_json(wanted.json, found)


if __name__ == "__main__":
    main()
