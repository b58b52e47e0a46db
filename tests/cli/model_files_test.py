"""Model files that people have: checkpoints beside folders, variants, parts of their own, prompt weights, and files that are refused."""
import shutil
import struct

import harness
import records
from harness import DATA, ENCODE, NO_INPUT, OPTIMIZE, REFUSED, TESTDATA, USAGE

MODELS = TESTDATA / "golden/models"
SD15 = MODELS / "sd15"
CHECKPOINT = MODELS / "sd15.safetensors"


def text(prompt, model, *flags):
    return [ENCODE, "text", prompt, "-m", str(model), "--no-history", *flags]


class ModelFiles(harness.ToolTest):
    def encoded(self, *arguments):
        return records.parse(self.run_ok(text(*arguments)).out)[0]

    def test_a_checkpoint_encodes_as_its_folder(self):
        for name in ("sd15", "sdxl"):
            folder, file = self.encoded("a cat", MODELS / name), self.encoded("a cat", MODELS / f"{name}.safetensors")
            self.assertEqual(folder.tensors, file.tensors)
            self.assertEqual(folder.metadata["lcm.arch"], file.metadata["lcm.arch"])

    def test_a_checkpoint_away_from_its_folder_needs_its_configuration(self):
        shutil.copy(CHECKPOINT, self.path("moved.safetensors"))
        result = self.run_fails(text("a cat", "moved.safetensors"), DATA, ("moved.safetensors", "attention heads"))
        self.assertIn("--model-config", result.lines[1])
        moved = self.encoded("a cat", "moved.safetensors", "--model-config", str(SD15))
        self.assertEqual(self.encoded("a cat", SD15).tensors, moved.tensors)

    def test_inspect_tells_of_a_checkpoint_what_it_tells_of_its_folder(self):
        folder, file = (self.run_ok([OPTIMIZE, "inspect", str(model)]).out.decode() for model in (SD15, CHECKPOINT))
        for block in ("down_blocks.0", "mid_block", "up_blocks.3", "layers.3"):
            self.assertIn(block, file)
            self.assertIn(block, folder)

    def test_a_variant(self):
        model = self.copy_model(SD15)
        weights = self.path(model) / "text_encoder" / "model.safetensors"
        shutil.copy(weights, weights.with_name("model.fp16.safetensors"))
        self.assertEqual(self.encoded("a cat", SD15).tensors, self.encoded("a cat", model, "--variant", "fp16").tensors)
        self.run_fails(text("a cat", model, "--variant", "ema"), NO_INPUT, ("text_encoder", '"ema"'))

    def test_a_part_of_its_own(self):
        own = str(SD15 / "text_encoder" / "model.safetensors")
        self.assertEqual(self.encoded("a cat", SD15).tensors, self.encoded("a cat", SD15, "--text-encoder", own).tensors)
        self.run_fails(text("a cat", SD15, "--text-encoder", str(SD15 / "unet" / "diffusion_pytorch_model.safetensors")), DATA,
                       ("diffusion_pytorch_model.safetensors", "no text_encoder"))

    def test_files_that_are_refused(self):
        self.write("model.ckpt", b"PK\x03\x04" + bytes(60))
        self.write("short.safetensors", struct.pack("<Q", 9) + b"{")
        for name, code, says in (("model.ckpt", REFUSED, "zip"), ("short.safetensors", DATA, "truncated")):
            self.run_fails(text("a", name), code, (name, says))


class PromptWeights(harness.ToolTest):
    def encoded(self, *arguments):
        return records.parse(self.run_ok(text(*arguments)).out)[0]

    def test_the_syntax_is_recorded_and_counts(self):
        plain = self.encoded("a cat", SD15)
        self.assertEqual("none", plain.metadata["lcm.prompt_weights"])
        for syntax in ("a1111", "comfy"):
            same = self.encoded("a cat", SD15, "--prompt-syntax", syntax)
            self.assertEqual(plain.tensors, same.tensors)
            self.assertEqual(syntax, same.metadata["lcm.prompt_weights"])
            self.assertNotEqual(plain.tensors, self.encoded("a (cat:1.3)", SD15, "--prompt-syntax", syntax).tensors)

    def test_clip_skip_is_recorded(self):
        self.assertEqual("1", self.encoded("a cat", SD15, "--clip-skip", "1").metadata["lcm.clip_skip"])
        self.run_fails(text("a cat", SD15, "--clip-skip", "9"), USAGE, "--clip-skip")

    def test_embeddings(self):
        self.run_fails(text("a cat", SD15, "--embedding", "style"), USAGE, "--embedding")
        wrong = str(SD15 / "text_encoder" / "model.safetensors")
        self.run_fails(text("a cat", SD15, "--embedding", "style=" + wrong), DATA, ("model.safetensors", "no embedding"))


if __name__ == "__main__":
    harness.main()
