"""In which precision a training computes: that of its card, and of its steps."""

from typing import Literal

import pytest
import torch
from training_tasks import TASKS

from s2v import runtime
from s2v.config import RuntimeConfig
from s2v.runtime import Runtime


@pytest.mark.parametrize(
    ("precision", "computes", "expected"),
    [
        ("auto", True, "bf16 autocast"),
        ("auto", False, "fp32"),
        ("bf16", False, "bf16 autocast"),
        ("fp32", True, "fp32"),
    ],
)
def test_a_cpu_takes_bf16_where_it_computes_with_it_and_a_training_is_faster_so(
    monkeypatch: pytest.MonkeyPatch, precision: Literal["auto", "fp32", "bf16"], computes: bool, expected: str
) -> None:
    monkeypatch.setattr(runtime, "cpu_computes_bf16", lambda: computes)
    place = Runtime.from_config(RuntimeConfig(device="cpu", precision=precision), 1)
    task = TASKS["align"](place)
    with task.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert task.precision == expected and (product.dtype == torch.bfloat16) == (expected != "fp32")
    judge = TASKS["judge"](place)
    assert judge.precision == ("bf16 autocast" if precision == "bf16" else "fp32"), (
        "what measures is in single precision"
    )
