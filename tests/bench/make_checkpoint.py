#!/usr/bin/env python3
"""Writes a random checkpoint of a published shape, as a folder and as one file with the same weights: what the tools are measured on.

    make_checkpoint.py sdxl DIR     DIR/folder (diffusers layout, f16, 7 GB) and DIR/single.safetensors (SGM names)
    make_checkpoint.py sd15 DIR     the same of Stable Diffusion 1.5 (2 GB, LDM names)

Needs torch, diffusers, transformers and safetensors, and about as much memory as the files take. The weights are noise of the size that
keeps activations bounded; the pictures are noise too.
"""
import json
import os
import pathlib
import re
import sys

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

SCHEDULER = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "epsilon", "steps_offset": 1}
CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "hidden_act": "quick_gelu",
          "projection_dim": 768, "eos_token_id": 2}
CLIP_G = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20, "hidden_act": "gelu",
          "projection_dim": 1280, "eos_token_id": 2}
VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "down_block_types": ("DownEncoderBlock2D",) * 4,
       "up_block_types": ("UpDecoderBlock2D",) * 4}
MERGES = pathlib.Path(__file__).parents[2] / "lib/models/clip-bpe/merges.txt"
UNETS = {
    "sd15": {"block_out_channels": (320, 640, 1280, 1280), "cross_attention_dim": 768, "attention_head_dim": 8, "sample_size": 64,
             "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
             "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3},
    "sdxl": {"block_out_channels": (320, 640, 1280), "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20), "sample_size": 128,
             "transformer_layers_per_block": (1, 2, 10), "use_linear_projection": True, "addition_embed_type": "text_time",
             "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
             "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
             "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")},
}


def save_part(make, folder, seed):
    """A part without weights, filled with noise of our own: drawing it as its library does takes minutes."""
    with torch.device("meta"):
        part = make()
    part = part.to_empty(device="cpu").half()
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in part.named_parameters():
        if name.endswith("weight") and parameter.dim() == 1:
            parameter.data.fill_(1)
        elif name.endswith("bias"):
            parameter.data.zero_()
        else:
            deviation = parameter[0].numel() ** -0.5 if parameter.dim() > 1 else 0.02
            values = torch.randn(parameter.numel() % 1_000_003 or 1, generator=generator).half() * deviation
            parameter.data.view(-1)[:] = values.repeat(-(-parameter.numel() // values.numel()))[:parameter.numel()]
    part.save_pretrained(folder, safe_serialization=True, max_shard_size="20GB")


def save_tokenizer(folder, pad):
    """CLIP's published vocabulary: 256 bytes, the same at the end of a word, the merges in their order, two marks."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    lines = MERGES.read_text(encoding="utf-8").splitlines()
    pairs = [line.replace(" ", "") for line in lines if line and not line.startswith("#version")]
    words = [*letters, *(letter + "</w>" for letter in letters), *pairs, "<|startoftext|>", "<|endoftext|>"]
    os.makedirs(folder)
    path = pathlib.Path(folder)
    (path / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}), encoding="utf-8")
    (path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines[-len(pairs):]) + "\n", encoding="utf-8")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": pad}
    (path / "special_tokens_map.json").write_text(json.dumps(marks), encoding="utf-8")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **marks}
    (path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def make_folder(family, folder):
    """The parts of a family in the layout of diffusers."""
    factor = 0.13025 if family == "sdxl" else 0.18215
    text = CLIPTextConfig(**CLIP_L)
    text.architectures = ["CLIPTextModel"]
    save_part(lambda: UNet2DConditionModel(in_channels=4, out_channels=4, layers_per_block=2, **UNETS[family]), f"{folder}/unet", 1)
    save_part(lambda: AutoencoderKL(scaling_factor=factor, **VAE), f"{folder}/vae", 2)
    save_part(lambda: CLIPTextModel(text), f"{folder}/text_encoder", 3)
    if family == "sdxl":
        save_part(lambda: CLIPTextModelWithProjection(CLIPTextConfig(**CLIP_G)), f"{folder}/text_encoder_2", 4)
    save_tokenizer(f"{folder}/tokenizer", "<|endoftext|>")
    if family == "sdxl":
        save_tokenizer(f"{folder}/tokenizer_2", "!")
    EulerDiscreteScheduler(**SCHEDULER).save_pretrained(f"{folder}/scheduler")
    with open(f"{folder}/model_index.json", "w", encoding="utf-8") as file:
        json.dump({"_class_name": "StableDiffusionXLPipeline" if family == "sdxl" else "StableDiffusionPipeline"}, file)


RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1",
          "conv_shortcut": "skip_connection"}
TOP = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
       "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2"}


def replaced(name, renames):
    """`name` with its first words replaced."""
    return next((new + name[len(old):] for old, new in renames.items() if name.startswith(old + ".")), name)


def unet_name(name, attention_up):
    """The original name of a UNet's parameter. @param attention_up: which blocks on the way up have attention"""
    kind, *rest = name.split(".")
    if kind == "mid_block":
        place = {"resnets.0": 0, "attentions.0": 1, "resnets.1": 2}[".".join(rest[:2])]
        return f"middle_block.{place}." + replaced(".".join(rest[2:]), RESNET)
    if kind not in ("down_blocks", "up_blocks"):
        return replaced(name, TOP)
    block, what, layer, inner = int(rest[0]), rest[1], int(rest[2]), ".".join(rest[3:])
    if what == "downsamplers":
        return f"input_blocks.{3 * block + 3}.0.op." + inner.removeprefix("conv.")
    if what == "upsamplers":
        return f"output_blocks.{3 * block + 2}.{2 if attention_up[block] else 1}.{inner}"
    place = f"input_blocks.{3 * block + layer + 1}" if kind == "down_blocks" else f"output_blocks.{3 * block + layer}"
    return f"{place}.{1 if what == 'attentions' else 0}." + (inner if what == "attentions" else replaced(inner, RESNET))


def vae_name(name):
    """The original name of a VAE's parameter."""
    for old, new in (("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
                     ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"), ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
                     ("mid_block.attentions.0.to_", "mid.attn_1."), ("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut")):
        name = name.replace(old, new)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{3 - int(m[1])}.block.", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"up.{3 - int(m[1])}.upsample.", name)


OPEN_CLIP = (("embeddings.token_embedding", "token_embedding"), ("embeddings.position_embedding.weight", "positional_embedding"),
             ("final_layer_norm", "ln_final"), ("encoder.layers", "transformer.resblocks"), ("layer_norm", "ln_"), ("mlp.fc1", "mlp.c_fc"),
             ("mlp.fc2", "mlp.c_proj"), ("self_attn", "attn"), ("text_projection.weight", "text_projection"))


def open_clip(tensors):
    """The tensors of a CLIP text encoder in OpenCLIP's names: q, k and v in one, the projection turned round."""
    out = {}
    for name, tensor in tensors.items():
        theirs = name.removeprefix("text_model.")
        for old, new in OPEN_CLIP:
            theirs = theirs.replace(old, new)
        if "q_proj" in name:
            stacked = torch.cat([tensors[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"])
            out[theirs.replace("q_proj.", "in_proj_")] = stacked
        elif "k_proj" not in name and "v_proj" not in name:
            out[theirs] = tensor.t().contiguous() if theirs == "text_projection" else tensor
    return out


def make_file(family, folder, path):
    """One checkpoint of the folder's weights in the original names."""
    def part(name, file="model"):
        return load_file(f"{folder}/{name}/{file}.safetensors")

    attention_up = ["CrossAttn" in kind for kind in UNETS[family]["up_block_types"]]
    text = {"text_model." + name.removeprefix("text_model."): tensor for name, tensor in part("text_encoder").items()}
    prefix = "conditioner.embedders.0.transformer." if family == "sdxl" else "cond_stage_model.transformer."
    tensors = {"model.diffusion_model." + unet_name(name, attention_up): t for name, t in part("unet", "diffusion_pytorch_model").items()}
    tensors.update({"first_stage_model." + vae_name(name): t for name, t in part("vae", "diffusion_pytorch_model").items()})
    tensors.update({prefix + name: tensor for name, tensor in text.items()})
    if family == "sdxl":
        tensors.update({"conditioner.embedders.1.model." + name: t for name, t in open_clip(part("text_encoder_2")).items()})
    save_file(tensors, path)


def main(family, out):
    os.makedirs(out, exist_ok=True)
    make_folder(family, f"{out}/folder")
    make_file(family, f"{out}/folder", f"{out}/single.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
