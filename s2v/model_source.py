"""Where a model comes from: a finished run, an exported folder, the package itself, or published weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from s2v.config.foreign import find
from s2v.config.methods import Entry
from s2v.errors import UserError
from s2v.files import read_json, read_table
from s2v.weights import published
from s2v.weights.catalogue import CATALOGUE, WEIGHTS_VARIABLE
from s2v.weights.checksums import there
from s2v.weights.published import PUBLISHED_MODELS, PublishedModel

SHIPPED = Path(__file__).parent / "shipped"
"""The model that comes with the package: of the embedded world, trained by configs/shipped.yaml."""
RESULTS = Path("results")
GENERATORS = {"gan": "sound2vision", "ldm": "sound2vision_ldm", "unclip": "sound2vision_unclip"}
"""The method that each generator of a run draws by, where it hears."""
MAX_JSON_BYTES = 2**20
FEW_PAIRS = 200
"""Under so many clips of a folder to learn from, `s2v generate` shows their frames and paints none (docs/folder.md)."""


@dataclass(frozen=True)
class ModelSource:
    """A folder of trained things.

    Attributes:
        folder: of the form of a run's output.
        published: the model of published weights that it is.
    """

    folder: Path
    published: PublishedModel | None = None

    @classmethod
    def of(cls, run: str | Path | None) -> ModelSource:
        """What somebody names.

        Args:
            run: a folder; the name of a published model as a text (a folder of such a name is `./paper`, or a Path);
                or None, which is `results` where a run is finished there, else the model that comes with s2v.

        Raises:
            UserError: it is neither, or published weights are not there.
        """
        if run is None:
            own = cls(RESULTS)
            return own if "gan" in own.generators else cls(SHIPPED)
        if not isinstance(run, str | Path):
            raise UserError(f"a model is a folder or a name, and no {type(run).__name__}")
        if isinstance(run, str) and run in PUBLISHED_MODELS:
            model = PUBLISHED_MODELS[run]
            return cls(published.made(model), model)
        return cls(Path(run))

    @property
    def name(self) -> str:
        """Its folder, or what it is called."""
        if self.published:
            return self.published.name
        return "shipped" if self.folder == SHIPPED else str(self.folder)

    @property
    def about(self) -> str:
        """Which model this is, in a line for people."""
        if self.published:
            said = "; ".join(f"{one.name} ({one.terms()})" for one in self.published.weights)
            return f"model: {self.name}, published weights: {said}"
        if self.folder != SHIPPED:
            return f"model: {self.folder}"
        known = ", ".join(self.classes)
        return f"model: the one that comes with s2v; it knows these sounds of the embedded world only: {known}"

    @property
    def generators(self) -> dict[str, str]:
        """Its generators, {name: method}: those whose parts are there."""
        if self.published:
            (name,) = (name for name, method in GENERATORS.items() if _draws(method) == _draws(self.published.method))
            return {name: self.published.method}
        return {name: method for name, method in GENERATORS.items() if not self.lacking(find(method))}

    def method(self, asked: str | None = None) -> Entry:
        """The method that was asked for by name, or the model's own, by default the GAN's.

        A published model has one, for which any that draws with the same generator may be asked.

        Raises:
            UserError: it does not hear, or is not this model's.
        """
        if self.published:
            if asked is not None and _draws(asked) != _draws(self.published.method):
                raise UserError(f"the model {self.name} draws by {self.published.method}, and not by {asked}")
            return self.published.entry
        entry = find(str(asked or GENERATORS["gan"]))
        if entry.source or entry.own or not entry.hears:
            raise UserError(f"method {entry.name!r} does not hear; take {', '.join(GENERATORS.values())}")
        return entry

    @property
    def best(self) -> str | None:
        """The method that pictures of a sound are best made by, where that is not the generator: `retrieval` of a
        folder's run with few clips."""
        if self.published or self.folder == SHIPPED or self.lacking(find("retrieval")):
            return None
        manifests = sorted((self.folder / "manifest").glob("*.parquet"))
        rows = [row for path in manifests for row in read_table(path, ["split", "source"]).to_pylist()]
        own = [row for row in rows if row["split"] == "train" and row["source"] == "folder"]
        return "retrieval" if 0 < len(own) < FEW_PAIRS else None

    def lacking(self, entry: Entry) -> str | None:
        """What keeps a method from drawing with this folder, in words."""
        for folder in entry.parts.values():
            if not os.path.isfile(self.folder / folder / "model.safetensors"):
                made = "`snakemake --cores all` makes one"
                return f"{self.folder}: no finished run (no {folder}/model.safetensors); {made}"
        if entry.renders.kind == "stable_unclip":
            root = os.environ.get(WEIGHTS_VARIABLE)
            if not root or not there(Path(root).expanduser(), CATALOGUE["stable-unclip"]):
                return f"${WEIGHTS_VARIABLE}: Stable unCLIP is not there; run `s2v weights fetch stable-unclip`"
        return None

    @property
    def classes(self) -> list[str]:
        """Names of the classes that alignment learned from; none where its data has none.

        Raises:
            UserError: a file that says so is damaged.
        """
        exported = self.folder / "s2v.json"
        if exported.is_file():
            told = read_json(exported, MAX_JSON_BYTES)
            names = told.get("classes", []) if isinstance(told, dict) else None
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise UserError(f"{exported}: `classes` is no list of names; export the model again")
            return names
        manifests = sorted((self.folder / "manifest").glob("*.parquet"))
        rows = (row for path in manifests for row in read_table(path, ["split", "label"]).to_pylist())
        return sorted({str(row["label"]) for row in rows if row["split"] == "train" and row["label"] is not None})


def _draws(method: str) -> str:
    return find(method).renders.kind


__all__ = ["GENERATORS", "SHIPPED", "ModelSource"]
