"""LoRA through peft, with the names and the flat order that the TypeScript side has.

A module's name is "unet.<path>" or "text_encoder.text_model.<path>". The flat vector of several modules is, by name (compared
by code point), A and then B of each, every matrix row-major.
"""

import peft
import torch
from common import seeded, text_prefix

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT_ATTENTION = ["q_proj", "k_proj", "v_proj", "out_proj"]
PROJECTIONS = ["proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"]
CONVOLUTIONS = ["conv1", "conv2"]


class Adapter:
    """The two matrices of one module, as parameters that the model computes with."""

    def __init__(self, name: str, layer: torch.nn.Module):
        self.name = name
        self.a = layer.lora_A["default"].weight
        self.b = layer.lora_B["default"].weight

    def matrices(self) -> list[tuple[str, torch.nn.Parameter]]:
        return [(f"{self.name}.lora_A.weight", self.a), (f"{self.name}.lora_B.weight", self.b)]


def add_lora(model: torch.nn.Module, targets: list[str], rank: int, alpha: int) -> list[Adapter]:
    """Adapts a UNet or a CLIPTextModel in place; the adapters come in the flat order."""
    is_unet = hasattr(model, "down_blocks")
    model.add_adapter(peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets), adapter_name="default")
    prefix = "unet." if is_unet else f"text_encoder.{text_prefix(model)}"
    layers = [(prefix + path, m) for path, m in model.named_modules() if hasattr(m, "lora_A")]
    adapters = [Adapter(name, layer) for name, layer in layers]
    for adapter in adapters:
        for _, matrix in adapter.matrices():
            matrix.requires_grad_(True)
    return in_order(adapters)


def in_order(adapters: list[Adapter]) -> list[Adapter]:
    return sorted(adapters, key=lambda adapter: adapter.name)


def parameters(adapters: list[Adapter]) -> list[torch.nn.Parameter]:
    return [matrix for adapter in adapters for _, matrix in adapter.matrices()]


def seed_lora(adapters: list[Adapter]) -> None:
    """Both matrices by the rule for weights, so that B is not zero."""
    with torch.no_grad():
        for adapter in adapters:
            for name, matrix in adapter.matrices():
                matrix.copy_(seeded(name, matrix.shape))


def flat(values) -> torch.Tensor:
    return torch.cat([v.detach().reshape(-1) for v in values])


def describe(adapters: list[Adapter]) -> list[dict]:
    """The modules in flat order, with the shapes of A and B."""
    return [{"module": x.name, "down": list(x.a.shape), "up": list(x.b.shape)} for x in adapters]
