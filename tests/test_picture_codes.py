"""Codes of pictures stand for noise: they have its mean and spread, and say which picture is meant."""

from __future__ import annotations

import torch

from s2v.train.generator import neighbours
from s2v.train.picture_codes import PictureCodes


def _codes(size: int) -> tuple[PictureCodes, torch.Tensor]:
    torch.manual_seed(0)
    images = (torch.rand(40, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3) * 255).to(torch.uint8)
    near = neighbours(torch.randn(40, 5), 6)
    return PictureCodes(images, near, size, chunk=7), near


def test_codes_have_the_moments_of_noise() -> None:
    codes, near = _codes(8)
    index = torch.arange(40)
    columns = [index, *near.T]
    found = torch.cat([codes(index, one, torch.full((40,), flip)) for one in columns for flip in (False, True)])
    assert found.mean(0).abs().max() < 0.05
    torch.testing.assert_close(found.T @ found / len(found), torch.eye(8), atol=1e-3, rtol=0)


def test_a_code_says_which_picture_and_which_side() -> None:
    codes, near = _codes(48)
    index, no = torch.zeros(7, dtype=torch.long), torch.zeros(7, dtype=torch.bool)
    picture = torch.cat([torch.zeros(1, dtype=torch.long), near[0]])
    found = torch.cat([codes(index, picture, no), codes(index, picture, ~no)])
    assert float(torch.cdist(found, found).fill_diagonal_(torch.inf).min()) > 1
    assert torch.equal(codes(index, picture, no), found[:7])


def test_one_picture_has_a_code_that_is_finite() -> None:
    images = torch.full((1, 3, 32, 32), 7, dtype=torch.uint8)
    code = PictureCodes(images, torch.zeros(1, 1, dtype=torch.long), 4)(
        torch.tensor([0]), torch.tensor([0]), torch.tensor([True])
    )
    assert code.shape == (1, 4) and code.isfinite().all()
