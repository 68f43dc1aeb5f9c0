"""Writes src/models/__fixtures__/lora-*.json: UNets and a text encoder with peft's LoRA on their layers.

Run: python tools/oracle/lora_forward.py
"""

import torch
from adapters import ATTENTION, CONVOLUTIONS, PROJECTIONS, TEXT_ATTENTION, add_lora, describe, seed_lora
from common import MODELS, floats, full_config, named, read_floats, save, seeded_text_encoder, seeded_unet
from configs import TEXT_QUICK_GELU, UNET_SD1, UNET_SD2

RANK = 4


def write(name: str, config: dict, targets: list[str], timesteps: list[int], alpha: int) -> None:
    model = seeded_unet(config)
    full = full_config(model)  # before peft renames the layers
    adapters = add_lora(model, targets, RANK, alpha)
    seed_lora(adapters)
    inputs = {
        "sample": named(f"lora-{name}.sample", [2, 4, 8, 8]),
        "timesteps": timesteps,
        "encoder_hidden_states": named(f"lora-{name}.context", [2, 7, config["cross_attention_dim"]]),
    }
    sample, context = (read_floats(inputs[k]) for k in ("sample", "encoder_hidden_states"))
    with torch.no_grad():
        adapted = model(sample, torch.tensor(timesteps), context).sample
        model.disable_adapters()
        plain = model(sample, torch.tensor(timesteps), context).sample
    lora = {"rank": RANK, "alpha": alpha, "targets": targets, "modules": describe(adapters)}
    outputs = {"sample": floats(adapted), "without_lora": floats(plain)}
    save(MODELS, f"lora-{name}.json", weights="seeded", lora=lora, config=full, inputs=inputs, outputs=outputs)


def write_text(name: str, config: dict) -> None:
    model = seeded_text_encoder(config)
    adapters = add_lora(model, [*TEXT_ATTENTION, "fc1", "fc2"], RANK, RANK)
    seed_lora(adapters)
    ids = [[98, *range(5, 12), *[99] * 8], [98, *range(40, 54), 99]]
    with torch.no_grad():
        outputs = {"last_hidden_state": floats(model(torch.tensor(ids)).last_hidden_state)}
    lora = {"rank": RANK, "alpha": RANK, "targets": [*TEXT_ATTENTION, "fc1", "fc2"], "modules": describe(adapters)}
    save(MODELS, f"lora-{name}.json", weights="seeded", lora=lora, config=config, inputs={"ids": ids}, outputs=outputs)


write("sd1", UNET_SD1, [*ATTENTION, *PROJECTIONS, *CONVOLUTIONS], [7, 981], alpha=RANK)
write("sd2", UNET_SD2, [*ATTENTION, *PROJECTIONS], [0, 500], alpha=2)  # a strength of one half
write_text("clip", TEXT_QUICK_GELU)
