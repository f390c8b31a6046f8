"""The gap between the modalities: closed forms, invariances, and the stage on a tiny run."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_run import models, pack
from torch.testing import assert_close

from s2v.config import RuntimeConfig
from s2v.data.window import Window
from s2v.errors import UserError
from s2v.evaluate.evaluate import RANKS
from s2v.evaluate.gap import Geometry, centre_beside, geometry, orthogonality, random_directions, unit_geometry
from s2v.evaluate.quantities import Missing, Quantity, read_quantities
from s2v.files import read_parquet, write_parquet
from s2v.report.fig06_07 import fig06, fig07, fig_gap
from s2v.report.gap import Measured, RunFiles, rank_correlation, run, to_quantities
from s2v.train import embed

CPU = RuntimeConfig(device="cpu")


def _known(gap: float, n: int = 40, d: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of mean 0 in all dimensions but the first; sounds are images minus `gap` along the first."""
    z = torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    z = torch.cat([z, -z])
    z[:, 0] = 0
    shift = torch.zeros(d, dtype=torch.float64)
    shift[0] = gap
    return z + shift / 2, z - shift / 2


def test_a_known_constant_orthogonal_gap_is_found_exactly() -> None:
    found = geometry(*_known(0.75))
    assert_close(found.magnitude, torch.full((80,), 0.75, dtype=torch.float64), rtol=0, atol=1e-12)
    assert found.mean_gap_norm == pytest.approx(0.75) and found.variation == pytest.approx(0, abs=1e-7)
    for values in (found.orthogonality_image, found.orthogonality_sound, found.centre_image, found.centre_sound):
        assert float(values.abs().max()) < 1e-12
    assert_close(found.to_mean, torch.ones(80, dtype=torch.float64))


def test_features_along_the_gap_are_not_orthogonal_to_it() -> None:
    z_v, z_a = _known(0.75)
    z_v[:, 0] += torch.linspace(-50, 50, 80).double()  # the gap is now what features differ by
    assert float(geometry(z_v, z_a).orthogonality_image.abs().mean()) > 0.5


def test_a_mean_beside_the_gap_is_the_centre() -> None:
    z_v, z_a = _known(0.75)
    z_v[:, 3] += 0.2
    z_a[:, 3] += 0.2
    centre = geometry(z_v, z_a).centre_image
    assert_close(centre[3], torch.tensor(0.2, dtype=torch.float64))
    assert float(centre[[0, 1, 2, 4, 5, 6, 7]].abs().max()) < 1e-12


@given(st.integers(0, 2**31))
def test_the_centres_of_images_and_of_sounds_are_one_vector(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    found = unit_geometry(torch.randn(9, 5, generator=g) + 1, torch.randn(9, 5, generator=g))
    assert_close(found.centre_image, found.centre_sound, rtol=0, atol=1e-9)


def test_equal_features_have_no_gap_and_nothing_undefined() -> None:
    z, _ = _known(0.0)
    found = geometry(z, z)
    assert float(found.magnitude.max()) == 0 and found.alignment == pytest.approx(1)
    assert all(torch.isfinite(value).all() for value in vars(found).values() if isinstance(value, torch.Tensor))
    assert_close(found.centre_image, z.mean(0))


@given(st.integers(0, 2**31))
def test_turning_the_space_changes_nothing(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    z_v, z_a = (torch.randn(12, 6, dtype=torch.float64, generator=g) for _ in range(2))
    turn = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=g)).Q
    one, other = unit_geometry(z_v, z_a), unit_geometry(z_v @ turn, z_a @ turn)
    for name in ("magnitude", "orthogonality_image", "orthogonality_sound", "to_mean"):
        assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=1e-9)
    assert one.alignment == pytest.approx(other.alignment) and one.variation == pytest.approx(other.variation)


@given(st.integers(0, 2**31))
def test_at_unit_norm_magnitude_and_cosine_are_one_number(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    found = unit_geometry(torch.randn(9, 5, generator=g), torch.randn(9, 5, generator=g))
    # ||a - b||^2 = 2 - 2 cos
    assert float(found.magnitude.square().mean()) == pytest.approx(2 - 2 * found.alignment, abs=1e-6)


def test_shapes_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        geometry(torch.zeros(3, 2), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="not a finite number"):
        geometry(torch.full((3, 2), math.nan), torch.zeros(3, 2))


def test_a_gap_is_held_against_random_directions_of_the_features_own_span() -> None:
    """Features in a plane of ten dimensions, and a gap along a third axis: nothing that they use is more orthogonal."""
    g = torch.Generator().manual_seed(0)
    plane = torch.cat([torch.randn(200, 2, generator=g), torch.zeros(200, 8)], 1)
    gap = torch.eye(10)[2] + torch.zeros(200, 10)
    directions = random_directions(plane, plane + gap)
    assert directions.shape == (64, 10) and torch.allclose(directions.norm(dim=1), torch.ones(64, dtype=torch.float64))
    assert directions[:, 2:].abs().max() < 1e-9, "in the span of what is centred"
    # A random direction of a plane: the mean absolute cosine is 2 / pi.
    assert float(orthogonality(plane, directions).mean()) == pytest.approx(2 / math.pi, abs=0.03)
    assert float(geometry(plane, plane + gap).orthogonality_image.abs().max()) < 1e-9
    assert centre_beside(plane + gap, directions) == pytest.approx(1.0, abs=0.05)


def _magnitude(found: Geometry) -> float:
    return float(found.magnitude.mean())


@given(st.integers(0, 2**31))
def test_centroid_gap_and_distribution_gap_are_the_parts_of_the_gap(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    found = unit_geometry(torch.randn(9, 5, generator=g) + 1, torch.randn(9, 5, generator=g))
    assert found.mean_gap_norm**2 + found.distribution_gap**2 == pytest.approx(float(found.magnitude.square().mean()))
    assert geometry(*_known(0.75)).distribution_gap == pytest.approx(0, abs=1e-9), "moved as one"


def test_rows_with_a_smaller_gap_and_better_pictures_go_together() -> None:
    z_v = torch.nn.functional.normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))

    def trained(row: str, number: int, turned: float, r1: float) -> Measured:
        z_a = torch.nn.functional.normalize(z_v + turned)
        return Measured(
            RunFiles(row, number, Path(), Window("start", 1.0, 16000), Path()), z_v, z_a, unit_geometry(z_v, z_a), r1
        )

    rows = [trained(row, n, 0.1 + 0.1 * i + 0.01 * n, 0.9 - 0.1 * i) for i, row in enumerate("ABCDEF") for n in (0, 1)]
    found = rank_correlation(rows, _magnitude)
    assert isinstance(found, Quantity) and found.value == pytest.approx(-1) and -1 <= found.low < found.high < -0.7
    assert found.trainings == [0, 1] and "rows A, B, C, D, E, F" in found.about
    assert rank_correlation(rows[:8], _magnitude) == Missing("it takes 5 rows of Table 2")
    same = [replace(one, r1=0.5) for one in rows]
    assert rank_correlation(same, _magnitude) == Missing("all rows have the same gap or the same R@1")


def test_trainings_of_two_losses_are_paired_by_their_numbers() -> None:
    z_v = torch.nn.functional.normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))

    def trained(row: str, number: int, turned: float) -> Measured:
        z_a = torch.nn.functional.normalize(z_v + turned)
        run = RunFiles(row, number, Path(), Window("start", 1.0, 16000), Path())
        return Measured(run, z_v, z_a, unit_geometry(z_v, z_a), None)

    nce, total = [trained("B", 2, 0.9), trained("B", 0, 0.5)], [trained("F", n, 0.1 * n) for n in (0, 1, 2)]
    found = to_quantities({"nce": nce, "total": total}, [*nce, *total], 20)["magnitude_total_minus_nce"]
    means = {(one.run.row, one.run.training): float(one.geometry.magnitude.mean()) for one in [*nce, *total]}
    assert found.trainings == [0, 2]
    assert found.by_training == pytest.approx([means["F", n] - means["B", n] for n in (0, 2)])


def test_ranks_of_other_clips_are_refused(tmp_path: Path) -> None:
    made, shard, ranks = models(tmp_path / "models"), pack(tmp_path / "test-0.tar", clips=1), tmp_path / "ranks.parquet"
    embed.run(
        packs=[shard],
        encoder_dir=made.encoder,
        output=tmp_path / "f.safetensors",
        keys=tmp_path / "f.parquet",
        runtime=CPU,
        threads=1,
    )
    write_parquet(
        ranks,
        [
            {"clip_id": f"other-{j}", "label": "cow", "rank": 1, "further": [], "accepted": [], "named": []}
            for j in range(3)
        ],
        RANKS,
    )
    with pytest.raises(UserError, match="not of the clips"):
        run(
            runs=[RunFiles("B", 0, made.align, Window("start", 1.0, 16000), ranks)],
            packs=[shard],
            features=tmp_path / "f.safetensors",
            train_features=tmp_path / "f.safetensors",
            shown={"nce": "B"},
            bootstrap=20,
            output=tmp_path / "gap.csv",
            tensors=tmp_path / "g.safetensors",
            quantities=tmp_path / "gap.json",
            runtime=CPU,
            threads=1,
        )


def test_the_stage_measures_every_training_and_draws(tmp_path: Path) -> None:
    made = models(tmp_path / "models")
    shard = pack(tmp_path / "test-0.tar", clips=4)
    embed.run(
        packs=[shard],
        encoder_dir=made.encoder,
        output=tmp_path / "f.safetensors",
        keys=tmp_path / "f.parquet",
        runtime=CPU,
        threads=1,
    )
    keys = [row["key"] for row in read_parquet(tmp_path / "f.parquet")]
    runs = []
    for i, (row, training) in enumerate([("B", 0), ("B", 1), ("F", 0), ("F", 1)]):
        ranks = tmp_path / f"{i}.parquet"
        rows = [
            {"clip_id": key, "label": "cow", "rank": 1 + (j + i) % (2 + i), "further": [], "accepted": [], "named": []}
            for j, key in enumerate(keys)
        ]
        write_parquet(ranks, rows, RANKS)
        runs.append(
            RunFiles(
                row,
                training,
                made.align,
                Window("start" if row == "B" else "moment", 1.0 if row == "B" else 0.5, 16000),
                ranks,
            )
        )
    files = {name: tmp_path / name for name in ("gap.csv", "gap.safetensors", "gap.json")}
    run(
        runs=runs,
        packs=[shard],
        features=tmp_path / "f.safetensors",
        train_features=tmp_path / "f.safetensors",
        shown={"nce": "B", "total": "F"},
        bootstrap=50,
        output=files["gap.csv"],
        tensors=files["gap.safetensors"],
        quantities=files["gap.json"],
        runtime=CPU,
        threads=1,
    )
    table = list(csv.DictReader(files["gap.csv"].read_text().splitlines()))
    assert [(row["row"], row["training"]) for row in table] == [("B", "0"), ("B", "1"), ("F", "0"), ("F", "1")]
    assert [row["shown"] for row in table] == ["nce", "", "total", ""], "the first training of each row"
    assert all(0 < float(row["magnitude"]) < 2 for row in table)
    assert all(float(row["nearest image"]) == pytest.approx(1, abs=1e-5) for row in table), "it is among those known"
    assert all(float(row["nearest sound"]) < 1 for row in table)
    found = read_quantities(files["gap.json"])
    both = found["magnitude_total_minus_nce"]
    assert both.value == pytest.approx(float(table[2]["magnitude"]) - float(table[0]["magnitude"]), abs=1e-5)
    assert both.low <= both.value <= both.high and both.trainings == [0, 1] and len(both.by_training) == 2
    for part in ("gap", "centroid", "distribution"):
        assert found.pop(f"spearman_{part}_r1") == Missing("it takes 5 rows of Table 2")
    assert all(math.isfinite(number) for q in found.values() for number in (q.value, q.low, q.high))
    fig06(tensors=files["gap.safetensors"], output=tmp_path / "fig06.png")
    fig07(tensors=files["gap.safetensors"], runs_table=files["gap.csv"], output=tmp_path / "fig07.png")
    fig_gap(runs_table=files["gap.csv"], output=tmp_path / "gap.png")
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("fig06.png", "fig07.png", "gap.png"))
