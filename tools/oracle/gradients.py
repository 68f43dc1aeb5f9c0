"""Writes src/models/__fixtures__/gradients-*.json: PyTorch's gradients of a loss with respect to every LoRA matrix.

Run: python tools/oracle/gradients.py
loss = mean over the batch of w_b * mean over c, h, w of (prediction - target)^2, w = [1.0, 0.5].
"""

import torch
from adapters import ATTENTION, CONVOLUTIONS, PROJECTIONS, TEXT_ATTENTION, Adapter
from adapters import add_lora, describe, flat, in_order, parameters, seed_lora
from common import MODELS, floats, full_config, named, read_floats, save, seeded_text_encoder, seeded_unet
from configs import TEXT_QUICK_GELU, UNET_SD1, UNET_SD2

WEIGHTS = [1.0, 0.5]


def unet_inputs(name: str, timesteps: list[int]) -> dict:
    shape = [2, 4, 8, 8]
    return {
        "sample": named(f"gradients-{name}.sample", shape),
        "target": named(f"gradients-{name}.target", shape),
        "timesteps": timesteps,
        "loss_weights": WEIGHTS,
    }


def differentiate(unet: torch.nn.Module, inputs: dict, context: torch.Tensor, adapters: list[Adapter]) -> dict:
    prediction = unet(read_floats(inputs["sample"]), torch.tensor(inputs["timesteps"]), context).sample
    errors = ((prediction - read_floats(inputs["target"])) ** 2).mean(dim=(1, 2, 3))
    loss = (torch.tensor(WEIGHTS) * errors).mean()
    gradient = flat(torch.autograd.grad(loss, parameters(adapters)))
    norm = gradient.double().norm().item()
    return {"sample": floats(prediction), "loss": loss.item(), "gradient_norm": norm, "gradient": floats(gradient)}


def lora(rank: int, targets: list[str], adapters: list[Adapter]) -> dict:
    return {"rank": rank, "alpha": rank, "targets": targets, "modules": describe(adapters)}


def write(name: str, config: dict, targets: list[str], timesteps: list[int], rank: int) -> None:
    unet = seeded_unet(config)
    full = full_config(unet)
    adapters = add_lora(unet, targets, rank, rank)
    seed_lora(adapters)
    context = named(f"gradients-{name}.context", [2, 7, config["cross_attention_dim"]])
    inputs = unet_inputs(name, timesteps) | {"encoder_hidden_states": context}
    save(
        MODELS,
        f"gradients-{name}.json",
        weights="seeded",
        lora=lora(rank, targets, adapters),
        config=full,
        inputs=inputs,
        outputs=differentiate(unet, inputs, read_floats(context), adapters),
    )


def write_joint(name: str, rank: int) -> None:
    """Both models adapted, the text encoder's last hidden state conditioning the UNet."""
    unet, text_encoder = seeded_unet(UNET_SD1), seeded_text_encoder(TEXT_QUICK_GELU)
    full = full_config(unet)
    adapters = add_lora(unet, ATTENTION, rank, rank) + add_lora(text_encoder, TEXT_ATTENTION, rank, rank)
    adapters = in_order(adapters)
    seed_lora(adapters)
    ids = [[98, *range(5, 12), *[99] * 8], [98, *range(40, 54), 99]]
    inputs = unet_inputs(name, [300, 700]) | {"ids": ids}
    context = text_encoder(torch.tensor(ids)).last_hidden_state
    save(
        MODELS,
        f"gradients-{name}.json",
        weights="seeded",
        lora=lora(rank, [*ATTENTION, *TEXT_ATTENTION], adapters),
        config={"unet": full, "text_encoder": TEXT_QUICK_GELU},
        inputs=inputs,
        outputs=differentiate(unet, inputs, context, adapters),
    )


write("sd1", UNET_SD1, [*ATTENTION, *PROJECTIONS, *CONVOLUTIONS], [7, 981], rank=2)
write("sd2", UNET_SD2, [*ATTENTION, *PROJECTIONS], [0, 500], rank=2)
write_joint("joint", rank=2)
