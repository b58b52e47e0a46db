"""What a request may say beside its prompt: each setting draws what the flag of that name draws, and flags may only repeat it."""
import json
import shutil

import harness
import records
from adapters import KOHYA, KOHYA_TE
from harness import DATA, ENCODE, SD15, TESTDATA, USAGE, denoise, encode

PHOTO = str(TESTDATA / "golden/images/init.png")


class Settings(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.path("loras").mkdir()
        for name, file in (("oil", KOHYA), ("words", KOHYA_TE)):
            shutil.copy(file, self.path(f"loras/{name}.safetensors"))
        self.installed = {"LCM_MODEL_PATH": str(self.path("loras"))}

    def asked(self, **request):
        line = json.dumps({"prompt": "a (red:1.3) apple", "seed": 5, "steps": 3, **request}).encode()
        return self.run_ok([ENCODE, "-t1", "-m", SD15, "--requests", "-"], stdin=line, env=self.installed).out

    def drawn(self, stream, *flags):
        return records.parse(self.run_ok(denoise(*flags), stdin=stream, env=self.installed).out)[0]

    def by_flags(self, *flags, text=()):
        stream = self.run_ok(encode("-p", "a (red:1.3) apple", *text, model=SD15), env=self.installed).out
        return self.drawn(stream, "-s", 5, "--steps", 3, *flags)

    def expect_same(self, one, other):
        self.assertEqual(one.tensors, other.tensors)
        for key in ("sampler", "schedule", "timesteps", "adapters", "rng", "eta", "clip_skip", "prompt_weights"):
            self.assertEqual(one.metadata.get(f"lcm.{key}"), other.metadata.get(f"lcm.{key}"), key)

    def test_settings_of_the_steps(self):
        plain = self.drawn(self.asked()).tensors["latent"]
        for request, flags in (({"sampler": "euler-karras"}, ["--sampler", "euler-karras"]),
                               ({"sampler": "ddim", "eta": 0.5}, ["--sampler", "ddim", "--eta", 0.5]),
                               ({"timesteps": [999, 599, 99]}, ["--timesteps", "999,599,99"]), ({"rng": "philox"}, ["--rng", "philox"]),
                               ({"sampler": "euler", "sigmas": [14.0, 5.0, 1.0, 0]}, ["--sampler", "euler", "--sigmas", "14,5,1,0"])):
            drawn = self.drawn(self.asked(**request))
            self.assertNotEqual(plain, drawn.tensors["latent"], request)
            self.expect_same(self.by_flags(*flags), drawn)
            self.drawn(self.asked(**request), *flags)  # flags may repeat it

    def test_settings_of_the_text(self):
        for request, text in (({"clip_skip": 1}, ["--clip-skip", 1]), ({"prompt_syntax": "a1111"}, ["--prompt-syntax", "a1111"])):
            self.expect_same(self.by_flags(text=text), self.drawn(self.asked(**request)))

    def test_adapters_by_name(self):
        for adapters, text in ((["oil:0.5"], ["--lora", "oil:0.5"]),
                               ([{"id": "oil", "weight": 0.5, "blocks": "up:0"}], ["--lora", "oil:0.5", "--blocks", "up:0"]),
                               (["words", "oil:-0.3"], ["--lora", "words", "--lora", "oil:-0.3"])):
            self.expect_same(self.by_flags(text=text), self.drawn(self.asked(adapters=adapters)))

    def test_strength_waits_for_a_picture(self):
        stream = self.asked(strength=0.5, strength_rule="stretch")
        self.run_fails(denoise(), DATA, ["record 0", "lcm.strength", "latent.init"], stdin=stream)
        begun = self.run_ok([ENCODE, "image", "-t1", "-m", SD15, "-i", "-", PHOTO], stdin=stream).out
        record = self.drawn(begun)
        self.assertEqual(("0.5", "stretch", "3"), tuple(record.metadata[f"lcm.{key}"] for key in ("strength", "strength_rule", "steps")))
        self.assertEqual(6, json.loads(record.metadata["lcm.schedule"])["num_inference_steps"])
        half = self.run_ok(denoise("--to", 1), stdin=begun).out
        self.assertEqual(record.tensors, self.drawn(half).tensors)

    def test_flags_that_contradict_a_request(self):
        for request, flags in (({"sampler": "euler"}, ["--sampler", "ddim"]), ({"rng": "philox"}, ["--rng", "torch-cpu"]),
                               ({}, ["--steps", 4]),
                               ({"timesteps": [999, 599, 99]}, ["--timesteps", "999,499,99"])):
            self.run_fails(denoise(*flags), USAGE, ["contradicts the record"], stdin=self.asked(**request))


if __name__ == "__main__":
    harness.main()
