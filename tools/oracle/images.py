"""Makes src/training/__fixtures__/images.json: Pillow's LANCZOS resampling and diffusers' tensor conversion.

Run: python tools/oracle/images.py   (needs pillow, numpy, torch, diffusers)
"""
import base64
import json
import pathlib

import diffusers
import numpy as np
import PIL
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

root = pathlib.Path(__file__).resolve().parents[2]


def picture(width, height, seed, transparent):
    """Smooth waves, hard edges and noise: what shows ringing, antialiasing and rounding."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([127 + 120 * np.sin(x / (3 + i) + y / (7 - i) + i) for i in range(3)], -1)
    waves[(x // 9 + y // 7) % 4 == 0] = [255, 0, 20]
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = np.clip(waves + random.normal(0, 18, waves.shape), 0, 255)
    if transparent:
        rgba[..., 3] = random.choice([0, 1, 64, 127, 128, 200, 255], (height, width))
    return rgba


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


cases = []
for name, width, height, transparent, crop, size in [
    ("down, odd", 71, 47, False, (13, 0, 47), 21),
    ("down, slightly", 46, 43, False, (2, 0, 43), 41),
    ("up", 23, 29, False, (0, 4, 23), 40),
    ("same size", 24, 20, False, (3, 1, 16), 16),
    ("crop off centre", 60, 60, False, (19, 7, 35), 17),
    ("transparent", 41, 41, True, (0, 0, 41), 16),
    ("to one pixel", 19, 19, False, (0, 0, 19), 1),
    ("from one pixel", 5, 5, False, (2, 2, 1), 4),
]:
    rgba = picture(width, height, len(cases), transparent)
    flat = rgba[..., :3].astype(np.int64)
    alpha = rgba[..., 3:].astype(np.int64)
    flat = np.rint((flat * alpha + 255 * (255 - alpha)) / 255).astype(np.uint8)
    x, y, side = crop
    image = Image.fromarray(flat).crop((x, y, x + side, y + side))
    result = np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))
    cases.append(
        dict(name=name, width=width, height=height, crop=dict(x=x, y=y, size=side), size=size)
        | dict(rgba=text(rgba), rgb=text(result))
    )

levels = np.arange(256, dtype=np.uint8)
levels = np.stack([levels, levels[::-1], np.roll(levels, 77)], -1).reshape(16, 16, 3)
tensor = VaeImageProcessor().preprocess(Image.fromarray(levels))[0]
values = torch.cat([torch.linspace(-1.3, 1.3, 60), (torch.arange(12) + 0.5) / 127.5 - 1]).reshape(1, 3, 4, 6)
back = VaeImageProcessor().postprocess(values, output_type="pil")[0]

fixture = dict(
    script="tools/oracle/images.py",
    versions=dict(pillow=PIL.__version__, numpy=np.__version__, torch=torch.__version__, diffusers=diffusers.__version__),
    resample=cases,
    normalize=dict(size=16, rgb=text(levels), tensor=text(tensor.numpy())),
    denormalize=dict(width=6, height=4, tensor=text(values.numpy()), rgb=text(np.asarray(back))),
)
path = root / "src/training/__fixtures__/images.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(fixture, indent=1) + "\n")
print(path.relative_to(root), path.stat().st_size, "bytes")
