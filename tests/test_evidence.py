"""All of the paper after Table 1 as a user runs it, at the smallest size and in one output; and the report.

The tests follow one another: each finds what the one before it made, and says what is left to make.
"""

from __future__ import annotations

import csv
import re

import pytest
from test_one_verdict import disagreements
from workflow_runs import TINY, Checkout

TARGETS = ("table2.csv", "fig03.png", "fig05.png", "fig06.png", "fig07.png", "gap.png", "evidence.csv")


def _claims(checkout: Checkout, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((checkout.results / f"{name}.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def checkout(tiny_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the finished run, to which each test adds."""
    return tiny_checkout.copy(tmp_path_factory.mktemp("paper") / "checkout")


def test_the_evidence_after_table_1(checkout: Checkout) -> None:
    targets = [f"results/tiny/{name}" for name in TARGETS]
    # Rows B, C and F, trainings 0 and 1: all share encoder, generator and packed data, and F's first is Table 1's.
    assert checkout.planned(*targets) == {
        "embed": 3, "align": 5, "generate": 1, "generate_one": 4, "evaluate": 1, "evaluate_one": 4, "table2": 1,
        "fig03": 1, "fig05": 1, "gap": 1, "fig06": 1, "claims": 1,
    }  # fmt: skip
    done = checkout.snakemake("--cores", "2", *targets)
    assert done.returncode == 0, done.stdout[-4000:]
    for target in targets:
        text = (checkout.root / target).read_bytes()
        assert text.startswith(b"\x89PNG") if target.endswith("png") else text.startswith((b"row,", b"claim,"))
    rows = list(csv.DictReader((checkout.results / "table2.csv").read_text().splitlines()))
    assert [(row["row"], row["trainings"]) for row in rows] == [("B", "0 1"), ("C", "0 1"), ("F", "0 1")]
    weights = [
        (checkout.results / folder / "align/model.safetensors").read_bytes()
        for folder in ("", "seeds/1", "ablation/B", "seeds/1/ablation/B", "ablation/C")
    ]
    assert len(set(weights)) == 5, "each is a training of its own"
    claims = _claims(checkout, "evidence")
    assert {row["target"] for row in claims if row["verdict"] == "out of scope"} == {
        "table3", "table_vegas5", "fig12", "fig16", "control", "control_ldm",
    }  # fmt: skip
    measured = [
        row for row in claims
        if row["target"] in ("table1", "gap", "fig03", "fig05") and row["kind"] != "check"
        and row["claim"] != "A smaller gap goes with better pictures"  # over five rows or more, and these are three
        and "generate.methods does not name" not in row["why not"]  # row A with the selected frame
    ]  # fmt: skip
    assert "not measured" not in {row["verdict"] for row in measured}, measured
    assert all(row["why not"] for row in claims if row["verdict"] in ("not measured", "out of scope"))
    assert checkout.planned(*targets) == {}


def test_what_an_overlay_changes_is_planned_alone(checkout: Checkout) -> None:
    # Another temperature of one row is that row's matter.
    overlay = checkout.root / "warm.yaml"
    overlay.write_text("ablation: {rows: {B: {loss: nce, temperature: 2.0}}}\n")
    planned = checkout.planned("results/tiny/table2.csv", config=("--configfile", "configs/tiny.yaml", "warm.yaml"))
    assert planned == {"align": 2, "generate_one": 2, "evaluate_one": 2, "table2": 1}

    # A table of several trainings takes those that are there.
    overlay.write_text("seeds: {table1: [0, 1]}\n")
    planned = checkout.planned("results/tiny/table1.csv", config=("--configfile", "configs/tiny.yaml", "warm.yaml"))
    assert planned == {"generate": 1, "evaluate": 1, "table1": 1}, "retrieval; Table 2 drew sound2vision, others see"


def test_pictures_are_steered_and_the_report_has_all(checkout: Checkout) -> None:
    steered = [f"results/tiny/{name}" for name in ("control.csv", "fig08.png", "fig09.png", "fig10.png", "fig11.png")]
    assert checkout.planned(*steered) == {"control": 1, "control_figure": 4}
    done = checkout.snakemake("--cores", "2", *steered)
    assert done.returncode == 0, done.stdout[-4000:]
    measured = list(csv.DictReader((checkout.results / "control.csv").read_text().splitlines()))
    # Of nets this small, pictures of the right class may be too few for some.
    assert {row["quantity"] for row in measured} - {"size_volume_named", "size_distance", "mix_size"} == {
        "mix_both", "mix_duet", "mix_balance", "interpolation", "interpolation_background", "size_volume", "edit_size",
        "edit_identity"}  # fmt: skip
    assert {row["class"] for row in measured} == {"all", "dog barking", "rain falling", "siren truck"}
    done = checkout.snakemake("--cores", "2", "evidence")
    assert done.returncode == 0, done.stdout[-4000:]
    done = checkout.snakemake("--report", "results/tiny/report.html", "evidence")
    assert done.returncode == 0, done.stdout[-4000:]
    page = (checkout.results / "report.html").read_text()
    for word in ("Table 1", "Table 2", "Figure 3", "Figure 7", "Claims", "Provenance", "judge"):
        assert word in page, word


def test_the_second_generator_takes_nothing_of_the_first_again(checkout: Checkout) -> None:
    table = "results/tiny/table3.csv"
    planned = checkout.planned(table)
    assert planned == {"encoder": 1, "embed": 3, "vae": 1, "latents": 1, "diffusion": 1, "align": 1,
                       "text_diffusion": 1, "tagger": 1, "audiotoken": 1, "generate": 5, "evaluate": 5,
                       "table3": 1}  # fmt: skip
    done = checkout.snakemake("--cores", "2", table)
    assert done.returncode == 0, done.stdout[-4000:]
    text = (checkout.results / "table3.md").read_text()
    named = {"A": ("GAN", "no"), "B": ("LDM", "no"), "C": ("AudioToken", "yes")}
    for letter, (name, uses_text) in named.items():
        assert re.search(rf"^\| {letter} +\| {name} +\| {uses_text} +\|", text, re.M), text
    assert re.search(r"^\| `audiotoken_shuffled` +\| sound ", text, re.M), text
    rows = list(csv.DictReader((checkout.results / "table3.csv").open()))
    assert [(row["row"], row["uses text"], row["input"]) for row in rows] == [
        ("A", "no", "sound"), ("B", "no", "sound"), ("C", "yes", "sound"), ("", "yes", "sound"), ("", "yes", "name"),
    ]  # fmt: skip
    assert checkout.planned(table) == {} == checkout.planned()
    overlay = checkout.root / "steps.yaml"
    overlay.write_text("generate: {ldm: {steps: 3}}\n")
    planned = checkout.planned(table, config=(*TINY, "steps.yaml"))
    assert planned == {"generate": 1, "evaluate": 1, "table3": 1}, "the GAN's pictures stay"
    figures = [f"results/tiny/{name}.png" for name in ("fig14", "fig16", "fig17", "fig18", "fig19")]
    # Encoders, generators and packed data are those of the tables; f_A is trained for each set of classes.
    assert checkout.planned(*figures) == {
        "classes": 2, "align": 4, "generate": 6, "evaluate": 6, "fig14": 1, "fig16": 1, "fig17": 1,
        "control_figure": 2,
    }  # fmt: skip
    done = checkout.snakemake("--cores", "2", *figures)
    assert done.returncode == 0, done.stdout[-4000:]
    for figure in figures:
        assert (checkout.root / figure).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((checkout.results / "fig16.csv").open()))
    assert [(row["classes"], row["generator"]) for row in rows[:4]] == [
        ("2", "GAN"), ("2", "LDM"), ("3", "GAN"), ("3", "LDM"),
    ]  # fmt: skip
    card = (checkout.results / "classes/2/align_ldm/README.md").read_text()
    assert "12 pairs of the train split, stopped on 6" in card, "of 18 and 9"
    assert checkout.planned(*figures) == {}


def test_figure_15_takes_both_of_ours(checkout: Checkout) -> None:
    targets = ["results/tiny/table_vegas5.csv", "results/tiny/fig15.png"]
    planned = checkout.planned(*targets)
    trainings = {"s2i_autoencoder": 1, "s2i_generator": 1, "pedersoli_vqvae": 1, "pedersoli_audio": 1}
    assert {name: planned[name] for name in trainings} == trainings
    assert {name: planned[name] for name in ("fig15_classes", "generate", "evaluate")} == {
        "fig15_classes": 1, "generate": 6, "evaluate": 6,
    }  # fmt: skip
    done = checkout.snakemake("--cores", "2", *targets)
    assert done.returncode == 0, done.stdout[-4000:]
    rows = list(csv.DictReader((checkout.results / "table_vegas5.csv").open()))
    assert [row["row"] for row in rows] == ["A", "B", "C", "D"] and {row["n clips"] for row in rows} == {"6"}
    assert (checkout.results / "fig15.png").read_bytes().startswith(b"\x89PNG")
    assert checkout.planned(*targets) == {} == checkout.planned(), "nothing of Table 1 is made again"


def test_the_whole_paper(checkout: Checkout) -> None:
    done = checkout.snakemake("--cores", "2", "paper")
    assert done.returncode == 0, done.stdout[-4000:]
    claims = _claims(checkout, "claims")
    for row in claims:
        assert row["verdict"] != "out of scope"
        # This configuration has no controls, few rows of Table 2, no families of classes, no people who were asked and
        # none who speak; the rest is measured.
        why = (
            "generate.methods does not name",
            "scaling.families names no class",
            "fewer than ten classes",
            "ablation.rows",
            "no test clip gives a number",
            "nobody was asked",
            "of the embedded speakers",
            "it takes 5 rows",
            "it takes two generation seeds",
        )
        assert (row["verdict"] == "not measured") == any(part in row["why not"] for part in why), row
    pages = {name: (checkout.results / f"{name}.md").read_text() for name in ("table1", "table2", "table3", "fig16")}
    assert disagreements(checkout.results, pages) == []
    for row, same in zip(_claims(checkout, "evidence"), claims, strict=True):
        assert row["verdict"] in (same["verdict"], "out of scope"), (row, same)
    assert checkout.planned("paper") == {} == checkout.planned("evidence"), "neither takes anything from the other"
