"""Writes src/weights/__fixtures__/torch-*: files by torch.save, with what they hold, and one that wants something run.

Run: python tools/oracle/torch_files.py
"""

import collections
import io
import json
import os
import pathlib
import sys
import types
import zipfile

import numpy
import torch

FOLDER = pathlib.Path(__file__).parents[2] / "src/weights/__fixtures__"


class ModelCheckpoint:
    """Stands in for PyTorch Lightning's callback, whose class is a key in the checkpoints of Stable Diffusion 1.x."""


lightning = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
lightning.ModelCheckpoint = ModelCheckpoint
ModelCheckpoint.__module__ = lightning.__name__
sys.modules |= {"pytorch_lightning": types.ModuleType("pytorch_lightning"), lightning.__name__: lightning}


class RunsSomething:
    def __reduce__(self):
        return os.system, ("echo this was run",)


def tensors() -> dict:
    base = torch.arange(24, dtype=torch.float32) / 8 - 1
    return collections.OrderedDict(
        float32=base.reshape(2, 3, 4).clone(),
        half=(base * 3).half(),
        bfloat16=(base * 5).bfloat16().reshape(4, 6),
        double=base[:3].double() / 3,
        int64=torch.tensor([[0, 1, 2, 76]]),
        scalar=torch.tensor(0.18215),
        rows=base.reshape(6, 4)[2:4],  # a part of a storage that "columns" shares
        columns=base.reshape(6, 4)[:, 1:3],
        transposed=base.reshape(2, 12).t(),
        channels_last=base.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        parameter=torch.nn.Parameter(base[:4].clone()),
        empty=torch.zeros(0, 3),
    )


def described(state: dict) -> dict:
    return {
        name: {"dtype": str(t.dtype), "shape": list(t.shape), "values": t.detach().double().flatten().tolist()}
        for name, t in state.items()
    }


def save(name: str, content, **options) -> None:
    # to memory first: torch.save names the folder in the archive after the file
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    (FOLDER / name).write_bytes(buffer.getvalue())
    print(name, len(buffer.getvalue()))


state = tensors()
checkpoint = {
    "epoch": 3,
    "global_step": 875000,
    "pytorch-lightning_version": "1.4.2",
    "state_dict": state,
    "callbacks": {ModelCheckpoint: {"monitor": "val/loss", "best_model_score": numpy.float32(0.25)}},
    "optimizer_states": [{"state": {0: {"step": 1, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999)}]}],
    "lr_schedulers": [],
    "big": 2**70,
}
save("torch-checkpoint.ckpt", checkpoint)
save("torch-protocol4.bin", state, pickle_protocol=4)
save("torch-legacy.pt", {"a": torch.zeros(2)}, _use_new_zipfile_serialization=False)
save("torch-runs-something.ckpt", {"state_dict": {"a": torch.zeros(2)}, "extra": RunsSomething()})
note = {"script": "tools/oracle/torch_files.py", "versions": {"torch": torch.__version__, "numpy": numpy.__version__}}
(FOLDER / "torch-tensors.json").write_text(json.dumps({**note, "tensors": described(state)}, indent=1) + "\n")

# the same archive, compressed as no version of PyTorch does
with zipfile.ZipFile(FOLDER / "torch-protocol4.bin") as stored, zipfile.ZipFile(FOLDER / "torch-compressed.bin", "w", zipfile.ZIP_DEFLATED) as deflated:
    for entry in stored.infolist():
        deflated.writestr(zipfile.ZipInfo(entry.filename), stored.read(entry), zipfile.ZIP_DEFLATED)
