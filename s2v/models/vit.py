"""The Vision Transformer (Dosovitskiy et al. 2020), f_V of the latent diffusion model (paper 6.1)."""

from __future__ import annotations

from timm.models.vision_transformer import VisionTransformer
from timm.models.vision_transformer_hybrid import ConvStem
from torch import Tensor, nn


class ViT(nn.Module):
    """timm's ViT with pictures of any side that is a multiple of the patch (SwAV's crops differ), pooled.

    Its feature is the mean of the patch tokens. A last batch norm without weights centres it over pictures: what all
    have in common would otherwise be most of a feature at unit norm, and the alignment's distances small.

    Args:
        image_px: side for which positions are learned; other sides interpolate them.
        patch_px: side of a patch.
        width: size of a token and of the feature; 768 in ViT-B.
        depth: blocks; 12 in ViT-B.
        heads: of attention; 12 in ViT-B.
        stem: patch, the ViT's linear map of a patch; conv, a few small convolutions that halve the side until a patch
            is a point (Xiao et al. 2021), with which small nets learn from few pictures.
    """

    def __init__(self, image_px: int, patch_px: int, width: int, depth: int, heads: int, stem: str = "patch") -> None:
        super().__init__()
        self.dim = width
        self.transformer = VisionTransformer(
            img_size=image_px,
            patch_size=patch_px,
            embed_dim=width,
            depth=depth,
            num_heads=heads,
            num_classes=0,
            global_pool="avg",
            dynamic_img_size=True,
        )
        if stem == "conv":
            halvings = patch_px.bit_length() - 1
            self.transformer.patch_embed.proj = ConvStem(depth=halvings, channels=width, stride=(2,) * halvings)
        self.centre = nn.BatchNorm1d(width, affine=False)

    def features(self, x: Tensor) -> Tensor:
        """Tokens of the patches as a map, [B, 3, H, W] -> [B, width, h, w]."""
        tokens: Tensor = self.transformer.forward_features(x)[:, self.transformer.num_prefix_tokens :]
        side = x.shape[-1] // self.transformer.patch_embed.patch_size[0]
        return tokens.transpose(1, 2).unflatten(2, (-1, side))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, width]."""
        out: Tensor = self.centre(self.transformer(x))
        return out


__all__ = ["ViT"]
