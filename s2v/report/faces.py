"""Stage `faces`: what faces painted from voices have in common with their speakers (faces.csv, faces.md), and Figure
20, original and painted faces beside their heads (paper 6.2). Of the embedded speakers, whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from s2v.data.reader import read_images, read_waves
from s2v.errors import UserError
from s2v.evaluate.faces import SHUFFLES, Agreement, attributes, fading, meshes, retrieval, truth_of
from s2v.evaluate.pictures import read_pictures
from s2v.evaluate.quantities import Measured, Missing, Quantity, write_quantities
from s2v.files import read_parquet, write_text
from s2v.media.picture import from_unit
from s2v.media.spectrogram import SAMPLE_RATE_HZ, fit_window
from s2v.methods import Sources, clip_seed, load_method
from s2v.models.face_reader import FaceReader
from s2v.models.store import load
from s2v.report.canvas import save
from s2v.report.fig20 import coloured, draw
from s2v.report.findings import what_was_found
from s2v.report.tabular import Column, bullets, page, to_markdown, write_csv
from s2v.runtime import Runtime
from s2v.speakers.voice import old_record

if TYPE_CHECKING:
    from s2v.config import GenerateConfig, RuntimeConfig, SpeakersConfig

METHOD = "sound2vision_ldm"
"""With which the paper draws its faces (6.2)."""
AT_ONCE = 64
SHOWN = ("old woman", "young man", "girl", "man in middle age")
"""Groups of Figure 20's rows; a clip of old film is the last one."""
WARNING = (
    "Speech does not identify a face. A picture made of a voice shows what a model expects of such voices, not the "
    "speaker; it must not be used to find, recognise, profile or accuse anybody."
)


def run(
    *,
    pictures: list[Path],
    packs: list[Path],
    truth: Path,
    parts: Mapping[str, Path],
    reader_dir: Path,
    generate: GenerateConfig,
    speakers: SpeakersConfig,
    bootstrap: int,
    csv: Path,
    markdown: Path,
    quantities: Path,
    figure: Path,
    runtime: RuntimeConfig,
    threads: int,
) -> None:
    """Measure, and draw.

    Args:
        pictures: tars of stage generate, one a seed, in the order of `generate.seeds`.
        packs: packed test clips.
        truth: of the embedded speakers.
        parts: the trained things of `METHOD`, which draws the same sounds through an old record.
        reader_dir: the face reader.
        generate: how pictures are drawn.
        speakers: of which world they are.
        bootstrap: resamples.
        csv: the table.
        markdown: the same for people, with what was found of the claims.
        quantities: those that claims take.
        figure: Figure 20.
        runtime: device.
        threads: of torch on the CPU.

    Raises:
        UserError: pictures, clips and truth do not belong together.
    """
    place = Runtime.from_config(runtime, threads)
    reader = load(FaceReader, reader_dir, place.device)
    drawn = [read_pictures(path) for path in pictures]
    clips = [str(record["clip_id"]) for record in drawn[0][1]]
    known = {row["clip_id"]: row for row in read_parquet(truth)}
    frames, keys, _ = read_images(packs, speakers.size_px)
    at = {key: i for i, key in enumerate(keys)}
    if any([str(record["clip_id"]) for record in records] != clips for _, records in drawn) or not set(clips) <= set(
        at
    ):
        raise UserError("faces: pictures of the seeds, or the test clips, differ; run stage generate again")
    rows, real = [known[clip] for clip in clips], frames[[at[clip] for clip in clips]]
    told, told_real = [reader.read(images) for images, _ in drawn], reader.read(real)
    people = [str(row["person"]) for row in rows]
    seed = generate.seeds[0]
    sources = Sources(generate, parts, packs, device=place.device)
    plain = [i for i, row in enumerate(rows) if not row["vintage"]]
    found = [
        *attributes(
            [one.double().numpy() for one in told], told_real.double().numpy(), truth_of(rows), people, bootstrap, seed
        ),
        *_faded(sources, packs, drawn[0][0], clips, plain, people, bootstrap, seed),
        *retrieval(reader, told, told_real, rows, speakers, bootstrap, seed),
        *meshes(told, told_real, rows, bootstrap, seed),
    ]
    measured = quantities_of(found, str(reader.about["label"]))
    write_csv(csv, COLUMNS, found)
    write_text(markdown, described(found, measured, len(set(people)), len(drawn), str(reader.about["label"])))
    write_quantities(quantities, measured)
    shown = _shown(rows)
    frames_shown, faces_shown = real[shown], drawn[0][0][shown]
    heads = [coloured(frames_shown, told_real[shown]), coloured(faces_shown, told[0][shown])]
    save(draw([_named(rows[i]) for i in shown], frames_shown, faces_shown, *heads), figure)


def _faded(
    sources: Sources, packs: list[Path], images: Tensor, clips: list[str], plain: list[int], people: list[str],
    bootstrap: int, seed: int,
) -> list[Agreement]:  # fmt: skip
    """What pictures of clips that are not old lose where the same sounds come through an old record; nothing where all
    are old."""
    if not plain:
        return []
    waves, keys, _ = read_waves(packs, SAMPLE_RATE_HZ)
    heard = dict(zip(keys, waves, strict=True))
    method = load_method(METHOD, sources)
    n = round(sources.config.window_s * SAMPLE_RATE_HZ)
    made = []
    for a in range(0, len(plain), AT_ONCE):
        some = plain[a : a + AT_ONCE]
        worn = [old_record(heard[clips[i]] / 2**15, np.random.default_rng([seed, i])) for i in some]
        z = method.encode_audio(torch.stack([fit_window(torch.from_numpy(one).float(), n) for one in worn]))
        made.append(from_unit(method.decode(z, [clip_seed(seed, clips[i]) for i in some])))
    return [fading(images[plain], torch.cat(made), [people[i] for i in plain], bootstrap, seed)]


COLUMNS: list[Column[Agreement]] = [
    Column("quantity", lambda one: one.name),
    Column("about", lambda one: one.about),
    Column("own", lambda one: one.own, 3, "own", interval=True),
    Column("shuffled", lambda one: one.shuffled, 3, "of others", interval=True),
    Column("difference", lambda one: one.difference, 3, interval=True),
    Column("real frames", lambda one: one.real, 3),
    Column("clips", lambda one: one.clips, 0),
]


def quantities_of(found: list[Agreement], reader: str) -> dict[str, Quantity | Missing]:
    """Of each its difference to other speakers' voices; `vintage` is missing where all clips are old film."""
    none: dict[str, Quantity | Missing] = {"vintage": Missing("no test clip is new film")}
    return none | {
        one.name: Quantity.of(one.difference, one.clips, about=f"{one.about}; evaluator {reader}") for one in found
    }


def described(found: list[Agreement], measured: Measured, people: int, seeds: int, reader: str) -> str:
    """faces.md."""
    facts = [
        f"Data set: embedded speakers (docs/faces.md); {found[0].clips} test clips of {people} people, who are in "
        f"no other split; {seeds} picture(s) of each.",
        f"Faces are those of `{METHOD}`, the latent diffusion model, as in the paper.",
        f"Evaluator: {reader}.",
        f"[95 % bootstrap interval over people]. Of others: {SHUFFLES} orders of voices in which nobody meets "
        "themselves; of the colour, pictures of the same sounds through an old record.",
        "The paper shows four examples and has no numbers. That ethnicity is recovered from speech is not measured "
        "(docs/faces.md says why).",
        WARNING,
    ]
    return page("# Faces from voices", bullets(facts), to_markdown(COLUMNS, found), what_was_found("faces", measured))


def _shown(rows: list[dict[str, Any]]) -> list[int]:
    """Clips of Figure 20: the first of each group of `SHOWN` that is new film, and the first of old film."""
    chosen = [
        next((i for i, r in enumerate(rows) if r["class"] == group and not r["vintage"]), None) for group in SHOWN
    ]
    old = next((i for i, row in enumerate(rows) if row["vintage"]), None)
    return [i for i in [*chosen, old] if i is not None]


def _named(row: dict[str, Any]) -> str:
    return str(row["class"]).replace(" in ", "\nin ") + ("\n(old film)" if row["vintage"] else "")


__all__ = ["COLUMNS", "described", "quantities_of", "run"]
