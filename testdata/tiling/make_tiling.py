#!/usr/bin/env python3
"""Reference values of a decode in tiles: the VAE of testdata/golden/models/sd15 with tiles of 32 pixels.

  make_tiling.py GOLDEN OUT.safetensors     GOLDEN is testdata/golden

OUT holds scaled latents `z` and the pixels that they become, in tiles. Made with diffusers 0.42.1 and torch 2.13.0 on a CPU in
float32 with one thread.
"""
import sys

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

torch.set_num_threads(1)
vae = AutoencoderKL.from_pretrained(f"{sys.argv[1]}/models/sd15/vae").eval()
factor = 2 ** (len(vae.config.block_out_channels) - 1)
z = torch.randn(1, 4, 9, 14, generator=torch.Generator().manual_seed(3))
with torch.no_grad():
    vae.tile_sample_min_size, vae.tile_latent_min_size = 32, 32 // factor
    vae.enable_tiling()
    tiled = vae.decode(z / vae.config.scaling_factor).sample
save_file({"z": z, "tiled": tiled}, sys.argv[2])
