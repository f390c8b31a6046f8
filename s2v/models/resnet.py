"""ResNet (He et al. 2016) whose depth, width and input channels are numbers; torchvision's at full size."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.resnet import ResNet as TorchvisionResNet

BLOCKS = {10: (BasicBlock, [1, 1, 1, 1]), 18: (BasicBlock, [2, 2, 2, 2]), 50: (Bottleneck, [3, 4, 6, 3])}


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
        net = self.net
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        out: Tensor = net.layer4(net.layer3(net.layer2(net.layer1(x))))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, dim], by adaptive average pooling of the last map."""
        return self.features(x).mean((2, 3))


class _Slim(TorchvisionResNet):
    """torchvision's ResNet with a choice of width; the classifier is dropped."""

    def __init__(self, block: type[BasicBlock | Bottleneck], layers: list[int], width: int) -> None:
        nn.Module.__init__(self)
        self._norm_layer = nn.BatchNorm2d
        self.inplanes, self.dilation, self.groups, self.base_width = width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, width, layers[0])
        self.layer2 = self._make_layer(block, width * 2, layers[1], stride=2)
        self.layer3 = self._make_layer(block, width * 4, layers[2], stride=2)
        self.layer4 = self._make_layer(block, width * 8, layers[3], stride=2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
