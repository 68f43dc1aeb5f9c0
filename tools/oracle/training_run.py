"""Writes src/training/__fixtures__/training-run*.json: DreamBooth LoRA training runs in PyTorch, step by step.

Run: python tools/oracle/training_run.py
Each step sees one instance and one prior latent: loss = mse(instance) + prior_weight * mse(prior), each a mean over c, h, w,
against the velocity of the scheduler. The matrices start as A = randn(name) / rank and B = 0. Before AdamW (decoupled weight
decay on A and B alike) the gradient of all matrices together is clipped, to norms at which both runs clip some steps and not
others. torch.optim.AdamW:
theta -= lr * weight_decay * theta, then theta -= lr / (1 - beta1^n) * m / (sqrt(v / (1 - beta2^n)) + eps).
"""

import diffusers
import torch
from adapters import ATTENTION, Adapter, add_lora, describe, flat, parameters
from common import TRAINING, bundled_config, bundled_ids, bundled_text_encoder, bundled_unet, bundled_weights
from common import floats, full_config, named, randn, read_floats, save, seeded_unet
from configs import UNET_SD1

RANK = 4
INSTANCES, PRIORS = 3, 4
PRIOR_WEIGHT = 1.0
ADAMW = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
# the ends of the schedule are among them: with zero terminal SNR nothing of the latent is left at 999
TIMESTEPS = [
    [521, 40], [999, 733], [12, 388], [260, 999], [871, 0], [645, 150], [333, 612], [77, 904], [480, 480], [702, 29],
    [945, 217], [108, 560], [598, 841], [0, 345], [417, 678], [789, 91], [184, 967], [666, 450], [55, 275], [830, 535],
]  # fmt: skip
WHOLE = 16384  # entries of the change that are kept as they are
SAMPLE = 4096  # entries that are kept of a longer one


def start(adapters: list[Adapter]) -> None:
    with torch.no_grad():
        for adapter in adapters:
            [(name, a), (_, b)] = adapter.matrices()
            a.copy_(randn(name, a.shape) / RANK)
            b.zero_()


def batch(step: int, shape: list[int]) -> dict:
    """What a step sees; instance first, prior second."""
    return {
        "latents": [
            named(f"latents.instance.{step % INSTANCES}", shape),
            named(f"latents.prior.{step % PRIORS}", shape),
        ],
        "noise": named(f"noise.{step}", [2, *shape]),
        "timesteps": TIMESTEPS[step],
    }


def train(unet: torch.nn.Module, adapters: list[Adapter], context, steps: list[dict], optim: dict, dtype) -> dict:
    scheduler = diffusers.DDIMScheduler.from_config(bundled_config("scheduler", "scheduler_config.json"))
    start(adapters)
    torch.nn.Module.to(unet, dtype)
    theta = parameters(adapters)
    before = flat(theta)
    optimizer = torch.optim.AdamW(theta, **ADAMW, weight_decay=optim["weight_decay"], foreach=False)

    def losses_of(step: dict) -> torch.Tensor:
        latents = torch.stack([read_floats(x) for x in step["latents"]])
        noise, t = read_floats(step["noise"]), torch.tensor(step["timesteps"])
        noisy = scheduler.add_noise(latents, noise, t).to(dtype)
        velocity = scheduler.get_velocity(latents, noise, t).to(dtype)
        return ((unet(noisy, t, context.to(dtype)).sample - velocity) ** 2).mean(dim=(1, 2, 3))

    instance, prior, norms = [], [], []
    for step in steps:
        errors = losses_of(step)
        optimizer.zero_grad()
        (errors[0] + PRIOR_WEIGHT * errors[1]).backward()
        norms.append(torch.nn.utils.clip_grad_norm_(theta, optim["max_norm"], foreach=False).item())
        optimizer.step()
        instance.append(errors[0].item())
        prior.append(errors[1].item())
    with torch.no_grad():
        after = losses_of(steps[0]).tolist()
    return {
        "instance_losses": instance,
        "prior_losses": prior,
        "losses": [i + PRIOR_WEIGHT * p for i, p in zip(instance, prior)],
        "gradient_norms": norms,  # before clipping
        "first_batch_afterwards": after,  # instance and prior loss of step 0's batch with the final matrices
        "change": flat(theta) - before,
    }


def measured(make_unet, context: torch.Tensor, steps: list[dict], optim: dict) -> tuple[dict, list[Adapter], dict]:
    """The run in float32, and how far rounding alone takes it from the run in float64."""
    runs = []
    for dtype in (torch.float32, torch.float64):
        unet = make_unet()
        config = full_config(unet)
        adapters = add_lora(unet, ATTENTION, RANK, RANK)
        runs.append(train(unet, adapters, context, steps, optim, dtype))
    change, reference = runs[0]["change"].double(), runs[1]["change"]
    runs[0]["rounding"] = ((change - reference).norm() / reference.norm()).item()
    return runs[0], adapters, config


def write(name: str, make_unet, context: torch.Tensor, inputs: dict, count: int, optim: dict, **more) -> None:
    side = full_config(make_unet())["sample_size"]
    steps = [batch(i, [4, side, side]) for i in range(count)]
    run, adapters, config = measured(make_unet, context, steps, optim)
    change = run.pop("change")
    run["change_norm"] = change.double().norm().item()
    if change.numel() <= WHOLE:
        run["change"] = floats(change)
    else:
        stride = change.numel() // SAMPLE
        picked = change[::stride][:SAMPLE]
        run |= {"change_stride": stride, "change_sample": floats(picked)}  # entries 0, stride, 2 stride, ...
    settings = {
        "lora": {"rank": RANK, "alpha": RANK, "targets": ATTENTION, "modules": describe(adapters)},
        "prior_weight": PRIOR_WEIGHT,
        "adamw": ADAMW | {"weight_decay": optim["weight_decay"]},
        "max_norm": optim["max_norm"],
        "learning_rate": "constant",
        "scheduler": bundled_config("scheduler", "scheduler_config.json"),
    }
    save(TRAINING, name, **more, settings=settings, config=config, inputs=inputs | {"steps": steps}, outputs=run)
    print({k: v for k, v in run.items() if not isinstance(v, dict)})


prompts = ["a photo of a sks toy", "a photo of a toy"]  # instance, prior
ids = bundled_ids(prompts)
with torch.no_grad():
    context = bundled_text_encoder()(torch.tensor(ids)).last_hidden_state
write(
    "training-run.json",
    bundled_unet,
    context,
    {"prompts": prompts, "ids": ids},
    20,
    {"weight_decay": 1e-2, "max_norm": 0.2},
    weights=[bundled_weights("unet"), bundled_weights("text_encoder")],
)

tiny = named("context.tiny", [2, 7, 32])
write(
    "training-run-tiny.json",
    lambda: seeded_unet(UNET_SD1),
    read_floats(tiny),
    {"encoder_hidden_states": tiny},
    3,
    {"weight_decay": 0.1, "max_norm": 0.5},
    weights="seeded",
)
