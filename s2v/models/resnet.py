"""ResNet (He et al. 2016) whose depth, width and input channels are numbers; torchvision's at full size."""

from __future__ import annotations

from torch import Tensor, nn

# torchvision has the same blocks; but its import takes as long as torch's own, and every `s2v generate` would wait for
# it. That nothing else differs is tested against it.


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; torchvision's, name by name."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """[B, inplanes, H, W] -> [B, planes, H / stride, W / stride]."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += shortcut
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; torchvision's, name by name."""

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """[B, inplanes, H, W] -> [B, 4 planes, H / stride, W / stride]."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += shortcut
        return self.relu(out)


Block = type[BasicBlock] | type[Bottleneck]
BLOCKS: dict[int, tuple[Block, list[int]]] = {
    10: (BasicBlock, [1, 1, 1, 1]), 18: (BasicBlock, [2, 2, 2, 2]), 50: (Bottleneck, [3, 4, 6, 3]),
}  # fmt: skip


class ResNet(nn.Module):
    """A ResNet without its classifier: images or spectrograms in, one pooled feature out.

    At depth 18 or 50, width 64 and 3 channels, the modules and their names are torchvision's, so that published
    weights load as they are. `dim` is the feature size: width x 8 (x 4 for bottlenecks).

    Args:
        depth: 10, 18 (basic blocks) or 50 (bottlenecks).
        width: channels of the first stage; 64 in the published nets.
        in_channels: 3 for pictures, 1 for spectrograms.
        small_input: for pictures under 100 px: a 3x3 stem of stride 1 in place of 7x7 of stride 2.
    """

    def __init__(self, depth: int, width: int = 64, in_channels: int = 3, small_input: bool = False) -> None:
        super().__init__()
        block, layers = BLOCKS[depth]
        self.dim = width * 8 * block.expansion
        net = _Slim(block, layers, width)
        if small_input:
            net.conv1 = nn.Conv2d(in_channels, width, 3, 1, 1, bias=False)
        elif in_channels != 3:
            net.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.net = net

    def features(self, x: Tensor) -> Tensor:
        """Last convolutional map, [B, C, H, W] -> [B, dim, h, w]."""
        return self.stages(x)[-1]

    def stages(self, x: Tensor) -> list[Tensor]:
        """Maps of all four stages, [B, C, H, W] -> [B, dim / 8, ...] to [B, dim, h, w]."""
        net, maps = self.net, []
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, dim], by adaptive average pooling of the last map."""
        return self.features(x).mean((2, 3))


class _Slim(nn.Module):
    """The modules of torchvision's ResNet, with a choice of width; without the classifier."""

    def __init__(self, block: Block, layers: list[int], width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(block, width, width, layers[0], 1)
        self.layer2 = _stage(block, width * block.expansion, width * 2, layers[1], 2)
        self.layer3 = _stage(block, width * 2 * block.expansion, width * 4, layers[2], 2)
        self.layer4 = _stage(block, width * 4 * block.expansion, width * 8, layers[3], 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _stage(block: Block, inplanes: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    out = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != out:
        downsample = nn.Sequential(nn.Conv2d(inplanes, out, 1, stride, bias=False), nn.BatchNorm2d(out))
    first = block(inplanes, planes, stride, downsample)
    return nn.Sequential(first, *(block(out, planes) for _ in range(1, blocks)))


__all__ = ["ResNet"]
