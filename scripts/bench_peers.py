#!/usr/bin/env python3
"""The peers of scripts/bench, as their own documentation uses them. Needs torch, diffusers and transformers; openvino for that engine.

    bench_peers.py cold MODEL [...]               one picture as a script makes it: import, load, draw, save
    bench_peers.py warm MODEL --engine E [...]    stays loaded; draws a picture for every line on standard input

`warm` writes one JSON line when it has drawn a first picture, which does not count, and one for each picture after it. A peer that cannot
be imported, or cannot run the model, writes {"missing": WHY} and ends with 3.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

STARTED = time.perf_counter()
ENGINES = ("diffusers", "compile", "autotune", "openvino")
MODES = {"compile": "reduce-overhead", "autotune": "max-autotune"}  # of torch.compile on a GPU
TOKENS = 77


class Networks:
    """The parts of a model folder, as diffusers and transformers load them."""

    def __init__(self, model, dtype, device):
        import diffusers
        import torch
        import transformers
        self.torch, self.dtype, self.device = torch, {"bf16": torch.bfloat16, "f32": torch.float32}[dtype], device
        folder = pathlib.Path(model)
        load = {"torch_dtype": self.dtype}
        self.unet = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet", **load).eval()
        self.vae = diffusers.AutoencoderKL.from_pretrained(folder / "vae", **load).eval()
        self.scheduler = diffusers.LCMScheduler.from_pretrained(folder / "scheduler")
        self.texts = [(transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer"),
                       transformers.CLIPTextModel.from_pretrained(folder / "text_encoder", **load).eval())]
        if (folder / "text_encoder_2").is_dir():
            self.texts.append((transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer_2"),
                               transformers.CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", **load).eval()))
        for network in (self.unet, self.vae):
            network.to(device=device, memory_format=torch.channels_last)
        for _, network in self.texts:
            network.to(device)

    def wait(self):
        """Until what was started is done."""
        if self.device != "cpu":
            self.torch.cuda.synchronize()

    def place(self, sample):
        """A sample as a step takes it."""
        return sample.to(self.device, self.dtype).contiguous(memory_format=self.torch.channels_last)

    def encode(self, prompt):
        """Context, and pooled text where the UNet takes it."""
        states, pooled = [], None
        for tokenizer, network in self.texts:
            ids = tokenizer(prompt, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt").input_ids.to(self.device)
            out = network(ids, output_hidden_states=len(self.texts) > 1)
            states.append(out.hidden_states[-2] if len(self.texts) > 1 else out.last_hidden_state)
            pooled = getattr(out, "text_embeds", None)
        return self.torch.cat(states, -1), pooled

    def conditions(self, context, pooled, size):
        """What a step takes beside sample and timestep, by name."""
        torch, config = self.torch, self.unet.config
        inputs = {"encoder_hidden_states": context}
        if config.time_cond_proj_dim:
            embedding = torch.randn(1, config.time_cond_proj_dim)  # the same work as the real one
            inputs["timestep_cond"] = embedding.to(self.device, self.dtype)
        if config.addition_embed_type == "text_time":
            sizes = torch.tensor([[size, size, 0, 0, size, size]])
            inputs["text_embeds"], inputs["time_ids"] = pooled, sizes.to(self.device, self.dtype)
        return inputs


def plain_step(networks):
    """A function of sample, timestep and conditions, which evaluates the UNet."""
    unet = networks.unet

    def step(sample, timestep, conditions):
        rest = dict(conditions)
        added = {name: rest.pop(name) for name in ("text_embeds", "time_ids") if name in rest}
        return unet(sample, timestep, added_cond_kwargs=added or None, return_dict=False, **rest)[0]
    return step


def engine_functions(options, networks):
    """(step, decode, what the engine says that it runs)."""
    torch = networks.torch
    step, decode = plain_step(networks), lambda latent: networks.vae.decode(latent, return_dict=False)[0]
    says = {"aten": torch.backends.cpu.get_cpu_capability(), "onednn": onednn_isa()}
    if options.device != "cpu":
        says = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__}
    if options.device != "cpu" and options.engine in MODES:
        says["mode"] = mode = MODES[options.engine]
        networks.unet, inner = torch.compile(networks.unet, mode=mode), torch.compile(networks.vae.decode, mode=mode)
        return plain_step(networks), lambda latent: inner(latent, return_dict=False)[0], says
    if options.engine == ("autotune" if options.device == "cpu" else "openvino"):
        raise ValueError(f"it does not run on {options.device}")
    if options.engine == "compile":
        import torch._inductor.config
        torch._inductor.config.freezing = True
        networks.unet, inner = torch.compile(networks.unet), torch.compile(networks.vae.decode)
        return plain_step(networks), lambda latent: inner(latent, return_dict=False)[0], says
    if options.engine == "openvino":
        return openvino_functions(options, networks, step, decode)
    return step, decode, says


def onednn_isa():
    """What oneDNN of libtorch says in its own report, asked in another process."""
    code = "import torch; torch.nn.Linear(64, 64)(torch.ones(64, 64)); torch.nn.Conv2d(64, 64, 3)(torch.ones(2, 64, 64, 64))"
    environment = dict(os.environ, ONEDNN_VERBOSE="1")
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return next((line.split("isa:", 1)[1] for line in said.stdout.splitlines() if "isa:" in line), "unknown")


def openvino_functions(options, networks, step, decode):
    import openvino
    torch, side = networks.torch, options.size // 8
    context, pooled = networks.encode("a")
    names = list(networks.conditions(context, pooled, options.size))
    values = [value.float() for value in networks.conditions(context, pooled, options.size).values()]
    for network in (networks.unet, networks.vae):
        network.float()

    class Traced(torch.nn.Module):
        """A function of the parameters of `network`, which tracing must find here."""

        def __init__(self, network, function):
            super().__init__()
            self.network, self.function = network, function

        def forward(self, *tensors):
            return self.function(*tensors)

    def by_name(sample, timestep, *rest):
        return step(sample, timestep, dict(zip(names, rest)))

    settings = {"INFERENCE_PRECISION_HINT": options.dtype, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": options.threads}
    latent, timestep = torch.randn(1, 4, side, side), torch.tensor(499)
    inputs = (latent, timestep, *values)
    core, compiled = openvino.Core(), []
    for network, function, example in ((networks.unet, by_name, inputs), (networks.vae, decode, (latent,))):
        model = openvino.convert_model(Traced(network, function), example_input=example, input=[list(each.shape) for each in example])
        compiled.append(core.compile_model(model, "CPU", settings))
        del model
    networks.unet.to("meta")
    run_step, run_decode = compiled
    kernels = sorted({str(node.get_rt_info()["primitiveType"].astype(str)) for node in run_step.get_runtime_model().get_ops()
                      if "primitiveType" in node.get_rt_info()})
    says = {"openvino": openvino.__version__, "kernels": [name for name in kernels if "avx" in name or "amx" in name or "sse" in name]}

    def ask(function, *tensors):
        return torch.from_numpy(function([tensor.numpy() for tensor in tensors])[0])
    return (lambda sample, at, rest: ask(run_step, sample.float(), at, *(value.float() for value in rest.values())),
            lambda z: ask(run_decode, z.float()), says)


def draw(options, networks, step, decode, number):
    """One picture with its times: text, each step, decoding, and all of it with the saving."""
    from PIL import Image
    torch, side = networks.torch, options.size // 8
    clock, started = time.perf_counter, time.perf_counter()
    context, pooled = networks.encode(f"a lighthouse at dusk, {number}")
    networks.wait()
    text = clock() - started
    conditions = networks.conditions(context, pooled, options.size)
    generator = torch.Generator().manual_seed(number)
    sample = networks.place(torch.randn(1, 4, side, side, generator=generator))
    networks.scheduler.set_timesteps(options.steps, device=networks.device)
    steps = []
    for timestep in networks.scheduler.timesteps:
        before = clock()
        output = step(sample, timestep, conditions).to(networks.dtype)
        networks.wait()
        steps.append(clock() - before)
        sample, clean = networks.scheduler.step(output, timestep, sample, generator=generator, return_dict=False)
        sample = networks.place(sample)
    before = clock()
    picture = decode(networks.place(clean / networks.vae.config.scaling_factor))
    networks.wait()
    decoded = clock() - before
    pixels = ((picture.float()[0] / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().cpu()
    Image.fromarray(pixels.numpy()).save(options.out)
    return {"text_s": text, "step_s": steps, "decode_s": decoded, "picture_s": clock() - started}


def anonymous_bytes():
    for line in pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def tell(answer):
    print(json.dumps(answer), flush=True)


def warm(options):
    try:
        networks = Networks(options.model, options.dtype, options.device)
        with networks.torch.inference_mode():
            networks.torch.set_num_threads(options.threads)
            step, decode, says = engine_functions(options, networks)
            draw(options, networks, step, decode, 0)
            tell({"ready": says, "load_s": time.perf_counter() - STARTED})
            for number, _ in enumerate(sys.stdin, 1):
                tell({**draw(options, networks, step, decode, number), "anonymous_bytes": anonymous_bytes()})
    except Exception as error:  # whatever a peer does not do is told, and the others go on
        tell({"missing": f"{type(error).__name__}: {error}".splitlines()[0][:200]})
        sys.exit(3)


def cold(options):
    try:
        import diffusers
        import torch
        torch.set_num_threads(options.threads)
        settings = {"torch_dtype": {"bf16": torch.bfloat16, "f32": torch.float32}[options.dtype]}
        pipe = diffusers.DiffusionPipeline.from_pretrained(options.model, **settings)
        pipe.to(options.device)
        pipe.set_progress_bar_config(disable=True)
        for network in (pipe.unet, pipe.vae):
            network.to(memory_format=torch.channels_last)
        if hasattr(pipe.vae.config, "force_upcast"):
            pipe.vae.register_to_config(force_upcast=False)
        generator = torch.Generator().manual_seed(0)
        guidance = 8.0 if pipe.unet.config.time_cond_proj_dim else 1.0
        pipe("a lighthouse at dusk", num_inference_steps=options.steps, guidance_scale=guidance, width=options.size, height=options.size,
             generator=generator).images[0].save(options.out)
        tell({"picture_s": time.perf_counter() - STARTED})
    except Exception as error:
        tell({"missing": f"{type(error).__name__}: {error}".splitlines()[0][:200]})
        sys.exit(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("cold", cold), ("warm", warm)):
        command = commands.add_parser(name)
        command.add_argument("model")
        command.add_argument("--dtype", choices=("bf16", "f32"), default="bf16")
        command.add_argument("--device", default="cpu")
        command.add_argument("--size", type=int, default=512)
        command.add_argument("--steps", type=int, default=4)
        command.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
        command.add_argument("--out", default="picture.png")
        command.set_defaults(run=run)
        if name == "warm":
            command.add_argument("--engine", choices=ENGINES, required=True)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
