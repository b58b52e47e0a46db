"""lcm-stylize: styles added to records, and what it tells of adapter files."""
import json
import shutil

import adapters
import harness
import records
from adapters import KOHYA, KOHYA_TE, LORAS, PEFT_FOLDER, SDXL
from harness import DATA, NO_INPUT, SD15, STYLIZE, USAGE, denoise, encode


def stylize(*arguments):
    return [STYLIZE, "-t1", *arguments]


class Styles(harness.ToolTest):
    def styled(self, *arguments, stdin=None):
        stdin = harness.sample("cond", SD15) if stdin is None else stdin
        return self.run_ok(stylize(*arguments), stdin=stdin).out

    def test_a_template_is_what_encode_would_make_of_the_whole_prompt(self):
        record = records.parse(self.styled("--template", "oil painting of {prompt}, {prompt}!"))[0]
        whole = records.parse(self.run_ok(encode("oil painting of a red apple, a red apple!", model=SD15)).out)[0]
        self.assertEqual("oil painting of a red apple, a red apple!", record.metadata["lcm.prompt"])
        self.assertEqual(whole.tensors, record.tensors)
        self.assertNotIn("lcm.adapters", record.metadata)

    def test_an_adapter_here_is_one_given_to_encode(self):
        for lora in (KOHYA, KOHYA_TE + ":0.5"):
            here = records.parse(self.styled("--lora", lora, "--no-history"))[0]
            there = records.parse(self.run_ok(encode("a red apple", "--lora", lora, "--no-history", model=SD15)).out)[0]
            self.assertEqual(there.tensors, here.tensors)
            self.assertEqual(there.metadata["lcm.adapters"], here.metadata["lcm.adapters"])

    def test_a_pipe_with_a_style_in_it(self):
        flags = ("--steps", 2, "-s", 3)
        piped = self.pipe_ok(encode("a red apple", model=SD15), stylize("--lora", KOHYA_TE), denoise(*flags))
        direct = self.pipe_ok(encode("a red apple", "--lora", KOHYA_TE, model=SD15), denoise(*flags))
        self.assertEqual(records.parse(direct)[0].tensors, records.parse(piped)[0].tensors)

    def test_styles_stand_in_a_row(self):
        once = self.styled("--lora", KOHYA)
        twice = records.parse(self.styled("--lora", PEFT_FOLDER + ":0.3", "--template", "{prompt} in oil", stdin=once))[0]
        self.assertEqual([("kohya", 1), ("peft_native", 0.3)], [(e["id"], e["weight"]) for e in json.loads(twice.metadata["lcm.adapters"])])
        self.assertEqual("a red apple in oil", twice.metadata["lcm.prompt"])

    def test_unknown_tensors_and_keys_pass(self):
        record = records.parse(harness.sample("cond", SD15))[0]
        record.tensors["own"] = records.f32((2,), [1, 2])
        record.metadata["mine"] = "yes"
        styled = records.parse(self.styled("--lora", KOHYA, stdin=records.write([record])))[0]
        self.assertEqual((record.tensors["own"], "yes"), (styled.tensors["own"], styled.metadata["mine"]))

    def test_what_it_refuses(self):
        cond = harness.sample("cond", SD15)
        self.run_fails(stylize(), USAGE, "no style is given", stdin=cond)
        self.run_fails(stylize("--template", "oil"), USAGE, ("--template", "no place for the prompt"), stdin=cond)
        self.run_fails(stylize("--lora", "missing"), NO_INPUT, "missing", stdin=cond)
        self.run_fails(stylize("--lora", SDXL), DATA, (SDXL, "tensor"), stdin=cond)
        self.run_fails(stylize("--lora", KOHYA), DATA, ("record 0", "already being denoised"), stdin=harness.sample("latent", SD15))
        record = records.parse(cond)[0]
        del record.metadata["lcm.prompt"]
        self.run_fails(stylize("--template", "{prompt}"), DATA, ("record 0", "lcm.prompt"), stdin=records.write([record]))

    def test_a_dry_run_tells_the_adapters(self):
        plan = json.loads(self.run_ok(stylize("--lora", KOHYA, "--dry-run", "--json"), stdin=harness.sample("cond", SD15)).out)
        self.assertEqual((1, [f"adapter kohya from {KOHYA}"]), (plan["records"], plan["details"]))


class Told(harness.ToolTest):
    def info(self, *arguments):
        return json.loads(self.run_ok([STYLIZE, "info", "-t1", "--json", *arguments]).out)

    def test_format_rank_alpha_and_targets(self):
        for name, family, formats, ranks, alphas in (
                ("kohya", "sd15", {"LoRA, kohya names"}, [4, 5, 6], [3]), ("kohya_sdxl_sgm", "sdxl", {"LoRA, kohya names"}, None, [3]),
                ("peft_metadata_alpha", "sd15", {"LoRA, PEFT names"}, [4], [3]), ("loha", "sd15", {"LoHa"}, [4], [3]),
                ("diffusers_old", "sd15", {"LoRA, old diffusers names"}, [4], []), ("diff", "sd15", {"full difference"}, [0], [])):
            told = self.info(str(LORAS / f"{name}.safetensors"))
            self.assertEqual((family, formats, alphas, []), (told["family"], set(told["formats"]), told["alphas"], told["unused"]), name)
            if ranks is not None:
                self.assertEqual(ranks, told["ranks"], name)
        self.assertTrue(self.info(str(LORAS / "dora.safetensors"))["dora"])

    def test_the_norm_of_a_block(self):
        path = adapters.write(self.path("a.safetensors"), {"lora_unet_conv_in.diff_b": ((16,), 1), "lora_unet_conv_out.diff_b": ((4,), 3),
                                                           "lora_te_text_model_encoder_layers_1_mlp_fc1.diff_b": ((25,), 2)})
        blocks = {(block["network"], block["block"]): block["norm"] for block in self.info(path)["blocks"]}
        self.assertEqual({("unet", "conv_in"): 4, ("unet", "conv_out"): 6, ("text_encoder", "layers.1"): 10}, blocks)

    def test_against_a_model(self):
        self.assertEqual({"unet": 16}, self.info(KOHYA, "-m", SD15)["targets"])
        self.run_fails([STYLIZE, "info", "-t1", SDXL, "-m", SD15], DATA, (SDXL, "tensor"))

    def test_for_people(self):
        text = self.run_ok([STYLIZE, "info", "-t1", KOHYA_TE]).out.decode()
        for word in ("LoRA, kohya names", "sd15", "text_encoder", "layers.0", "down_blocks.0", "mid_block"):
            self.assertIn(word, text)

    def test_the_list(self):
        self.path("a").mkdir()
        shutil.copy(KOHYA, self.path("a/oil.safetensors"))
        shutil.copytree(PEFT_FOLDER, self.path("a/ink"))
        self.write("a/broken.safetensors", b"x")
        adapters.write(self.path("a/model.safetensors"), {"weights": ((1,), 1)})
        out = self.run_ok([STYLIZE, "list", "--json"], env={"LCM_MODEL_PATH": "missing:a"}).out
        self.assertEqual([("ink", "a/ink/adapter_model.safetensors"), ("oil", "a/oil.safetensors")],
                         [(line["name"], line["file"]) for line in map(json.loads, out.splitlines())])

    def test_no_adapter(self):
        path = adapters.write(self.path("a.safetensors"), {"weights": ((1,), 1)})
        self.run_fails([STYLIZE, "info", "-t1", path], DATA, (path, "no tensor that an adapter has"))
        self.run_fails([STYLIZE, "info", "-t1", "nothing"], NO_INPUT, "nothing")


if __name__ == "__main__":
    harness.main()
