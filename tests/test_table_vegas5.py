"""Figure 15: its table, claims and picture, of all classes or of some."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from made_results import made_result, some_right
from PIL import Image
from tiny_run import CLASSES, models, pack
from workflow_runs import REPOSITORY

from s2v.config import AudioConfig, GenerateConfig, RuntimeConfig
from s2v.config.methods import METHODS
from s2v.configfile import load
from s2v.data import chosen
from s2v.errors import UserError
from s2v.evaluate.generate import run as generate
from s2v.files import read_json, write_json, write_parquet
from s2v.report.claim_list import CLAIMS
from s2v.report.fig15 import run as fig15
from s2v.report.fig15_deviations import fig15_deviations
from s2v.report.table_vegas5 import run as table
from s2v.report.tables import TableJob
from s2v.workflow import Plan

METHODS_OF = {"A": "pedersoli", "B": "s2i", "C": "sound2vision", "D": "sound2vision_ldm"}
SHARES = {
    "pedersoli": 0.3, "s2i": 0.5, "sound2vision": 0.8, "sound2vision_ldm": 0.9, "pedersoli_shuffled": 0.2,
    "s2i_shuffled": 0.2,
}  # fmt: skip


def _job(folder: Path) -> TableJob:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "coverage_by_class.csv").write_text("class,split,wanted,got,lost,removed,silent\nred,test,4,4,0,0,0\n")
    return TableJob(
        coverage=folder / "coverage_by_class.csv", splits=["test"], dataset="made up", deviations=["It is made up."],
        bootstrap=100, output=folder / "t.csv", markdown=folder / "t.md", quantities=folder / "t.json",
    )  # fmt: skip


def _results(folder: Path, *without: str) -> list[Path]:
    return [
        made_result(
            folder / method / "0.json", method, some_right(share), shift=2 - 2 * share, classes=5,
            main=METHODS[method].main, note=METHODS[method].note,
        )
        for method, share in SHARES.items()
        if method not in without
    ]  # fmt: skip


def test_the_table_has_the_papers_rows_and_numbers(tmp_path: Path) -> None:
    table(results=_results(tmp_path), methods=METHODS_OF, classes=["red", "blue"], job=_job(tmp_path))
    with open(tmp_path / "t.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["row"], row["method"]) for row in rows] == [
        ("A", "Pedersoli et al."), ("B", "S2I"), ("C", "Ours (GAN)"), ("D", "Ours (LDM)"),
    ]  # fmt: skip
    assert [row["R@1"] for row in rows] == ["30.00", "50.00", "80.00", "90.00"] and "R@5" not in rows[0]
    assert {row["uses text"] for row in rows} == {"no"}
    assert all(float(row["R@1 low"]) < float(row["R@1"]) < float(row["R@1 high"]) for row in rows)
    text = (tmp_path / "t.md").read_text()
    for wanted in ("23.10", "118.68", "1.19", "39.19", "114.84", "1.45", "77.58", "34.68", "79.31", "32.52", "4.04",
                   "chance 20.0", "of the classes red, blue.", "s2i_shuffled", "- It is made up."):  # fmt: skip
        assert wanted in text, wanted


def test_claims_are_paired_differences_of_ours_and_theirs(tmp_path: Path) -> None:
    table(results=_results(tmp_path), methods=METHODS_OF, classes=None, job=_job(tmp_path))
    measured = read_json(tmp_path / "t.json")
    keys = {claim.key for claim in CLAIMS if claim.source == "table_vegas5"}
    assert keys == set(measured) and len(keys) == 14
    text = (tmp_path / "t.md").read_text()
    assert "The LDM is better than S2I" in text and "S2I hears what it paints" in text


def test_a_control_that_is_not_there_is_not_measured(tmp_path: Path) -> None:
    results = _results(tmp_path, "s2i_shuffled")
    table(results=results, methods=METHODS_OF, classes=None, job=_job(tmp_path))
    assert "there are no results of s2i_shuffled" in (tmp_path / "t.md").read_text() + (tmp_path / "t.json").read_text()
    with pytest.raises(UserError, match="no results of sound2vision_ldm"):
        table(results=results[:3], methods=METHODS_OF, classes=None, job=_job(tmp_path))


def test_some_classes_are_a_variant_of_pictures_and_marks() -> None:
    some, every = (Plan(load(["config.yaml", *more])) for more in ([], [REPOSITORY / "configs/vegas5.yaml"]))
    assert some.fig15 == METHODS_OF
    assert some.fig15_drawn("s2i") == "<results>/fig15/generate/s2i/0.tar"
    assert every.fig15_drawn("s2i") == "<results>/generate/s2i/0.tar"
    assert "<results>/fig15/evaluate/s2i_shuffled/2.json" in some.fig15_evaluated("json")


def test_classes_without_a_clip_are_named(tmp_path: Path) -> None:
    import pyarrow as pa

    manifest = tmp_path / "000.parquet"
    rows = [{"label": label, "split": split} for label, split in (("cow", "test"), ("owl", "test"), ("dog", "train"))]
    write_parquet(manifest, rows, pa.schema([("label", pa.string()), ("split", pa.string())]))
    given = {"manifest": [manifest], "split": "test", "output": tmp_path / "classes.json"}
    chosen.run(names=["owl"], **given)
    assert read_json(tmp_path / "classes.json") == ["owl"]
    with pytest.raises(UserError, match="no clip of the split `test` is of dog; it has cow, owl"):
        chosen.run(names=["owl", "dog"], **given)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [("[dog barking]", "name two or more"), ("[dog barking, dog barking]", "each once"), ("[dog barking, yak]", "yak")],
)
def test_odd_classes_are_one_line(said: str, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"fig15: {{classes: {said}}}\n")
    with pytest.raises(UserError, match=wrong):
        load(["config.yaml", tmp_path / "mine.yaml"])


def test_deviations_say_what_is_our_reading() -> None:
    text = "\n".join(fig15_deviations(load(["config.yaml"])))
    for wanted in ("never released", "RGB", "test clips too; here it does not", "32 px (published: 96)", "Dropout"):
        assert wanted.lower() in text.lower(), wanted
    assert "Row C" not in text and "row A" not in text and "different sizes" not in text
    assert "alone are of the split(s) images, for ours, and images, for Pedersoli et al." in text
    assert "segments of 1 s" in text and "windows of 1 s" in text
    published = load(["config.yaml", REPOSITORY / "configs/vegas5.yaml"])
    text = "\n".join(fig15_deviations(published))
    assert "96 px (published: 96), width 64 and 64 of 64" in text and "published weights" not in text
    assert "different sizes, px: Pedersoli et al. 256, S2I 96, ours (GAN) 128, ours (LDM) 256. FID compares" in text


def test_deviations_say_what_published_weights_may_have_seen(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "s2i_autoencoder: {weights: s2i-autoencoder}\ns2i_generator: {weights: s2i-generator}\n"
        "encoder: {weights: swav-resnet50}\ngenerator: {weights: icgan-biggan128}\n"
        "generate: {table3: {B: sound2vision_unclip}}\n"
    )
    text = "\n".join(
        fig15_deviations(load(["config.yaml", REPOSITORY / "configs/vegas5.yaml", tmp_path / "mine.yaml"]))
    )
    assert "VEGAS under its authors' split, which may hold clips tested here" in text
    for name in ("swav-resnet50", "icgan-biggan128", "s2i-autoencoder", "s2i-generator", "stable-unclip"):
        assert f"`{name}`" in text, name
    assert "alone are of the split(s) train, for Pedersoli et al. None of it sees" in text
    assert "1000 epochs" not in text and "never released" not in text, "nothing of S2I is trained"
    assert "S2I 96, ours (GAN) 128, ours (LDM) 768." in text


def test_the_figure_shows_sounds_frames_and_systems(tmp_path: Path) -> None:
    m, shard = models(tmp_path), pack(tmp_path / "test.tar", 3)
    write_json(tmp_path / "classes.json", ["cow", "owl"])
    tars = []
    for name, classes in (("some", tmp_path / "classes.json"), ("all", None)):
        tars.append(tmp_path / f"{name}.tar")
        generate(
            config=GenerateConfig(window_s=1.0), method="sound2vision", seeds=[0], packs=[shard], train_packs=[],
            parts={"encoder": m.encoder, "generator": m.generator, "align": m.align}, classes=classes,
            outputs=tars[-1:], runtime=RuntimeConfig(device="cpu"), threads=1,
        )  # fmt: skip
    given = {"packs": [shard], "column": "top1.jpg", "audio": AudioConfig(window_s=1.0), "dpi": 60}
    fig15(pictures={"S2I": tars[0], "Ours": tars[0]}, output=tmp_path / "fig15.png", **given)
    drawn = np.asarray(Image.open(tmp_path / "fig15.png"))
    assert drawn.std() > 20 and len(CLASSES) == 3
    with pytest.raises(UserError, match="show different clips"):
        fig15(pictures={"S2I": tars[0], "Ours": tars[1]}, output=tmp_path / "x.png", **given)
    with pytest.raises(UserError, match="packs lack"):
        fig15(pictures={"S2I": tars[0]}, output=tmp_path / "x.png", **{**given, "packs": []})
