"""A model folder may be anybody's: each malformed one is one line, soon, and takes no memory that it only claims."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from tiny_run import AUDIO, models
from torch import Tensor
from typer.testing import CliRunner

import s2v
from s2v.cli import app
from s2v.control.training_frames import Frames
from s2v.errors import UserError
from s2v.evaluate.evaluators import load_evaluator
from s2v.models.biggan import Generator
from s2v.models.image_encoder import ImageEncoder
from s2v.models.judge import Judge
from s2v.models.localiser import Localiser
from s2v.models.store import load, save

SECONDS, MEGABYTES = 10, 400
"""What a refusal may take of a core and memory: the nets themselves load in a tenth of a second and a few megabytes."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("good")
    models(root)
    (root / "encoder_vit").symlink_to("encoder")
    (root / "align_ldm").symlink_to("align")
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "class_names": ["cow", "owl"],
        "image_px": 16,
        "width": 4,
        "dim": 8,
        "about": {"label": "a judge"},
    }
    save(root / "judge", Judge(**shape).state_dict(), shape)
    shape = {"width": 4, "dim": 8, "image_px": 16, "ear": AUDIO}
    save(root / "localise", Localiser(**shape).state_dict(), shape)
    # A ViT as f_V, whose config says more than that of a ResNet.
    shape = {"depth": 1, "width": 16, "image_px": 16, "architecture": "vit", "patch_px": 8, "heads": 2, "stem": "conv"}
    save(root / "vit", ImageEncoder(**shape).state_dict(), shape)
    return root


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "model", symlinks=True))


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """A case that hangs, or takes the memory that a file claims, fails."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"took more than {6 * SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    started, limits = time.process_time(), resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEGABYTES * 2**20, limits[1]))
    signal.alarm(6 * SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert time.process_time() - started < SECONDS


def told(act: Callable[[], object]) -> str:
    with pytest.raises(UserError) as error:
        act()
    assert "\n" not in str(error.value)
    return str(error.value)


def config(**changes: Any) -> Callable[[Path], None]:
    """Other values in config.json; `...` takes a key out."""

    def change(part: Path) -> None:
        values = json.loads((part / "config.json").read_text()) | changes
        values = {key: value for key, value in values.items() if value is not ...}
        (part / "config.json").write_text(json.dumps(values))

    return change


def audio(**changes: Any) -> Callable[[Path], None]:
    values = {key: value for key, value in {**AUDIO, **changes}.items() if value is not ...}
    return config(audio=values)


def text(data: str | bytes, name: str = "config.json") -> Callable[[Path], None]:
    def change(part: Path) -> None:
        (part / name).write_bytes(data.encode() if isinstance(data, str) else data)

    return change


def weights(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    """Other tensors in model.safetensors."""

    def do(part: Path) -> None:
        tensors = load_file(part / "model.safetensors")
        change(tensors)
        save_file(tensors, part / "model.safetensors")

    return do


def raw(header: bytes, data: bytes = b"", claimed: int | None = None, size: int = 0) -> Callable[[Path], None]:
    """A model.safetensors of these bytes; `size` makes it a sparse file."""

    def change(part: Path) -> None:
        length = struct.pack("<Q", len(header) if claimed is None else claimed)
        with open(part / "model.safetensors", "wb") as stream:
            stream.write(length + header + data)
            if size:
                stream.truncate(size)

    return change


def header(shape: list[int], offsets: list[int], dtype: str = "F32") -> bytes:
    return json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).encode()


def cut(share: float, name: str = "model.safetensors") -> Callable[[Path], None]:
    def change(part: Path) -> None:
        data = (part / name).read_bytes()
        (part / name).write_bytes(data[: round(share * len(data))])

    return change


def instead(make: Callable[[Path], object], name: str = "config.json") -> Callable[[Path], None]:
    """Something that is no regular file."""

    def change(part: Path) -> None:
        (part / name).unlink()
        make(part / name)

    return change


def sparse(name: str, size: int) -> Callable[[Path], None]:
    def change(part: Path) -> None:
        with open(part / name, "r+b") as stream:
            stream.truncate(size)

    return change


CONV = "backbone.net.conv1.weight"


def tail(part: Path) -> None:
    with open(part / "model.safetensors", "ab") as stream:
        stream.write(b"0" * 64)


def conv(change: Callable[[Tensor], Tensor]) -> Callable[[Path], None]:
    """Another first convolution."""
    return weights(lambda tensors: tensors.update({CONV: change(tensors[CONV])}))


def rename(name: str, other: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.update({other: tensors.pop(name)})


MALFORMED: dict[str, tuple[str, Callable[[Path], Any]]] = {
    # what lies there
    "config is a pipe": ("align", instead(os.mkfifo)),
    "config is a device without end": ("align", instead(lambda path: path.symlink_to("/dev/zero"))),
    "config is a folder": ("align", instead(Path.mkdir)),
    "config is a link to itself": ("align", instead(lambda path: path.symlink_to(path.name))),
    "config leads nowhere": ("align", instead(lambda path: path.symlink_to("nowhere"))),
    "config is missing": ("generator", lambda part: (part / "config.json").unlink()),
    "weights are a pipe": ("generator", instead(os.mkfifo, "model.safetensors")),
    "weights are a folder": ("generator", instead(Path.mkdir, "model.safetensors")),
    "weights are a link to themselves": (
        "encoder", instead(lambda path: path.symlink_to(path.name), "model.safetensors")),
    "weights are missing": ("encoder", lambda part: (part / "model.safetensors").unlink()),
    "a part is a link to itself": ("align", lambda part: (shutil.rmtree(part), part.symlink_to(part.name))),
    "a part is a file": ("align", lambda part: (shutil.rmtree(part), part.write_text("x"))),
    # config.json
    "config is empty": ("align", text("")),
    "config is cut off": ("align", cut(0.5, "config.json")),
    "config is no text": ("align", text(b"\xff\xfe\x00\x01")),
    "config is a list": ("align", text("[]")),
    "config is null": ("generator", text("null")),
    "config is a number": ("generator", text("5")),
    "config is a word": ("encoder", text('"resnet"')),
    "config is nested without end": ("align", text("[" * 500_000)),
    "config is objects without end": ("align", text('{"a":' * 100_000)),
    "config holds a number of 5000 digits": ("align", text('{"dim": ' + "9" * 5000 + "}")),
    "config is of 1 TB": ("align", sparse("config.json", 2**40)),
    "config is of 2 MB": ("align", text(json.dumps({"a": "x" * 2**21}))),
    "dim is missing": ("align", config(dim=...)),
    "all is missing": ("generator", text("{}")),
    "a key more": ("generator", config(colour="red")),
    "a key with a dunder": ("align", config(__class__="x", self=1)),
    "width is text": ("align", config(width="4")),
    "width is a fraction": ("align", config(width=4.5)),
    "width is true": ("align", config(width=True)),
    "width is null": ("align", config(width=None)),
    "width is a list": ("align", config(width=[4])),
    "width is an object": ("align", config(width={"a": 4})),
    "width is NaN": ("align", text('{"dim": 32, "width": NaN, "final_relu": false, "audio": {}}')),
    "width is 0": ("align", config(width=0)),
    "width is below 0": ("align", config(width=-4)),
    "width is 10^6": ("align", config(width=10**6)),
    "width is 10^18": ("align", config(width=10**18)),
    "dim is 10^6": ("align", config(dim=10**6)),
    "dim is not that of the weights": ("align", config(dim=64)),
    "final_relu is text": ("align", config(final_relu="yes")),
    "an unknown head": ("align", config(head="banana")),
    "audio is a list": ("align", config(audio=[1, 2])),
    "audio is missing": ("align", config(audio=...)),
    "audio lacks its window": ("align", audio(window_s=...)),
    "audio has a key more": ("align", audio(colour=1)),
    "a window of years": ("align", audio(window_s=1e12)),
    "a window of 0": ("align", audio(window_s=0)),
    "a window below 0": ("align", audio(window_s=-1.0)),
    "a window shorter than a frame": ("align", audio(window_s=0.01)),
    "a window in words": ("align", audio(window_s="1")),
    "a frame of 2^40": ("align", audio(n_fft=2**40)),
    "a hop of 0": ("align", audio(hop=0)),
    "a hop below 0": ("align", audio(hop=-159)),
    "a floor of 0": ("align", audio(log_floor=0)),
    "another rate": ("align", audio(sample_rate_hz=8000)),
    "depth is unknown": ("encoder", config(depth=99)),
    "depth is 0": ("encoder", config(depth=0)),
    "pictures of 10^6 px": ("encoder", config(image_px=10**6)),
    "pictures of 0 px": ("encoder", config(image_px=0)),
    "an unknown architecture": ("encoder", config(architecture="banana")),
    "a ViT that is none": ("encoder", config(architecture="vit")),
    "a ViT of 10^6 blocks": ("encoder", config(architecture="vit", depth=10**6, heads=1)),
    "a ViT of 10^6 heads": ("encoder", config(architecture="vit", heads=10**6)),
    "a resolution of 10^6": ("generator", config(resolution=10**6)),
    "a resolution of 33": ("generator", config(resolution=33)),
    "another resolution": ("generator", config(resolution=64)),
    "channels of 10^6": ("generator", config(channels=10**6)),
    "noise of 0": ("generator", config(dim_z=0)),
    "attention that the weights lack": ("generator", config(attention=True)),
    "the config of another part": ("generator", lambda part: shutil.copy(part.parent / "align/config.json", part)),
    # model.safetensors
    "weights are empty": ("align", text(b"", "model.safetensors")),
    "weights are of 3 bytes": ("align", text(b"abc", "model.safetensors")),
    "weights are text": ("align", text("<html>not found</html>" * 50, "model.safetensors")),
    "weights lack their last byte": ("align", cut(0.99999)),
    "weights are of 1 TB": ("align", sparse("model.safetensors", 2**40)),
    "weights are cut in half": ("generator", cut(0.5)),
    "weights are cut in the header": ("generator", cut(0.001)),
    "weights have a tail": ("align", tail),
    "a header that claims 2^63": ("align", raw(b"{}", claimed=2**63)),
    "a header that claims 90 MB of a sparse file": ("align", raw(b"{}", claimed=90 * 2**20, size=2**40)),
    "a header that is no JSON": ("align", raw(b"x" * 64)),
    "a header that is a list": ("align", raw(b"[1]")),
    "a header without tensors": ("align", raw(b"{}")),
    "a tensor beyond the file": ("align", raw(header([2**20], [0, 2**22]))),
    "a tensor below 0": ("align", raw(header([-1], [0, 4]), b"0000")),
    "a tensor of another size than its bytes": ("align", raw(header([8], [0, 4]), b"0000")),
    "tensors that overlap": ("align", raw(
        json.dumps({n: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in "ab"}).encode(), b"0000")),
    "a tensor of an unknown type": ("align", raw(header([1], [0, 4], "F99"), b"0000")),
    "a tensor of 100 GB in a sparse file": ("align", raw(
        header([25 * 2**30], [0, 100 * 2**30]), size=8 + len(header([25 * 2**30], [0, 100 * 2**30])) + 100 * 2**30)),
    "a tensor is missing": ("align", weights(lambda tensors: tensors.pop(CONV))),
    "a tensor more": ("align", weights(lambda tensors: tensors.update(more=torch.zeros(3)))),
    "a tensor of another name": ("align", weights(rename(CONV, "conv1"))),
    "a tensor of another shape": ("align", conv(lambda t: torch.zeros(4, 1, 3, 3))),
    "a tensor with an axis more": ("align", conv(lambda t: t[None].clone())),
    "a tensor without numbers": ("align", conv(lambda t: torch.zeros(0))),
    "a tensor of whole numbers": ("align", conv(lambda t: t.long())),
    "a tensor of complex numbers": ("align", conv(lambda t: t.to(torch.complex64))),
    "a tensor of 8 bits": ("align", conv(lambda t: t.to(torch.float8_e4m3fn))),
    "NaN in a tensor": ("align", weights(lambda tensors: tensors[CONV].view(-1)[0].fill_(torch.nan))),
    "infinity in a tensor": ("generator", weights(lambda tensors: tensors["head.2.bias"].fill_(torch.inf))),
    "no tensor at all": ("encoder", weights(lambda tensors: tensors.clear())),
    "the weights of another part": ("encoder", lambda part: shutil.copy(part.parent / "align/model.safetensors", part)),
}  # fmt: skip


def test_the_bounds_of_these_tests_bite() -> None:
    with pytest.raises(RuntimeError, match="memory"):
        torch.ones(MEGABYTES * 2**20)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_model_folder_is_one_line(name: str, folder: Path) -> None:
    part, change = MALFORMED[name]
    change(folder / part)
    assert str(folder) in told(lambda: s2v.load(folder).encode_audio(torch.rand(16000)))


def test_the_untouched_folder_loads(folder: Path) -> None:
    model = s2v.load(folder)
    assert model.generate(model.encode_audio(torch.rand(16000))).shape == (1, 3, 32, 32)
    assert s2v.load(folder, "sound2vision_ldm").dim == 32
    assert load_evaluator("judge", folder=folder / "judge") is not None


OTHERS: dict[str, tuple[str, Callable[[Path], Any], Callable[[Path], object]]] = {
    name: (part, change, act)
    for part, act, changes in (
        ("vae", lambda root: s2v.load(root, "sound2vision_ldm"), {
            "channels are a number": config(channels=8),
            "channels are text": config(channels=["8"]),
            "channels of 10^5 levels": config(channels=[8] * 100_000),
            "no channels": config(channels=[]),
            "channels of 0": config(channels=[0, 8]),
            "10^6 layers": config(layers_per_block=10**6),
            "groups that do not divide": config(groups=3),
            "autoencoder of 10^6 px": config(resolution=10**6),
            "latents of another size": config(resolution=64),
            "the autoencoder's NaN": weights(lambda tensors: next(iter(tensors.values())).view(-1)[0].fill_(torch.nan)),
        }),
        ("diffusion", lambda root: s2v.load(root, "sound2vision_ldm"), {
            "an unknown prediction": config(prediction="banana"),
            "an unknown schedule": config(beta_schedule="banana"),
            "10^6 timesteps": config(timesteps=10**6),
            "0 timesteps": config(timesteps=0),
            "latents of 10^6 px": config(latent_px=10**6),
            "tokens of 10^6": config(tokens=10**6, token_dim=10**6),
            "fewer levels with attention": config(attention=[False]),
            "attention in words": config(attention=["no", "yes"]),
            "10^5 levels": config(channels=[16] * 100_000, attention=[True] * 100_000),
            "features of another size": config(dim_feature=33),
        }),
        ("judge", lambda root: load_evaluator("judge", folder=root / "judge"), {
            "names are text": config(class_names="cow"),
            "names are numbers": config(class_names=[1, 2]),
            "10^5 names": config(class_names=["a"] * 100_000),
            "a judge of 10^6 px": config(image_px=10**6),
            "no label": config(about={}),
            "about is a list": config(about=[]),
        }),
        ("localise", lambda root: load(Localiser, root / "localise"), {
            "no ear": config(ear=None),
            "an ear with a hop of 0": config(ear={**AUDIO, "hop": 0}),
            "an ear of years": config(ear={**AUDIO, "window_s": 1e12}),
            "a localiser of 10^6 px": config(image_px=10**6),
        }),
        ("vit", lambda root: load(ImageEncoder, root / "vit"), {
            "an unknown stem": config(stem="banana"),
            "patches of 4096 px": config(patch_px=4096),
            "heads that do not divide": config(heads=3),
            "10^6 blocks": config(depth=10**6),
            "no stem of its own": config(stem="patch"),
        }),
    )
    for name, change in changes.items()
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_malformed_part_of_another_kind_is_one_line(name: str, folder: Path) -> None:
    part, change, act = OTHERS[name]
    change(folder / part)
    assert str(folder) in told(lambda: act(folder))


def test_parts_that_do_not_fit_each_other_are_one_line(folder: Path, tmp_path: Path) -> None:
    shape = json.loads((folder / "generator/config.json").read_text()) | {"dim_feature": 48}
    save(folder / "generator", Generator(**shape).state_dict(), shape)
    assert "takes features of 48 numbers" in told(lambda: s2v.load(folder))


EXPORTED: dict[str, Callable[[Path], Any]] = {
    "a list": text("[]", "s2v.json"),
    "cut off": text('{"classes": [', "s2v.json"),
    "classes are a number": text('{"classes": 5}', "s2v.json"),
    "classes are text": text('{"classes": "cow"}', "s2v.json"),
    "classes are numbers": text('{"classes": [1]}', "s2v.json"),
    "nested without end": text("[" * 500_000, "s2v.json"),
    "2 MB": text(json.dumps({"classes": ["x" * 2**21]}), "s2v.json"),
}


@pytest.mark.parametrize("name", EXPORTED)
def test_a_malformed_export_is_one_line(name: str, folder: Path) -> None:
    EXPORTED[name](folder)
    model = s2v.load(folder)
    assert "s2v.json" in told(lambda: model.classes)


FRAMES: dict[str, Callable[[Path], Any]] = {
    "text": text("<html>", "frames.safetensors"),
    "1 TB": lambda root: (text(b"x", "frames.safetensors")(root), sparse("frames.safetensors", 2**40)(root)),
    "no lengths": lambda root: save_file({"features": torch.zeros(2, 32)}, root / "frames.safetensors"),
    "lengths below 0": lambda root: save_file(
        {"features": torch.zeros(2, 32), "jpegs": torch.zeros(4, dtype=torch.uint8), "lengths": torch.tensor([6, -2])},
        root / "frames.safetensors"),
    "one axis": lambda root: save_file(
        {"features": torch.zeros(2), "jpegs": torch.zeros(4, dtype=torch.uint8), "lengths": torch.tensor([2, 2])},
        root / "frames.safetensors"),
    "pictures that are none": lambda root: save_file(
        {"features": torch.zeros(2, 32), "jpegs": torch.zeros(4, dtype=torch.uint8), "lengths": torch.tensor([2, 2])},
        root / "frames.safetensors"),
    "features of another size": lambda root: save_file(
        {"features": torch.zeros(2, 9), "jpegs": torch.zeros(4, dtype=torch.uint8), "lengths": torch.tensor([2, 2])},
        root / "frames.safetensors"),
    "NaN": lambda root: save_file(
        {"features": torch.full((2, 32), torch.nan), "jpegs": torch.zeros(4, dtype=torch.uint8),
         "lengths": torch.tensor([2, 2])}, root / "frames.safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_malformed_training_frames_are_one_line(name: str, folder: Path) -> None:
    FRAMES[name](folder)

    def nearest() -> object:
        frames = Frames.of(folder)
        assert frames is not None
        return frames.nearest(torch.ones(32), 2, 8)

    told(nearest)


def test_a_pipe_in_place_of_training_frames_is_as_good_as_none(folder: Path) -> None:
    os.mkfifo(folder / "frames.safetensors")
    os.mkfifo(folder / "s2v.json")
    assert Frames.of(folder) is None and s2v.load(folder).classes == []


@pytest.mark.parametrize("name", ["config is a pipe", "width is 10^6", "weights are cut in half", "NaN in a tensor"])
def test_the_command_line_says_it_in_one_line(name: str, folder: Path) -> None:
    part, change = MALFORMED[name]
    change(folder / part)
    sound, out = folder / "a.wav", folder / "out.png"
    soundfile.write(sound, [0.1, 0.2] * 8000, 16000)
    done = CliRunner().invoke(app, ["generate", str(sound), "-o", str(out), "--model", str(folder)])
    assert done.exit_code == 1 and done.output.count("\n") == 1 and not out.exists(), done.output
