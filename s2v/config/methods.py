"""The ways from a sound to a picture: what each sees, hears and renders with. This is the one table of them.

Rules read it, so it imports nothing heavy. A method of this package is an entry of `METHODS`; one of somebody else's is
a class that has an entry (`s2v.config.foreign`, docs/methods.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

OWN = "own"
"""What a method sees or hears with where that is no trained thing of the run: it brings it along."""


@dataclass(frozen=True)
class Rendering:
    """What makes pictures of features, and what a job that does so needs.

    Attributes:
        kind: a module of `s2v.methods.renderers`; none where the method is somebody else's.
        parts: trained things, {part: folder under the output}.
        settings: keys of `generate` that matter to it and not to the methods that do not name them.
        column: the paper's column: G (generator), R (retrieval) or -.
        seeded: false where it ignores its seeds, so that every generation seed gives the same pictures.
        memory_mb: of the job.
        minutes: of the job, on a cluster.
    """

    kind: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    column: Literal["G", "R", "-"] = "G"
    seeded: bool = True
    memory_mb: int = 3000
    minutes: int = 120


@dataclass(frozen=True)
class Entry:
    """A method.

    Attributes:
        name: in the configuration, in paths and in tables; small letters, digits and _.
        title: for readers of tables.
        letter: row of the paper's Table 1; empty where it has none. That of somebody else's method is its name.
        sees: the image encoder, a folder under the output, `OWN`, or None.
        hears: the audio encoder, likewise. A method that hears is given the sounds of test clips, any other a frame.
        ear: which audio encoder a method of this package brings along, a module of `s2v.methods.ears`.
        renders: what makes the pictures.
        frame: which frame of a test clip it is given: top1, mid, or the key of `generate` that says so.
        control: how its features are destroyed on purpose (`s2v.evaluate.generate.CONTROLS`).
        closed: whether sounds are moved by the mean gap of training pairs (`s2v.methods.closed_gap`).
        snapped: whether they are brought to the features of near training frames (`s2v.methods.snapped`).
        main: a row of table1.csv; others stand beside it in table1.md, as controls.
        note: what a control shows.
        defaults: settings of its own, which `generate.settings.<name>` may give other values.
        uses_text: whether text had a part in the training of any of its nets, CLIP's among them, or has one when it
            draws: the paper's own training needs none.
        told: whether it is told the name of the clip's class, in place of what is seen or heard: an oracle.
        own: module:class of this package, where it is not composed of what sees, hears and renders.
        weights: published ones that it takes (`s2v weights list`), beside those of its renderer.
        source: module:class of somebody else's; `s2v.config.foreign` fills it in.
    """

    name: str
    title: str
    letter: str = ""
    sees: str | None = None
    hears: str | None = None
    renders: Rendering = field(default_factory=Rendering)
    frame: str = "icgan_frame"
    control: Literal["shuffled", "scrambled"] | None = None
    closed: bool = False
    snapped: bool = False
    main: bool = True
    note: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ear: str = ""
    uses_text: bool = False
    told: bool = False
    own: str = ""
    weights: tuple[str, ...] = ()
    source: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """The trained things that it is made of, {part: folder under the output}."""
        ends = {"encoder": self.sees, "align": self.hears}
        return {part: folder for part, folder in ends.items() if folder not in (None, OWN)} | dict(self.renders.parts)  # type: ignore[misc]

    @property
    def takes(self) -> Literal["sound", "frame", "name"]:
        """What of a test clip it is given."""
        return "name" if self.told else "sound" if self.hears else "frame"

    @property
    def encoder(self) -> Literal["A", "V", "-"]:
        """The paper's column: A (audio), V (image) or -."""
        return "A" if self.hears else "V" if self.sees else "-"

    @property
    def settings(self) -> tuple[str, ...]:
        """Keys of `generate` that matter to it and not to the methods that do not name them."""
        return self.renders.settings + (("snap",) if self.snapped else ())

    def values(self) -> dict[str, Any]:
        """What decides its pictures and their records, as plain values: all but memory and time of the job."""
        return asdict(replace(self, renders=replace(self.renders, memory_mb=0, minutes=0)))

    def unused(self) -> list[str]:
        """Modules that it never runs through: what others hear and render with. Somebody else's may run through all."""
        kinds = {entry.renders.kind for entry in METHODS.values()} - {"", self.renders.kind}
        ears = {entry.ear for entry in METHODS.values()} - {"", self.ear}
        modules = [f"renderers.{kind}" for kind in sorted(kinds)] + [f"ears.{ear}" for ear in sorted(ears)]
        return [] if self.source else [f"s2v.methods.{module}" for module in modules]

    @property
    def seeded(self) -> bool:
        """Whether another generation seed gives other pictures."""
        return self.renders.seeded or self.control is not None


_GAN = Rendering("biggan", {"generator": "generator"})
_DATABASE = Rendering("database", {"generator": "generator"}, column="R", seeded=False)  # the generator's memory is its
_FRAME = Rendering("identity", {"generator": "generator"}, column="-", seeded=False)  # shown at the generator's size
_LDM = Rendering("latent_diffusion", {"generator": "diffusion", "vae": "vae"}, ("ldm",))
# Its nets are files of the user. All of its pictures are in memory at once: 2,500 of 768 px are 4.4 GB.
_UNCLIP = Rendering("stable_unclip", {}, ("unclip",), memory_mb=24000, minutes=720)
_S2I = Rendering("", {"autoencoder": "s2i_autoencoder", "generator": "s2i_generator"})
_PEDERSOLI = Rendering("", {"audio": "pedersoli_audio", "vqvae": "pedersoli_vqvae"}, seeded=False)

_TEXT_PARTS = {"text_diffusion": "text_diffusion", "vae": "vae"}
_HEARD = Rendering("", {**_TEXT_PARTS, "tagger": "tagger"}, ("text_ldm",))
_TOKEN = Rendering("", {**_HEARD.parts, "audiotoken": "audiotoken"}, ("text_ldm",))

_ICGAN = Entry("icgan", "ICGAN", "A", sees="encoder", renders=_GAN)
_SOUND2VISION = Entry("sound2vision", "Sound2Vision (ours)", "B", sees="encoder", hears="align", renders=_GAN)
_LINEAR = Entry(
    "linear",
    "Linear map of log-mel statistics",
    sees="encoder",
    hears=OWN,
    ear="linear",
    renders=_GAN,
    main=False,
)
_UPPER_BOUND = Entry("upper_bound", "Upper bound", "D", renders=_FRAME, frame="upper_bound_frame")

# The systems of Figure 15.
_FANZERES = Entry("s2i", "S2I", hears=OWN, renders=_S2I, own="s2v.methods.s2i:S2I", main=False)
_VQVAE = Entry(
    "pedersoli", "Pedersoli et al.", hears=OWN, renders=_PEDERSOLI, own="s2v.methods.pedersoli:Pedersoli", main=False
)


def _through_text(name: str, title: str, made_by: str, renders: Rendering, **more: Any) -> Entry:
    own = f"s2v.methods.audiotoken:{made_by}"
    return Entry(name, title, renders=renders, main=False, uses_text=True, own=own, **more)


_AUDIOTOKEN = _through_text("audiotoken", "AudioToken", "AudioToken", _TOKEN, hears=OWN)
_PUBLISHED_AUDIOTOKEN = Entry(
    "audiotoken_published",
    "AudioToken (published)",
    hears=OWN,
    renders=Rendering(memory_mb=24000, minutes=720),  # its nets are files of the user, as Stable unCLIP's
    main=False,
    uses_text=True,
    own="s2v.methods.audiotoken_published:PublishedAudioToken",
    weights=("beats", "audiotoken-embedder", "stable-diffusion-1-4"),
    defaults={
        "prompt": "a photo of <*>, 4k, high resolution",  # these three are its authors'
        "steps": 50,
        "guidance": 7.5,
        "batch_size": 4,
        "precision": "fp16",
        "px": None,
        "dropout": 0.0,  # theirs: 0.5
    },
)


def _control(entry: Entry, suffix: str, note: str, **changes: Any) -> Entry:
    return replace(entry, name=f"{entry.name}_{suffix}", main=False, note=note, **changes)


METHODS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        _ICGAN,
        _SOUND2VISION,
        Entry("retrieval", "Retrieval", "C", sees="encoder", hears="align", renders=_DATABASE),
        _UPPER_BOUND,
        Entry("ldm", "LDM", sees="encoder_vit", renders=_LDM, main=False),
        Entry("sound2vision_ldm", "Sound2Vision, LDM", "", "encoder_vit", "align_ldm", _LDM, main=False),
        Entry("unclip", "Stable unCLIP", sees=OWN, renders=_UNCLIP, main=False, uses_text=True),
        Entry(
            "sound2vision_unclip",
            "Sound2Vision, Stable unCLIP",
            "",
            OWN,
            "align_unclip",
            _UNCLIP,
            main=False,
            uses_text=True,
        ),
        # The space of its features is CLIP's, of pictures and their captions.
        Entry(
            "imagebind_unclip",
            "ImageBind, Stable unCLIP",
            "",
            OWN,
            OWN,
            _UNCLIP,
            main=False,
            ear="imagebind",
            weights=("imagebind",),
            uses_text=True,
        ),
        _control(_ICGAN, "top1", "sees the selected moment of the test clip", frame="top1"),
        _control(_ICGAN, "mid", "sees the middle frame of the test clip", frame="mid"),
        _control(_UPPER_BOUND, "top1", "shows the selected moment of the test clip", frame="top1"),
        _control(_UPPER_BOUND, "mid", "shows the middle frame of the test clip", frame="mid"),
        _control(
            _SOUND2VISION,
            "shuffled",
            "whole audio features are permuted between clips: R@1 falls to chance, while FID and IS stay by "
            "construction (up to the draw of noise), since the set of conditions is the same",
            control="shuffled",
        ),
        _control(
            _SOUND2VISION,
            "scrambled",
            "each dimension of the audio features is permuted between clips on its own and the rows are brought "
            "back to unit norm: every dimension keeps its values but they no longer belong together, so FID "
            "rises too where the pictures depend on the feature as a whole",
            control="scrambled",
        ),
        _control(
            _SOUND2VISION,
            "closed",
            "audio features are moved by the mean gap of training pairs, which closes it but for what pairs differ by",
            closed=True,
        ),
        _control(
            _SOUND2VISION,
            "snapped",
            "audio features are brought to the mean of the nearest features of training frames, where the generator "
            "has been",
            snapped=True,
        ),
        _LINEAR,
        _control(
            _LINEAR,
            "snapped",
            "the baseline's features, likewise brought to those of near training frames",
            snapped=True,
        ),
        replace(_LINEAR, name="linear_retrieval", title="Linear map, retrieval", renders=_DATABASE),
        _AUDIOTOKEN,
        _control(_AUDIOTOKEN, "shuffled", "states of the prompt are permuted between clips", control="shuffled"),
        _PUBLISHED_AUDIOTOKEN,
        _control(_PUBLISHED_AUDIOTOKEN, "shuffled", "words are permuted between clips", control="shuffled"),
        _through_text("text_pivot", "Text pivot (the tagger's name)", "TextPivot", _HEARD, hears=OWN),
        _through_text(
            "oracle_name", "Oracle (told the name)", "OracleName", Rendering("", _TEXT_PARTS, ("text_ldm",)), told=True
        ),
        _FANZERES,
        _VQVAE,
        _control(_FANZERES, "shuffled", "embeddings are permuted between clips", control="shuffled"),
        _control(_VQVAE, "shuffled", "predicted latents are permuted between clips", control="shuffled"),
    )
}
"""Entries by name. Those of somebody else's join when a configuration names them."""

OWN_SETTINGS = frozenset(name for entry in METHODS.values() for name in entry.settings)
"""Keys of `generate` that are some methods' alone."""

PARTS = {
    part: sorted({entry.parts[part] for entry in METHODS.values() if part in entry.parts})
    for part in sorted({part for entry in METHODS.values() for part in entry.parts})
}
"""The parts that there are, and the folders that each may be."""

__all__ = ["METHODS", "OWN", "OWN_SETTINGS", "PARTS", "Entry", "Rendering"]
