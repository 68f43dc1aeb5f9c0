"""Writes src/models/__fixtures__/clip-*.json: hidden states of transformers' CLIPTextModel.

Run: python tools/oracle/text_encoders.py
"""

import torch
from common import MODELS, bundled_config, bundled_ids, bundled_text_encoder, bundled_weights, floats, save
from common import seeded_text_encoder
from configs import TEXT_GELU, TEXT_QUICK_GELU


def padded(config: dict, words: list[int]) -> list[int]:
    ids = [config["bos_token_id"], *words, config["eos_token_id"]]
    return ids + [config["pad_token_id"]] * (config["max_position_embeddings"] - len(ids))


def hidden_states(model: torch.nn.Module, ids: list[list[int]]) -> dict:
    """penultimate is what clip_skip=1 of a diffusers pipeline gives: the state before the last layer, then the final norm."""
    with torch.no_grad():
        out = model(torch.tensor(ids), output_hidden_states=True)
        norm = getattr(model, "text_model", model).final_layer_norm
        assert torch.equal(norm(out.hidden_states[-1]), out.last_hidden_state)
        return {"last_hidden_state": floats(out.last_hidden_state), "penultimate": floats(norm(out.hidden_states[-2]))}


words = [[1, 2, 3, 50, 97], list(range(60, 74))]
for name, config in (("quick-gelu", TEXT_QUICK_GELU), ("gelu", TEXT_GELU)):
    ids = [padded(config, w) for w in words]
    outputs = hidden_states(seeded_text_encoder(config), ids)
    save(MODELS, f"clip-{name}.json", weights="seeded", config=config, inputs={"ids": ids}, outputs=outputs)

texts = ["a photo of a sks toy on the beach", ""]
ids = bundled_ids(texts)
save(
    MODELS,
    "clip-bundled.json",
    weights=bundled_weights("text_encoder"),
    config=bundled_config("text_encoder"),
    inputs={"texts": texts, "ids": ids},
    outputs=hidden_states(bundled_text_encoder(), ids),
)
