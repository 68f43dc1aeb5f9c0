"""Makes src/weights/__fixtures__/reference.safetensors with the reference writer, and reference.json with what is in it.

Run: python tools/oracle/safetensors_fixture.py   (needs safetensors, torch)
"""
import json
import pathlib

import safetensors
import safetensors.torch
import torch

root = pathlib.Path(__file__).resolve().parents[2]
folder = root / "src/weights/__fixtures__"

tensors = {
    "z.bytes": torch.tensor([0, 1, 255], dtype=torch.uint8),
    "flags": torch.tensor([[True, False], [False, True]]),
    "small": torch.tensor([-128, 127], dtype=torch.int8),
    "tiny.e4m3": torch.tensor([1.0, -2.0]).to(torch.float8_e4m3fn),
    "tiny.e5m2": torch.tensor([0.5, 4.0, -1.0]).to(torch.float8_e5m2),
    "short": torch.tensor([-2, 300], dtype=torch.int16),
    "half": torch.tensor([[1.5, -0.25, 65504.0]], dtype=torch.float16),
    "brain": torch.tensor([3.140625, -1.0], dtype=torch.bfloat16),
    "ints": torch.tensor([7, -8], dtype=torch.int32),
    "b.single": torch.tensor([[0.1, -2.5], [3.0, 1e-8]], dtype=torch.float32),
    "a.single": torch.tensor(4.0, dtype=torch.float32),
    "double": torch.tensor([0.1], dtype=torch.float64),
    "long": torch.tensor([2**40], dtype=torch.int64),
    "empty": torch.zeros((0, 3), dtype=torch.float32),
    "quote \" é": torch.tensor([1.0], dtype=torch.float32),
}
path = folder / "reference.safetensors"
safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})

contents = {}
for name, tensor in tensors.items():
    raw = tensor.reshape(-1).view(torch.uint8) if tensor.numel() else torch.zeros(0, dtype=torch.uint8)
    entry = {"dtype": str(tensor.dtype), "shape": list(tensor.shape), "bytes": raw.tolist()}
    if tensor.dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        entry["values"] = tensor.to(torch.float32).reshape(-1).tolist()
    contents[name] = entry
fixture = dict(
    script="tools/oracle/safetensors_fixture.py",
    versions=dict(safetensors=safetensors.__version__, torch=torch.__version__),
    tensors=contents,
)
(folder / "reference.json").write_text(json.dumps(fixture, indent=1) + "\n")
print(path.stat().st_size, "bytes")
