"""What rules ask of a configuration, without Snakemake: files, values, code and amounts of jobs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workflow_runs import REPOSITORY

from s2v.config import Config
from s2v.configfile import check, load, merge, read, with_bases
from s2v.data.manifest import manifest_rows
from s2v.identity import code_digest
from s2v.planning.resources import memory_mb
from s2v.planning.scaling import Scaling
from s2v.planning.wildcards import either, embedded, embedded_frame, training_of, variant_classes
from s2v.workflow import Plan, trained


def configuration(**over: Any) -> Config:
    """The default, with some keys changed."""
    return check(merge([read(REPOSITORY / "config.yaml"), over]), [REPOSITORY / "config.yaml"])


def job(**wildcards: str) -> Any:
    """Wildcards of a job; those that a rule for variants has are empty unless named."""
    return SimpleNamespace(**{"again": "", "variant": "", **wildcards})


PLAN = Plan(configuration())


# Seeds.


def test_several_evaluators_learn_from_generators_of_a_training_that_no_table_has() -> None:
    plan = Plan(load([REPOSITORY / "config.yaml", REPOSITORY / "configs/evidence.yaml"]))
    folders = list(dict.fromkeys(str(Path(file).parent) for file in plan.judge))
    assert folders == ["<results>/judge", "<results>/judges/wide", "<results>/judges/edges"]
    edges = SimpleNamespace(evaluator="judges/edges")
    assert plan.painted(edges) == [
        f"<results>/seeds/90/painted/generate/{method}/0.tar" for method in ("icgan", "ldm")
    ]  # fmt: skip
    assert plan.judged_with(edges)["sees"] == "edges" and plan.judged_with(edges)["broken"] == 0.5
    assert plan.others(edges) == plan.packs("others") and plan.judged_packs(edges) == plan.packs("judge")
    painted = SimpleNamespace(variant="painted/", again="seeds/90/", method="icgan")
    assert plan.packs_to_draw(painted) == plan.packs("judge") and plan.frame_to_draw(painted) == "all"
    assert plan.drawn_with(painted)["split"] == "judge"
    assert plan.parts(painted)["generator"][0].startswith("<results>/seeds/90/generator/")


def test_another_seed_has_a_folder_of_its_own_for_what_it_trains_and_shares_the_rest() -> None:
    assert [training_of(job(again=again)) for again in ("", "seeds/3/", "seeds/12/")] == [0, 3, 12]
    third = job(again="seeds/3/")
    assert PLAN.folder("align", third) == "seeds/3/align" and PLAN.folder("encoder", third) == "encoder"
    anew = Plan(configuration(seeds={"of": ["encoder"]}))
    assert anew.folder("align", third) == "seeds/3/align", "it is made from f_V"
    assert anew.model("vae")(third) == trained("seeds/3/vae") and PLAN.model("vae")(third) == trained("vae")
    assert anew.cached("embed", ["train", "val"])(third) == [
        "<results>/seeds/3/embed/train.safetensors", "<results>/seeds/3/embed/val.safetensors"]  # fmt: skip
    assert anew.cached("embed_vit", ["train"])(third) == ["<results>/embed_vit/train.safetensors"]
    assert anew.folder("align", job()) == "align", "the first seed lies in the output itself"


def test_only_the_seeds_of_repeated_stages_are_counted_up() -> None:
    align, third = PLAN.config.align, job(again="seeds/3/", align="align", encoder="encoder")
    assert PLAN.aligned_with(third) == align.model_dump(mode="json") | {"seed": align.seed + 3}
    assert PLAN.aligned_with(job(align="align")) == align.model_dump(mode="json") == PLAN.values("align")
    assert PLAN.trained_with("vae")(third) == PLAN.values("vae"), "seeds.of has no vae"
    by_wildcard = Plan(configuration(seeds={"of": ["encoder"]})).trained_with(lambda wildcards: wildcards.encoder)
    assert by_wildcard(third)["seed"] == PLAN.config.encoder.seed + 3


def test_tables_take_every_training_and_what_no_training_makes_once() -> None:
    assert PLAN.evaluated("json", ["icgan", "sound2vision"], [0, 1]) == [
        f"<results>/{folder}evaluate/{method}/{seed}.json"
        for folder, method in (("", "icgan"), ("", "sound2vision"), ("seeds/1/", "sound2vision"))
        for seed in PLAN.config.generate.seeds
    ]


# Published weights.


def test_published_weights_take_neither_data_nor_features_and_digest_their_converter() -> None:
    plan = Plan(configuration(encoder={"weights": "swav-resnet50"}, align={"weights": "sound2scene-audio"}))
    assert plan.is_published("encoder") and not plan.is_published("encoder_vit") and not PLAN.is_published("encoder")
    assert plan.unless_published("encoder", ["a"]) == [] and PLAN.unless_published("encoder", ["a"]) == ["a"]
    assert plan.features_of("train")(job(align="align")) == []
    assert PLAN.features_of("train")(job(align="align")) == "<results>/embed/train.safetensors"
    assert plan.features_of("val")(job(align="align_ldm")) == "<results>/embed_vit/val.safetensors"
    assert plan.code("align") == code_digest("s2v.weights.convert") != PLAN.code("align")
    assert plan.code("generator") == PLAN.code("generator") == code_digest("s2v.train.generator")


def test_published_moments_take_the_place_of_the_localisation_model() -> None:
    plan = Plan(configuration(select={"mode": "published", "moments": "moments.json"}))
    assert plan.modules("select") == ("s2v.data.published",) and PLAN.modules("select") == ("s2v.data.select",)
    assert plan.unselected == ["<results>/select/{shard}.status.parquet"] and PLAN.unselected == []
    assert not plan.is_published("localise")


def test_code_that_is_imported_by_name_is_named_and_what_is_never_entered_is_left_out() -> None:
    assert PLAN.modules("manifest") == ("s2v.data.manifest", "s2v.world")
    assert PLAN.modules("extract") == ("s2v.data.extract",)
    assert PLAN.modules("fetch") == ("s2v.data.fetch", "s2v.world")
    without = ["s2v.data.youtube", "s2v.data.local_tree"]
    assert PLAN.code("fetch") == code_digest("s2v.data.fetch", "s2v.world", without=without)
    assert PLAN.code("fetch") != code_digest("s2v.data.fetch", without=without)
    files = [REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"]
    for source, other in (("youtube", "local_tree"), ("local_tree", "youtube")):
        plan = Plan(check(merge([*map(read, with_bases(files)), {"data": {"videos": {"source": source}}}]), files))
        assert plan.code("fetch") == code_digest("s2v.data.fetch", without=[f"s2v.data.{other}"])
        assert plan.is_by_id and plan.downloads == (source == "youtube")
    assert not PLAN.is_by_id and not PLAN.downloads


# Variants.


def test_a_variant_of_classes_names_its_list_and_others_have_none() -> None:
    assert variant_classes(job(variant="classes/6/")) == "<results>/classes/6/classes.json"
    assert variant_classes(job()) == variant_classes(job(variant="ablation/B/")) == []


def test_a_row_of_table_2_changes_alignment_frames_and_drawing() -> None:
    row = {name: job(align="align", method="sound2vision", variant=f"ablation/{name}/") for name in "BCE"}
    assert PLAN.aligned_with(row["B"])["loss"] == "nce" and PLAN.aligned_with(row["C"])["loss"] == "total"
    assert PLAN.features_of("train")(row["C"]) == "<results>/embed_mid/train.safetensors"
    assert PLAN.features_of("train")(row["B"]) == "<results>/embed/train.safetensors"
    assert PLAN.drawn_with(row["E"])["window_s"] == PLAN.drawn_with(row["B"])["window_s"] / 2
    assert not PLAN.ablated(job(variant="classes/6/")).changes and not PLAN.ablated(job()).changes
    assert PLAN.ablations["B"]["loss"] == "L_nce" and PLAN.ablations["C"]["frame"] == "mid"


def test_table_2_takes_each_training_of_each_row_where_it_lies() -> None:
    found = PLAN.ablation_results("json")
    assert found["B_json"] == [
        f"<results>/{folder}ablation/B/evaluate/sound2vision/{seed}.json"
        for folder, seed in (("", 0), ("seeds/1/", 1), ("seeds/2/", 2))
    ]
    assert found["F_json"][1] == "<results>/seeds/1/evaluate/sound2vision/1.json", "it changes nothing"


def test_frames_of_table_2_are_no_stages_of_their_own() -> None:
    named = {name: job(embed=name) for name in ("embed", "embed_vit", "embed_mid", "embed_vit_top1")}
    assert [embedded(one) for one in named.values()] == ["embed", "embed_vit", "embed", "embed_vit"]
    assert [embedded_frame(one) for one in named.values()] == ["jpg", "jpg", "mid.jpg", "top1.jpg"]
    assert PLAN.image_encoder(named["embed_vit_top1"]) == trained("encoder_vit")


def test_a_method_has_its_own_alignment_in_a_variant_and_shares_the_generator() -> None:
    one = job(method="sound2vision", again="seeds/1/", variant="classes/6/")
    parts = {"encoder": "encoder", "align": "seeds/1/classes/6/align", "generator": "generator"}
    assert PLAN.parts(one) == {part: trained(folder) for part, folder in parts.items()}
    parts = {"encoder": "encoder_vit", "align": "align_ldm", "generator": "diffusion", "vae": "vae"}
    assert PLAN.parts(job(method="sound2vision_ldm")) == {part: trained(folder) for part, folder in parts.items()}


def test_settings_of_one_generator_are_no_values_of_anothers_pictures() -> None:
    gan, ldm = (PLAN.drawn_with(job(method=method)) for method in ("sound2vision", "sound2vision_ldm"))
    assert (
        "ldm" in ldm and "ldm" not in gan and not {"unclip", "methods", "seeds", "table3"} & (gan.keys() | ldm.keys())
    )


def test_patterns_of_wildcards_are_the_stages_of_a_rule() -> None:
    matches = {
        "encoder": ["encoder", "encoder_vit"], "align": ["align", "align_ldm", "align_unclip"],
        "embed": ["embed", "embed_vit"],
    }  # fmt: skip
    for rule, names in matches.items():
        assert all(re.fullmatch(either(rule), name) for name in names)
        assert not re.fullmatch(either(rule), "embed_unclip") and not re.fullmatch(either(rule), f"{rule}_")


def test_more_classes_are_seen_by_each_generator_and_the_real_frames_are_measured_once() -> None:
    config = configuration(seeds={"scaling": [0, 1]}, scaling={"sizes": [3, 6], "world": None})
    plan = Plan(config)
    found = plan.scaling.results()
    assert list(found)[:3] == ["gan_3", "gan_3_ranks", "gan_3_tensors"] and len(found) == 2 * 3 * 3
    assert found["real_6"] == ["<results>/classes/6/evaluate/upper_bound/0.json"]
    method, seeds = config.generate.table3.A, config.generate.seeds
    assert plan.scaling.drawn(method) == [
        f"<results>/{folder}classes/6/generate/{method}/{seed}.tar" for folder in ("", "seeds/1/") for seed in seeds
    ]
    elsewhere = Scaling(config, "results/larger")
    assert elsewhere.classes(3) == "results/larger/classes/3/classes.json"
    assert elsewhere.packs("test")[0] == "results/larger/pack/test/002.tar"


def test_each_target_takes_the_measurements_of_its_claims() -> None:
    whole, part = (set(PLAN.claimed(job(claims=claims))) for claims in ("claims", "evidence"))
    assert part < whole and {"table1", "gap"} <= part and {"table3", "control"} <= whole - part
    assert PLAN.claimed(job(claims="evidence"))["table1"] == "<results>/claims/table1.json"
    unjudged = Plan(configuration(evaluate={"evaluator": "none"})).claimed(job(claims="claims"))
    assert "control" not in unjudged, "it is measured with the judge"


# Data.


def test_splits_are_packed_as_pairs_or_with_every_frame() -> None:
    assert PLAN.whole == {"images": "all", "judge": "all", "captioned": "all", "tagged": "sound"}
    assert list(PLAN.pairs) == ["train", "val", "test", "av_judge"]
    assert PLAN.packs("val", "test")[::6] == ["<results>/pack/val/002.tar", "<results>/pack/test/002.tar"]
    assert len(PLAN.packs("val", "test")) == 2 * len(PLAN.pair_shards) == 12


def test_pictures_alone_have_shards_of_their_own_which_come_first() -> None:
    """The encoder and all that follows it wait for two of eight shards."""
    assert PLAN.packs("images") == ["<results>/pack/images/000.tar", "<results>/pack/images/001.tar"]
    assert PLAN.pair_shards == [f"{shard:03d}" for shard in range(2, 8)] and len(PLAN.shards) == 8
    assert [PLAN.of_pictures(job(shard=shard)) for shard in ("001", "002")] == [True, False]
    found = {row["clip_id"]: row for row in manifest_rows(PLAN.config.data)}
    reels = [row["shard"] for row in found.values() if row["split"] in ("images", "judge", "captioned")]
    assert set(reels) == {0, 1} and min(reels.count(0), reels.count(1)) > 0.4 * len(reels)
    assert {row["shard"] for row in found.values() if row["split"] in ("train", "tagged")} == set(range(2, 8))
    few = Plan(configuration(data={"shards": 3}))
    assert few.packs("images") == [f"<results>/pack/images/{shard:03d}.tar" for shard in range(3)]
    assert few.pair_shards == few.shards, "three are too few to set one apart"


def test_optional_stages_are_there_where_the_configuration_asks_for_them() -> None:
    assert PLAN.duplicates == [] == PLAN.tars and PLAN.judge == trained("judge")
    assert PLAN.truth == ["<results>/world/truth.parquet"]
    plan = Plan(configuration(duplicates={"max_distance": 4}, evaluate={"evaluator": "none"}))
    assert plan.duplicates == ["<results>/duplicates/{shard}.parquet"] and plan.judge == []
    tars = {"videos": {"source": "tar_urls", "tars": ["a.tar", "b.tar"]}}
    assert Plan(configuration(data=tars)).tars == [], "the world has no tars"
    whole = [REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"]
    config = check(merge([*map(read, with_bases(whole)), {"data": tars}]), whole)
    assert Plan(config).tars == ["a.tar", "b.tar"] and Plan(config).truth == []


def test_a_video_that_is_added_to_a_watched_folder_changes_its_listing(tmp_path: Path) -> None:
    folder = [REPOSITORY / "config.yaml", REPOSITORY / "configs/folder.yaml"]
    plan = Plan(check(merge([*map(read, with_bases(folder)), {"data": {"folder": {"path": str(tmp_path)}}}]), folder))
    before = plan.listing()
    (tmp_path / "a.mp4").write_bytes(b"1")
    assert plan.listing() != before


# What jobs ask for.


@pytest.mark.parametrize(("attempt", "times"), [(1, 1), (2, 2), (3, 2)])
def test_a_second_try_gets_twice_the_memory_and_time_unless_the_stage_goes_on(attempt: int, times: int) -> None:
    assert PLAN.memory("align")(job(), attempt) == 4000 * times
    assert PLAN.minutes("embed")(job(), attempt) == 240 * times
    assert PLAN.minutes("align")(job(), attempt) == 720 and PLAN.minutes("fetch")(job(), attempt) == 720
    assert PLAN.memory_of_method("generate")(job(method="sound2vision"), attempt) == 3000 * times


def test_a_variant_asks_for_what_its_own_sizes_or_its_stages_want() -> None:
    full = Plan(load([REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"]))
    asked = full.memory(lambda wildcards: wildcards.align)
    assert asked(job(align="align_ldm"), 1) == memory_mb(full.config, "align_ldm") > 4000
    assert asked(job(align="align_unclip"), 1) == memory_mb(full.config, "align")
    assert full.minutes("align_unclip")(job(), 1) == full.minutes("align")(job(), 1)
    # A figure holds the nets that draw, and takes its own time; tables grow with the data.
    assert PLAN.memory("fig05")(job(), 1) == 3000 and PLAN.minutes("fig05")(job(), 1) == 60
    scaling = Plan(load([REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound-scaling.yaml"]))
    assert scaling.memory("table2")(job(), 1) == scaling.memory("table1")(job(), 1) > 1500


def test_a_method_asks_for_no_less_than_it_is_known_to_need() -> None:
    full = Plan(load([REPOSITORY / "config.yaml", REPOSITORY / "configs/vggsound50.yaml"]))
    drawing, marking = full.memory_of_method("generate"), full.memory_of_method("evaluate")
    assert drawing(job(method="sound2vision_ldm"), 1) == memory_mb(full.config, "generate_ldm")
    assert drawing(job(method="sound2vision_unclip"), 1) == 24000 == marking(job(method="sound2vision_unclip"), 1)
    assert full.minutes_of_method("generate")(job(method="unclip"), 1) == 720
    assert full.minutes_of_method("evaluate")(job(method="unclip"), 1) == 120


def test_gpus_are_for_what_computes_on_them_and_none_on_a_cpu() -> None:
    shared = Plan(configuration(runtime={"processes": 4}))
    stages = ("manifest", "embed", "align")
    assert [shared.gpus(stage) for stage in stages] == [0, 1, 4] and [PLAN.gpus(stage) for stage in stages] == [0, 1, 1]
    none = Plan(configuration(runtime={"processes": 4, "device": "cpu"}))
    assert [none.gpus(stage) for stage in stages] == [0, 0, 0]


@pytest.mark.parametrize(("cores", "threads"), [(None, 8), (1, 1), (2, 1), (8, 4), (64, 8)])
def test_two_trainings_share_the_cores(cores: int | None, threads: int) -> None:
    plan = Plan(PLAN.config, cores)
    assert plan.threads("align") == threads and plan.threads("pack") == 1


def test_a_training_can_have_threads_of_its_own() -> None:
    plan = Plan(configuration(runtime={"threads": {"diffusion": 2, "encoder_vit": 3}}), cores=2)
    by_wildcard = plan.threads(lambda wildcards: wildcards.encoder)
    assert not isinstance(by_wildcard, int)
    assert [plan.threads("diffusion"), plan.threads("vae"), plan.threads("pack")] == [2, 1, 1]
    assert [by_wildcard(job(encoder=name)) for name in ("encoder", "encoder_vit")] == [1, 3]


def test_every_job_reads_it_so_it_loads_neither_torch_nor_snakemake() -> None:
    code = (
        "import sys, s2v.workflow; print([name for name in ('torch', 'snakemake', 'diffusers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "[]"
