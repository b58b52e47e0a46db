"""Adapters of the LoRA family on the command line: `--lora`, marks in prompts, what a record lists, and what is refused."""
import hashlib
import json
import pathlib
import shutil

import adapters
import harness
import records
from adapters import KOHYA, KOHYA_TE, PEFT_FOLDER, SDXL
from harness import DATA, LCM, NO_INPUT, SD15, USAGE, denoise, encode

STEPS = ("--steps", 2)


def sd15(*arguments):
    return encode("-p", "a red apple", *arguments, model=SD15)


class Lora(harness.ToolTest):
    def drawn(self, *arguments, stdin=None, seed=7):
        """The record that lcm-denoise makes."""
        stdin = harness.sample("cond", SD15) if stdin is None else stdin
        return records.parse(self.run_ok(denoise(*STEPS, "-s", seed, *arguments), stdin=stdin).out)[0]

    def latent(self, *arguments, stdin=None):
        return self.drawn(*arguments, stdin=stdin).tensors["latent"]

    def listed(self, record):
        return json.loads(record.metadata.get("lcm.adapters", "[]"))

    def test_it_is_listed_by_hash_with_sorted_keys(self):
        record = self.drawn("--lora", KOHYA + ":0.8", "--blocks", "down:0.5")
        text = record.metadata["lcm.adapters"]
        entry, = json.loads(text)
        self.assertEqual({"blocks": "down:0.5", "file": KOHYA, "id": "kohya", "kind": "lora", "schedule": "", "weight": 0.8,
                          "sha256": hashlib.sha256(pathlib.Path(KOHYA).read_bytes()).hexdigest()}, entry)
        self.assertEqual(text, json.dumps([entry], sort_keys=True, separators=(",", ":")))

    def test_weights_and_blocks_count(self):
        plain = self.latent()
        seen = [plain]
        for flags in ([KOHYA], [KOHYA + ":0.5"], [KOHYA + ":-0.5"], [KOHYA, "--blocks", "up:0"], [KOHYA, "--blocks", "down.0:0"]):
            latent = self.latent("--lora", *flags)
            self.assertNotIn(latent, seen, flags)
            seen.append(latent)
        for flags in ([KOHYA + ":0"], [KOHYA, "--blocks", "down:0,mid:0,up:0,conv_in:0,time_embedding:0"]):
            self.assertEqual(plain, self.latent("--lora", *flags), flags)

    def test_two_add_up_in_any_order(self):
        both = self.latent("--lora", KOHYA, "--lora", PEFT_FOLDER + ":-0.3")
        for one in self.latent("--lora", KOHYA), self.latent("--lora", PEFT_FOLDER + ":-0.3"):
            self.assertNotEqual(one, both)
        halves = self.latent("--lora", KOHYA + ":0.5", "--lora", KOHYA + ":0.5").floats()
        for one, other in zip(halves, self.latent("--lora", KOHYA).floats()):
            self.assertAlmostEqual(one, other, delta=1e-4)

    def test_at_run_time_it_is_the_same_within_rounding(self):
        merged = self.latent("--lora", KOHYA).floats()
        beside = self.latent("--lora", KOHYA, "--lora-mode", "runtime").floats()
        size = max(map(abs, merged))
        self.assertLess(max(abs(a - b) for a, b in zip(merged, beside)), 1e-4 * size)

    def test_the_next_record_may_want_others(self):
        styled = self.run_ok(["lcm-stylize", "-t1", "--lora", KOHYA], stdin=harness.sample("cond", SD15)).out
        plain, other = harness.sample("cond", SD15), self.run_ok(["lcm-stylize", "-t1", "--lora", KOHYA + ":-1"], stdin=styled).out
        parsed = [records.parse(one)[0] for one in (styled, plain, styled, other)]
        out = records.parse(self.run_ok(denoise("--steps", 2, "-s", 7), stdin=records.write(parsed)).out)
        alone = [self.drawn(seed=7 + i, stdin=one).tensors["latent"] for i, one in enumerate((styled, plain, styled, other))]
        self.assertEqual(alone, [record.tensors["latent"] for record in out])

    def test_a_stopped_run_goes_on_with_its_adapters(self):
        whole = self.latent("--lora", KOHYA)
        first = self.run_ok(denoise(*STEPS, "-s", 7, "--to", 1, "--lora", KOHYA), stdin=harness.sample("cond", SD15)).out
        rest = records.parse(self.run_ok(denoise(), stdin=first).out)[0]
        self.assertEqual(whole, rest.tensors["latent"])
        self.run_fails(denoise("--lora", KOHYA), USAGE, ("--lora", "begun"), stdin=first)


class Text(harness.ToolTest):
    def test_encode_applies_it_to_the_text_and_denoise_to_the_rest(self):
        out = self.run_ok(sd15("--lora", KOHYA_TE + ":0.5")).out
        record = records.parse(out)[0]
        entry, = json.loads(record.metadata["lcm.adapters"])
        self.assertTrue(entry["text"])
        plain = records.parse(harness.sample("cond", SD15))[0]
        self.assertNotEqual(plain.tensors["text.embeds"], record.tensors["text.embeds"])
        self.assertEqual(plain.tensors["text.ids"], record.tensors["text.ids"])
        self.run_ok(denoise(*STEPS), stdin=out)

    def test_an_adapter_of_the_unet_alone_leaves_the_text(self):
        record = records.parse(self.run_ok(sd15("--lora", KOHYA)).out)[0]
        self.assertEqual(records.parse(harness.sample("cond", SD15))[0].tensors, record.tensors)
        self.assertNotIn("text", json.loads(record.metadata["lcm.adapters"])[0])

    def test_text_that_was_encoded_without_it_is_refused(self):
        cond = harness.sample("cond", SD15)
        self.run_fails(denoise("--lora", KOHYA_TE), DATA, ("record 0", "\"kohya_te\"", "without it"), stdin=cond)
        self.run_ok(denoise(*STEPS, "--lora", KOHYA_TE, "--blocks", "text:0"), stdin=cond)


class Prompt(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.path("loras").mkdir()
        shutil.copy(KOHYA, self.path("loras/style.safetensors"))
        self.there = {"LCM_MODEL_PATH": str(self.path("loras"))}

    def test_a_mark_is_taken_out_and_becomes_an_entry(self):
        record = records.parse(self.run_ok(encode("a red <lora:style:-0.8> apple<lora:style>", model=SD15), env=self.there).out)[0]
        self.assertEqual("a red apple", record.metadata["lcm.prompt"])
        self.assertEqual([("style", -0.8), ("style", 1)], [(e["id"], e["weight"]) for e in json.loads(record.metadata["lcm.adapters"])])
        self.assertEqual(records.parse(harness.sample("cond", SD15))[0].tensors["text.embeds"], record.tensors["text.embeds"])

    def test_a_prompt_names_no_path(self):
        for name in ("../loras/style", str(self.path("loras/style.safetensors")), "loras/style.safetensors", "..", "stile"):
            self.run_fails(encode(f"<lora:{name}:1> x", model=SD15), DATA, ("record 0", "none of that name"), env=self.there)

    def test_marks_that_are_wrong(self):
        for mark in ("<lora:style:much>", "<lora::1>", "<lora:style:1:2>", "<lora:style"):
            self.run_fails(encode(f"x {mark}", model=SD15), DATA, ("record 0", "lcm.prompt", "lora:"), env=self.there)

    def test_a_record_finds_its_adapter_by_hash(self):
        cond = self.run_ok(sd15("--lora", "style"), env=self.there).out
        expected = self.run_ok(denoise(*STEPS, "--no-history"), stdin=cond, env=self.there).out
        self.path("loras/style.safetensors").rename(self.path("loras/moved.safetensors"))
        self.run_fails(denoise(*STEPS), DATA, ("record 0", "\"style\"", "not found here"), stdin=cond, env=self.there)
        shutil.copy(PEFT_FOLDER + "/adapter_model.safetensors", self.path("loras/style.safetensors"))
        self.run_fails(denoise(*STEPS), DATA, ("record 0", "\"style\"", "not found here"), stdin=cond, env=self.there)
        self.path("other").mkdir()
        self.path("loras/moved.safetensors").rename(self.path("other/style.safetensors"))
        both = {"LCM_MODEL_PATH": f"{self.path('other')}"}
        self.assertEqual(expected, self.run_ok(denoise(*STEPS, "--no-history"), stdin=cond, env=both).out)


class Refused(harness.ToolTest):
    def fails(self, code, says, *flags):
        self.run_fails(denoise(*STEPS, *flags), code, says, stdin=harness.sample("cond", SD15))

    def test_flags(self):
        self.fails(USAGE, ("--lora", "no weight"), "--lora", KOHYA + ":much")
        self.fails(USAGE, ("--lora", "names no adapter"), "--lora", ":0.5")
        self.fails(USAGE, ("--blocks", "\"down\""), "--lora", KOHYA, "--blocks", "down")
        self.fails(DATA, "the model has no block \"left\"", "--lora", KOHYA, "--blocks", "left:1")
        self.fails(NO_INPUT, "missing", "--lora", "missing")

    def test_files_of_another_model(self):
        self.fails(DATA, (SDXL, "tensor \"lora_", "[", "of the model's"), "--lora", SDXL)
        path = adapters.write(self.path("a.safetensors"), {"lora_unet_conv_in.lora_down.weight": ((1, 4, 3, 3), 1),
                                                           "lora_unet_conv_in.lora_up.weight": ((320, 1, 1, 1), 1)})
        self.fails(DATA, (path, "lora_unet_conv_in", "[320,4,3,3]", "[16,4,3,3]"), "--lora", path)

    def test_unused_tensors_may_be_allowed(self):
        path = adapters.write(self.path("a.safetensors"), {"lora_unet_conv_in.diff_b": ((16,), 1), "lora_unet_new.alpha": ((1,), 1)})
        self.fails(DATA, (path, "1 of its tensors is not used", "lora_unet_new.alpha"), "--lora", path)
        result = self.run_any(denoise(*STEPS, "--lora", path, "--allow-unused"), stdin=harness.sample("cond", SD15))
        self.assertEqual((0, 1), (result.code, len(result.lines)), result)
        self.assertIn("lora_unet_new.alpha", result.lines[0])

    def test_a_pickle(self):
        path = self.write("a.pt", b"\x80\x02}q\x01(X\x05")
        self.fails(harness.REFUSED, (str(path), "pickle"), "--lora", str(path))

    def test_a_list_that_is_wrong(self):
        record = records.parse(harness.sample("cond", SD15))[0]
        for text in ("{}", '[{"kind":"lora"}]', '[{"kind":"lora","sha256":"x"}]', '[{"kind":"fog","sha256":"' + 64 * "a" + '"}]'):
            record.metadata["lcm.adapters"] = text
            self.run_fails(denoise(*STEPS), DATA, "record 0", stdin=records.write([record]))

    def test_a_model_with_other_names(self):
        self.run_fails(denoise("--lora", KOHYA), DATA, KOHYA, stdin=harness.sample("cond", LCM))


if __name__ == "__main__":
    harness.main()
