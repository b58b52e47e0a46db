#!/usr/bin/env python3
"""Reference values of an inpainting UNet: that of testdata/golden/models/sd15 with a first convolution of 9 channels.

  make_inpaint.py GOLDEN OUT.safetensors     GOLDEN is testdata/golden

OUT holds `conv_in.weight`, and for each case its finished latents; its header tells what each case was drawn with. Made with diffusers 0.42.1,
transformers 5.23.0 and torch 2.13.0 on a CPU in float32 with one thread.
"""
import json
import sys

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, LCMScheduler, StableDiffusionInpaintPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
            "prediction_type": "epsilon"}
SCHEDULERS = {"lcm": LCMScheduler, "euler": EulerDiscreteScheduler}
PROMPT = "a castle on a mountain under the stars"
CASES = {
    "lcm_plain": {"sampler": "lcm", "strength": 1.0, "guidance": 1.0},
    "lcm_guided": {"sampler": "lcm", "strength": 1.0, "guidance": 2.0},
    "lcm_guided_part": {"sampler": "lcm", "strength": 0.75, "guidance": 2.0},
    "euler_guided": {"sampler": "euler", "strength": 1.0, "guidance": 2.0},
    "euler_plain_part": {"sampler": "euler", "strength": 0.75, "guidance": 1.0},
}


def inpainting_unet(folder):
    """The UNet of `folder` with five input channels more, and the weight of its first convolution."""
    config = {**UNet2DConditionModel.load_config(folder), "in_channels": 9}
    weights = load_file(f"{folder}/diffusion_pytorch_model.safetensors")
    generator = torch.Generator().manual_seed(1)
    weights["conv_in.weight"] = torch.randn(weights["conv_in.weight"].shape[0], 9, 3, 3, generator=generator) * 0.2
    unet = UNet2DConditionModel.from_config(config)
    unet.load_state_dict(weights)
    return unet.eval(), weights["conv_in.weight"]


def main(golden, out):
    torch.set_num_threads(1)
    model = f"{golden}/models/sd15"
    unet, conv_in = inpainting_unet(f"{model}/unet")
    parts = {"vae": AutoencoderKL.from_pretrained(f"{model}/vae"), "text_encoder": CLIPTextModel.from_pretrained(f"{model}/text_encoder"),
             "tokenizer": CLIPTokenizer.from_pretrained(f"{model}/tokenizer"), "unet": unet}
    image, mask = (Image.open(f"{golden}/images/{name}.png") for name in ("init", "inpaint_mask"))
    tensors, seed, steps = {"conv_in.weight": conv_in}, 12, 4
    for name, case in CASES.items():
        pipeline = StableDiffusionInpaintPipeline(**parts, scheduler=SCHEDULERS[case["sampler"]](**SCHEDULE), safety_checker=None,
                                                  feature_extractor=None, requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        tensors[name] = pipeline(PROMPT, image=image, mask_image=mask, strength=case["strength"], guidance_scale=case["guidance"],
                                 num_inference_steps=steps, height=64, width=64, output_type="latent",
                                 generator=torch.Generator().manual_seed(seed)).images
    save_file(tensors, out, metadata={"cases": json.dumps({"prompt": PROMPT, "seed": seed, "steps": steps, "cases": CASES})})


if __name__ == "__main__":
    main(*sys.argv[1:])
