"""Writes src/diffusion/__fixtures__/{ddpm,heun,euler-spaced,dpm-solver,unipc,pndm,distilled}.json from diffusers' schedulers.

Run: python tools/oracle/samplers.py   (needs torch, numpy and diffusers; the fake model is in trajectories.py)
"""

import itertools

from diffusers import (
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
    UniPCMultistepScheduler,
)
from trajectories import LATENT, run, write

SPACINGS = ["leading", "trailing", "linspace"]
COUNTS = [1, 4, 20]
PLAIN = [("epsilon", False), ("v_prediction", False)]
ALL = PLAIN + [("v_prediction", True), ("sample", False)]


def cases(kind, predictions, spacings, counts, extra: dict = {}, **options):
    for (prediction, zero), spacing, steps in itertools.product(predictions, spacings, counts):
        config = LATENT | extra | {"prediction_type": prediction}
        if zero:
            config |= {"rescale_betas_zero_snr": True}
        if spacing is not None:
            config |= {"timestep_spacing": spacing}
        yield run(kind, config, steps, **options)


def spaced(kind, spacings, extra: dict = {}):
    """Karras and exponential sigmas."""
    for name in ("karras", "exponential"):
        yield from cases(kind, PLAIN, spacings, [1, 4, 20], extra | {f"use_{name}_sigmas": True})


def multistep(kind, extra: dict = {}):
    yield from cases(kind, ALL, SPACINGS, COUNTS, extra)
    yield from cases(kind, PLAIN, [None], [15], extra)
    yield from spaced(kind, [None], extra)


def distilled(kind, **options):
    yield from cases(kind, ALL, [None], [1, 3, 4, 20], **options)
    yield from cases(kind, PLAIN, [None], [4], {"original_inference_steps": 100}, **options)


write("ddpm", {"ddpm": list(cases(DDPMScheduler, ALL, SPACINGS, COUNTS))})
write("heun", {"heun": list(cases(HeunDiscreteScheduler, PLAIN, SPACINGS, COUNTS))
               + list(spaced(HeunDiscreteScheduler, SPACINGS))})
write("euler-spaced", {"euler": list(spaced(EulerDiscreteScheduler, SPACINGS))})
write("dpm-solver", {
    "plain": list(multistep(DPMSolverMultistepScheduler)),
    "stochastic": list(multistep(DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"})),
})
write("unipc", {"unipc": list(multistep(UniPCMultistepScheduler))})
write("pndm", {"pndm": list(cases(PNDMScheduler, PLAIN, SPACINGS, [1, 2, 4, 7, 20], {"skip_prk_steps": True}))})
write("distilled", {
    "lcm": list(distilled(LCMScheduler)),
    "tcd": [case for eta in (0.0, 0.3, 1.0) for case in distilled(TCDScheduler, eta=eta)],
})
