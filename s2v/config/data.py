"""From videos to shards: sources, extraction, selection, packing."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from s2v.config.base import Fraction, NonNegative, Positive, Seconds, Slice

SourceName = Literal["world", "speakers", "folder", "vggsound", "vegas", "celebvhq"]


class SourceConfig(Slice):
    """A section of `data` that names clips."""

    def split_names(self) -> list[str]:
        """Splits that its clips are in."""
        return ["train", "val", "test"]

    def watched(self) -> tuple[str | None, list[str | None]]:
        """A folder and files that may change without the configuration."""
        return None, []


class RenderedConfig(SourceConfig):
    """Clips that are rendered here, and of which everything is known."""

    reels: ClassVar[tuple[str, ...]] = ()
    """Splits of pictures without sound, many in a clip."""
    photos_per_reel: Positive = Field(16, description="pictures in one clip of the image-only splits")
    size_px: Positive = Field(128, description="side of the videos")
    fps: Positive = Field(10, description="frames a second of the videos")
    duration_s: tuple[float, float] = Field((4.0, 6.0), description="shortest and longest clip")
    seed: int = Field(0, description="another seed is another world")

    def counts(self) -> dict[str, int]:
        """Clips of each split."""
        raise NotImplementedError

    def clip_s(self, split: str) -> float:
        """Length of a clip, in the mean."""
        return self.photos_per_reel / self.fps if split in self.reels else sum(self.duration_s) / 2

    def split_names(self) -> list[str]:
        """Those that have clips."""
        return [split for split, count in self.counts().items() if count]


class InterferenceConfig(Slice):
    """A second source that is heard and never seen, of another class; in clips of train, val and test."""

    share: Fraction = Field(0.0, description="of the clips")
    snr_db: tuple[float, float] = Field(
        (-3.0, 9.0), description="least and most of how far the clip's own source lies above it"
    )

    @field_validator("snr_db")
    @classmethod
    def _in_order(cls, snr_db: tuple[float, float]) -> tuple[float, float]:
        if not -60 <= snr_db[0] <= snr_db[1] <= 60:
            raise ValueError("give the smaller one first, both from -60 to 60")
        return snr_db


class WorldConfig(RenderedConfig):
    """The embedded world (docs/world.md)."""

    reels: ClassVar[tuple[str, ...]] = ("images", "judge", "captioned", "others")
    classes: list[str] = Field(min_length=2, description="names from `s2v world classes`")
    others: list[str] = Field([], description="further names, which the split `others` alone is of (judge.others)")
    clips: dict[str, NonNegative] = Field(
        description="clips per class in each split: train, val, test, images, judge, others, av_judge, captioned and "
        "tagged"
    )
    middle: Fraction = Field(0.5, description="share of clips whose middle frame shows the source while it sounds")
    silent_in_view: Fraction = Field(
        0.0, description="share of clips whose source is in view for a while before or after it sounds"
    )
    heard_out_of_view: Fraction = Field(
        0.0, description="share of clips whose source sounds for a while before it comes into view, or after it left"
    )
    interference: InterferenceConfig = InterferenceConfig()
    distances: dict[str, tuple[float, float]] = Field(
        {}, description="least and most of a source, by split; 1 to 4 where it is not named"
    )
    out_of_range: dict[str, Fraction] = Field(
        {"test": 0.25}, description="share of clips whose looks lie outside what training sees, by split"
    )

    together: dict[Literal["images", "train", "val", "test"], Fraction] = Field(
        {}, description="share of pictures and clips with a second source seen and heard beside the own one, by split"
    )

    @field_validator("distances")
    @classmethod
    def _in_order(cls, distances: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        if not all(1 <= near <= far <= 4 for near, far in distances.values()):
            raise ValueError("give the smaller one first, both from 1 to 4")
        return distances

    def counts(self) -> dict[str, int]:
        """Clips of each split."""
        return {split: count * len(self.of_split(split)) for split, count in self.clips.items()}

    def of_split(self, split: str) -> list[str]:
        """The classes that a split is of."""
        return self.others if split == "others" else self.classes


class SpeakersConfig(RenderedConfig):
    """People who speak, with known truth (docs/faces.md). Classes are their groups, and the scenes."""

    reels: ClassVar[tuple[str, ...]] = ("images", "judge")
    people: dict[str, NonNegative] = Field(
        description="people of each of the eight groups in each split, of images and judge reels; none is in two splits"
    )
    takes: dict[str, Positive] = Field({}, description="clips of each of them, where not one")
    vintage: Fraction = Field(0.15, description="share of clips that are old film with an old sound track")
    scenes: list[str] = Field([], description="classes of the embedded world that stand beside people (Figure 21)")
    scene_clips: dict[str, NonNegative] = Field(
        {}, description="clips of each scene in each split: its reels, its sounds with pictures, and `scenes` to test"
    )
    in_scene: Fraction = Field(0.0, description="share of the portraits of reels that stand in front of a scene")

    def world(self) -> WorldConfig | None:
        """The scenes as a world of their own, where there are any."""
        if not self.scenes:
            return None
        same = {name: getattr(self, name) for name in RenderedConfig.model_fields}
        return WorldConfig.model_construct(classes=self.scenes, clips=self.scene_clips, **same)

    def counts(self) -> dict[str, int]:
        """Clips of each split."""
        groups = 8  # of s2v.speakers.person, which a job that only plans need not import
        people = {split: groups * n * self.takes.get(split, 1) for split, n in self.people.items()}
        scenes = {split: len(self.scenes) * n for split, n in self.scene_clips.items()}
        return {split: people.get(split, 0) + scenes.get(split, 0) for split in sorted({*people, *scenes})}


class FolderConfig(SourceConfig):
    """A user's own folder of videos."""

    path: str = Field("videos", description="searched for video files, sub-folders included")
    labels: Literal["subfolder", "csv", "none"] = "subfolder"
    csv: str | None = Field(None, description="with labels: csv, a file with the columns path,label[,split,start,end]")
    splits: dict[str, Fraction] = Field(
        {"train": 0.7, "val": 0.1, "test": 0.1, "judge": 0.1},
        description="shares, of each class alike; a file that is added moves few others (docs/data.md)",
    )

    def split_names(self) -> list[str]:
        """Those with a share."""
        return [name for name, share in self.splits.items() if share > 0]

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The folder and its list."""
        return self.path, [self.csv]


class VggSoundConfig(SourceConfig):
    """VGGSound (Chen et al. 2020): rows of YouTube id, start second, label, split; clips of 10 s."""

    csv: str = Field("vggsound.csv", description="the published list")
    classes: list[str] | None = Field(None, description="names of the list; null takes n_classes")
    n_classes: Positive | None = Field(50, description="nested sets: the paper's 50 first; null is all of the list")
    val_share: Fraction = Field(0.05, description="share of the list's train split that stops alignment; by hash of id")

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The list."""
        return None, [self.csv]


class VegasConfig(SourceConfig):
    """VEGAS (Zhou et al. 2018): a folder for each class with its videos."""

    path: str = Field("vegas", description="the unpacked archive: {class}/videos/*.mp4, or {class}/*.mp4")
    csv: str | None = Field(None, description="path,label,split[,start,end] of a list; null draws one by seed")
    classes: list[str] | None = Field(None, description="names of folders; null is all ten")
    train: Positive = Field(800, description="videos a class (paper 4.1)")
    test: Positive = Field(50, description="videos a class (paper 4.1)")
    val_share: Fraction = Field(0.05, description="share of the training videos that stops alignment")
    seed: int = 0

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The folder and its list."""
        return self.path, [self.csv]


class CelebVHqConfig(SourceConfig):
    """CelebV-HQ (Zhu et al. 2022): spans of YouTube videos with a box around the face."""

    json_file: str = Field("celebvhq_info.json", description="the published list")
    train: Positive = Field(20000, description="clips for training, the rest is for test (paper 6.1)")
    val_share: Fraction = Field(0.05, description="share of the training clips that stops alignment")
    seed: int = 0

    def watched(self) -> tuple[str | None, list[str | None]]:
        """The list."""
        return None, [self.json_file]


class VideosConfig(Slice):
    """Where the videos of a data set of ids come from."""

    source: Literal["youtube", "local_tree", "tar_urls"] = "local_tree"
    path: str | None = Field(None, description="local_tree: a folder of videos under any of the usual id styles")
    tars: list[str] = Field([], description="tar_urls: tars of videos by path or http(s) URL, read in one pass each")
    height: Positive = Field(360, description="youtube: largest height that is asked for")
    format: str | None = Field(None, description="youtube: a format expression of yt-dlp in place of `height`")


class DataConfig(Slice):
    """Where the videos come from."""

    source: SourceName = "world"
    shards: Positive = Field(8, description="number of work units; fixed, clips are assigned by a hash of their id")
    world: WorldConfig | None = None
    speakers: SpeakersConfig | None = None
    folder: FolderConfig | None = None
    vggsound: VggSoundConfig | None = None
    vegas: VegasConfig | None = None
    celebvhq: CelebVHqConfig | None = None
    videos: VideosConfig = VideosConfig()

    def section(self) -> SourceConfig | None:
        """The section that `source` names."""
        found: SourceConfig | None = getattr(self, self.source)
        return found

    def rendered(self) -> RenderedConfig | None:
        """The same, where its clips are rendered here."""
        found = self.section()
        return found if isinstance(found, RenderedConfig) else None

    def shards_of(self, split: str) -> range:
        """The shards that clips of a split go to: all, but for clips that are rendered here. Of these a quarter of the
        shards is of reels alone, so that what learns from pictures begins while sounds are still being made."""
        made, first = self.rendered(), self.shards // 4
        if made is None or not first:
            return range(self.shards)
        return range(first) if split in made.reels else range(first, self.shards)


class ExtractConfig(Slice):
    """One decode pass per video: 16 kHz waveform and frames."""

    reader: Literal["ffmpeg", "decord"] = "ffmpeg"
    frames: Literal["exact", "fast"] = Field(
        "exact", description="fast does not decode frames that no other needs, so a kept frame may be a little off"
    )
    sample_rate_hz: Positive = 16000
    fps: Positive = Field(10, description="frames a second that selection may choose from (paper's authors: 10)")
    short_side_px: Positive = 256
    jpeg_quality: int = Field(90, ge=1, le=100)
    crop: Literal["face"] | None = Field(
        None,
        description="face: the middle square of the face's box is kept of each picture; CelebV-HQ's list has it",
    )
    crop_margin: Fraction = Field(0.02, description="what is kept around that box, a share of the picture on each side")
    min_duration_s: Seconds = 1.0
    max_duration_s: Seconds = Field(60.0, description="what lies after this is not read")
    timeout_s: Seconds = 120.0
    silence_dbfs: float = Field(-60.0, description="a clip whose loudest 50 ms lie below this is silent")
    soundless_splits: list[str] = Field(
        ["images", "judge", "captioned"], description="splits whose clips need no sound"
    )
    black_level: Fraction = Field(0.04, description="a clip whose brightest frame's mean lies below this is black")
    still_difference: Fraction = Field(
        0.0, description="a clip whose frames differ from its first by less than this on average is left out as still"
    )
    max_failed_share: Fraction = Field(
        0.5,
        description="the stage stops where more of a shard's clips (and at least four) fail alike in a way that is the "
        "machine's as a rule (decode_error, timeout, missing); 1: never. Changing it reruns nothing",
    )


class SelectConfig(Slice):
    """Which frame of a clip is paired with its sound."""

    mode: Literal["top1", "mid", "published"] = Field(
        "top1", description="top1: best moment (paper 3.3); mid: the middle frame; published: those of `moments`"
    )
    top_k: Positive = 10
    moments: str | None = Field(None, description="published: the authors' top1_boxes_top10_moments.json")
    moments_first: int = Field(1, ge=0, le=1, description="number of the first frame there; its authors do not say")
    require_moment: list[str] = Field(
        ["train", "val"], description="published: splits whose clips are left out where the file has none for them"
    )


class DuplicatesConfig(Slice):
    """Clips of other splits that show the same as a clip of the test split."""

    max_distance: Annotated[int, Field(ge=0, le=16)] | None = Field(
        None, description="bits of 64 in which the hashes of two like frames may differ; null leaves the stage out"
    )


class PackConfig(Slice):
    """WebDataset shards."""

    keep: dict[str, Literal["selected", "all", "sound"]] = Field(
        {"images": "all", "judge": "all", "captioned": "all", "tagged": "sound"},
        description="what of a split is packed; the selected frame and the sound where it is not named",
    )
