"""Stage `pack`: the samples that training and evaluation read, as WebDataset shards with an index beside each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import webdataset as wds

from s2v.data.reader import Sample, clip_record, frame_suffixes, samples
from s2v.errors import UserError
from s2v.files import atomic_path, read_json, read_parquet, sha256, write_json

if TYPE_CHECKING:
    from s2v.config import PackConfig

# The manifest's `extra` stays behind: it is the source's own note, and may name what an unlabelled split must not know.
FACTS = ("clip_id", "label", "split", "source", "source_id", "start_s", "end_s", "shard")


def run(
    *,
    config: PackConfig,
    manifest: Path,
    tar: Path,
    selection: Path | None,
    outputs: dict[str, Path],
    left_out: Sequence[Path] = (),
) -> None:
    """Pack an extract shard, read once, into one tar for each split; a split without any clip gives an empty tar.

    A clip becomes one sample: `flac` (where it has sound), `jpg` (the chosen frame), `mid.jpg`, `top1.jpg` (where
    it has sound) and `json`. Where `config.keep` says `all`, each of its frames becomes one: `jpg`, `json`, and `txt`
    where the manifest has captions; where it says `sound`, it is `flac` and `json`.
    Pictures and sound are the extracted bytes. The same input gives the same bytes. Beside each tar goes its index,
    a .json: samples, keys, bytes and sha256.

    Args:
        config: which frames of a split are kept.
        manifest: the shard's manifest, from which labels come.
        tar: the shard as stage `extract` wrote it.
        selection: the shard as stage `select` wrote it; needed where a frame is chosen.
        outputs: tar to write for each split.
        left_out: the shard's status of the stages between; clips that one of them leaves out are left out here.

    Raises:
        UserError: the inputs are damaged or do not belong together.
    """
    dropped = {row["clip_id"] for path in left_out for row in read_parquet(path) if row["status"] != "ok"}
    rows = {row["clip_id"]: row for row in read_parquet(manifest) if row["split"] in outputs}
    rows = {clip_id: row for clip_id, row in rows.items() if clip_id not in dropped}
    keep = {split: config.keep.get(split, "selected") for split in outputs}
    scored = read_parquet(selection) if selection is not None else []
    chosen = {row["clip_id"]: row for row in scored if row["clip_id"] in rows}
    keys: dict[str, list[str]] = {split: [] for split in outputs}
    with ExitStack() as stack:
        writers = {}
        for split, output in outputs.items():
            stream = stack.enter_context(open(stack.enter_context(atomic_path(output)), "wb"))
            writers[split] = stack.enter_context(wds.TarWriter(stream, encoder=False, mtime=0))
        for split, sample in _samples(tar, rows, chosen, keep):
            writers[split].write(sample)
            keys[split].append(sample["__key__"])
    for split, output in outputs.items():
        write_json(
            output.with_suffix(".json"),
            {
                "split": split,
                "samples": len(keys[split]),
                "keys": keys[split],
                "bytes": output.stat().st_size,
                "sha256": sha256(output),
            },
        )


def verify(tar: Path, index: Path) -> int:
    """Check a packed shard against its index.

    Returns:
        The number of its samples.

    Raises:
        UserError: names the shard that is missing, cut off or changed, or the index that cannot be read.
    """
    record = read_json(index)
    if not isinstance(record, dict) or not {"samples", "keys", "bytes", "sha256"} <= record.keys():
        raise UserError(f"{index}: not the index of a shard; remove it and run stage pack again")
    if not tar.is_file():
        raise UserError(f"{tar}: the shard is missing; run stage pack again")
    size = tar.stat().st_size
    if size != record["bytes"]:
        raise UserError(
            f"{tar}: damaged, {size} bytes instead of {record['bytes']}; remove it and run stage pack again"
        )
    if sha256(tar) != record["sha256"]:
        raise UserError(f"{tar}: damaged, its checksum is not that of {index}; remove it and run stage pack again")
    return int(record["samples"])


def damaged(folder: Path) -> list[tuple[Path, str]]:
    """Indices below `folder` (`{split}/{shard}.json`) that their shard does not match, each with what is wrong.

    A shard without an index counts too.

    Raises:
        UserError: there are no shards.
    """
    files = (path for path in folder.glob("*/[!.]*") if path.suffix in (".tar", ".json"))
    indices = sorted({path.with_suffix(".json") for path in files})
    if not indices:
        raise UserError(f"{folder}: no packed shards")
    found = []
    for index in indices:
        try:
            verify(index.with_suffix(".tar"), index)
        except UserError as error:
            found.append((index, str(error)))
    return found


def _samples(
    tar: Path, rows: dict[str, dict[str, Any]], chosen: dict[str, dict[str, Any]], keep: Mapping[str, str]
) -> Iterator[tuple[str, Sample]]:
    """(split, sample) of all clips of `rows`."""

    def pick(key: str, suffixes: list[str]) -> list[str] | None:
        if key not in rows:
            return None
        kept = keep[rows[key]["split"]]
        if kept == "all":
            return [suffix for suffix in suffixes if suffix != "flac"]
        if kept == "sound":
            return [suffix for suffix in suffixes if suffix in ("flac", "json")]
        selected = chosen.get(key)
        if selected is None:
            return []
        numbers = {selected["chosen"], selected["mid"], *selected["top"][:1]}
        frames = [suffix for suffix in frame_suffixes(suffixes) if int(suffix[:-4]) in numbers]
        return [*frames, *(suffix for suffix in suffixes if suffix in ("flac", "json"))]

    for sample in samples(tar, pick):
        key = sample["__key__"]
        row = rows[key]
        kept = keep[row["split"]]
        if kept == "selected" and key not in chosen:
            raise UserError(f"{tar}: clip {key} was never scored; run stage select again")
        record = {field: row[field] for field in FACTS} | {"fps": clip_record(tar, sample)["fps"]}
        if kept == "all":
            yield from ((row["split"], one) for one in _frames(tar, sample, record, row["captions"]))
        elif kept == "selected":
            yield row["split"], _pair(tar, sample, record, chosen[key])
        elif "flac" in sample:
            yield row["split"], {"__key__": key, "flac": sample["flac"], "json": _json(record)}


def _frames(tar: Path, sample: Sample, record: dict[str, Any], captions: list[str] | None) -> Iterator[Sample]:
    suffixes = frame_suffixes(sample)
    if captions is not None and len(captions) != len(suffixes):
        raise UserError(
            f"{tar}: clip {sample['__key__']} has {len(suffixes)} frames and {len(captions)} captions; "
            "give one for each"
        )
    for i, suffix in enumerate(suffixes):
        number = suffix[:-4]
        text = {} if captions is None else {"txt": captions[i].encode()}
        yield {
            "__key__": f"{sample['__key__']}-{number}",
            "jpg": sample[suffix],
            "json": _json({**record, "frame": int(number)}),
            **text,
        }


def _pair(tar: Path, sample: Sample, record: dict[str, Any], selected: dict[str, Any]) -> Sample:
    frames = {int(suffix[:-4]): sample[suffix] for suffix in frame_suffixes(sample)}
    named = {"jpg": selected["chosen"], "mid.jpg": selected["mid"]}
    if selected["top"]:
        named["top1.jpg"] = selected["top"][0]
    missing = set(named.values()) - frames.keys()
    if missing:
        raise UserError(f"{tar}: clip {sample['__key__']} has no frame {min(missing)}; run stage select again")
    facts = {field: selected[field] for field in ("n_frames", "chosen", "mid", "top", "scores")}
    packed: Sample = {"__key__": sample["__key__"], "json": _json({**record, **facts})}
    packed |= {suffix: frames[number] for suffix, number in named.items()}
    if "flac" in sample:
        packed["flac"] = sample["flac"]
    return packed


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
