"""lcm-optimize: what a model holds, and the same model in another number type."""
import json
import pathlib
import struct

import harness
import records
from harness import CANNOT_CREATE, DATA, NO_INPUT, OPTIMIZE, REFUSED, USAGE, denoise, encode, render

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def weights(path):
    """dtype, shape and bytes of each tensor of a weight file, by name."""
    file = path.read_bytes()
    data = 8 + int.from_bytes(file[:8], "little")
    header = json.loads(file[8:data])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], file[data:][slice(*entry["data_offsets"])]) for name, entry in header.items()}


class Inspect(harness.ToolTest):
    def inspect(self, *arguments):
        return json.loads(self.run_ok([OPTIMIZE, "inspect", "--json", *arguments]).out)

    def test_a_model_with_a_guidance_embedding(self):
        report = self.inspect(harness.LCM)
        self.assertEqual((harness.LCM, "sd15", True), (report["model"], report["family"], report["full_lcm"]))
        self.assertEqual({"width": 64, "height": 64, "steps": 4, "guidance": 8}, report["defaults"])
        self.assertEqual({"text_encoder", "unet", "vae"}, {part["name"] for part in report["parts"]})

    def test_a_model_without(self):
        report = self.inspect("-m", harness.SD15)
        self.assertEqual(("sd15", False, 1), (report["family"], report["full_lcm"], report["defaults"]["guidance"]))

    def test_the_default_is_the_embedded_model(self):
        report = self.inspect()
        self.assertEqual("emoji-128", report["model"])
        self.assertEqual((128, 128), (report["defaults"]["width"], report["defaults"]["height"]))

    def test_for_people(self):
        said = self.run_ok([OPTIMIZE, "inspect", harness.LCM]).out.decode()
        for text in ("sd15", "text_encoder", "unet", "vae", "F32"):
            self.assertIn(text, said)

    def test_faults(self):
        missing = self.run_fails([OPTIMIZE, "inspect", "missing"], NO_INPUT, "missing")
        self.assertIn("emoji-128", missing.lines[1])
        broken = self.copy_model()
        weights = self.path(broken) / WEIGHTS
        weights.write_bytes(weights.read_bytes()[:-1])
        self.run_fails([OPTIMIZE, "inspect", broken], DATA, [WEIGHTS, "truncated"])


class Convert(harness.ToolTest):
    def convert(self, kind, *arguments):
        self.run_ok([OPTIMIZE, "convert", harness.LCM, "--dtype", kind, "-o", "out", *arguments])
        return json.loads(self.run_ok([OPTIMIZE, "inspect", "--json", "out"]).out)

    def test_half_the_bytes_and_the_same_numbers(self):
        before = json.loads(self.run_ok([OPTIMIZE, "inspect", "--json", harness.LCM]).out)["count"]
        after = self.convert("bf16")["count"]
        self.assertEqual((before["parameters"], before["bytes"] // 2), (after["parameters"], after["bytes"]))
        self.assertEqual(["BF16"], list(after["dtypes"]))

    def test_the_result_draws(self):
        self.convert("f16")
        self.assertTrue(self.pipe_ok(encode("x", model="out"), denoise("--steps", 1), render()).startswith(b"\x89PNG"))

    def test_f32_to_f32_changes_no_number(self):
        self.convert("f32")
        before, after = (weights(pathlib.Path(model) / WEIGHTS) for model in (harness.LCM, self.path("out")))
        self.assertEqual(before, after)

        # Equal numbers draw equal pictures, although they lie elsewhere in their files.
        def latent(model):
            return records.parse(self.pipe_ok(encode("x", model=model), denoise("--steps", 1)))[0].tensors["latent"]

        self.assertEqual(latent(harness.LCM), latent("out"))

    def test_equal_models_give_equal_files(self):
        self.convert("bf16")
        self.run_ok([OPTIMIZE, "convert", "out", "--dtype", "f32", "-o", "wide"])
        self.run_ok([OPTIMIZE, "convert", "wide", "--dtype", "bf16", "-o", "again"])
        files = {path.relative_to(self.path("out")) for path in self.path("out").rglob("*") if path.is_file()}
        self.assertIn(pathlib.Path(WEIGHTS), files)
        for name in files:
            self.assertEqual((self.path("out") / name).read_bytes(), (self.path("again") / name).read_bytes(), name)

    def test_an_existing_folder_is_kept_unless_forced(self):
        self.path("out").mkdir()
        self.run_fails([OPTIMIZE, "convert", harness.LCM, "--dtype", "bf16", "-o", "out"], CANNOT_CREATE, "out")
        self.assertEqual([], list(self.path("out").iterdir()))
        self.path("out").rmdir()
        self.convert("bf16")
        self.assertEqual(["F16"], list(self.convert("f16", "--force")["count"]["dtypes"]))

    def test_lenient_reaches_both(self):
        model = self.copy_model()
        weights = self.path(model) / WEIGHTS
        header, data = weights.read_bytes()[8:], b""
        length = struct.unpack("<Q", weights.read_bytes()[:8])[0]
        header, data = header[:length], header[length:]
        odd = header.rstrip().replace(b'"dtype"', b'"note":"x","dtype"', 1)
        weights.write_bytes(struct.pack("<Q", len(odd)) + odd + data)
        for arguments in (["inspect", model], ["convert", model, "--dtype", "f16", "-o", "out"]):
            self.run_fails([OPTIMIZE, *arguments], DATA, [WEIGHTS, "note"])
            result = self.run_any([OPTIMIZE, *arguments, "--lenient"])
            self.assertEqual(0, result.code, result)
            self.assertIn("note", result.err.decode())
        self.run_ok([OPTIMIZE, "inspect", "out"])

    def test_a_killed_run_is_cleaned_up_after(self):
        stale = self.path(".lcm-0123456789abcdef.tmp")
        (stale / "unet").mkdir(parents=True)
        self.convert("bf16")
        self.assertFalse(stale.exists())

    def test_a_failure_leaves_nothing(self):
        broken = self.copy_model()
        weights = self.path(broken) / WEIGHTS
        weights.write_bytes(weights.read_bytes()[:-1])
        self.run_fails([OPTIMIZE, "convert", broken, "--dtype", "bf16", "-o", "out"], DATA, WEIGHTS)
        self.run_fails([OPTIMIZE, "convert", harness.LCM, "--dtype", "bf16", "-o", "missing/out"], CANNOT_CREATE, "missing/out")
        self.run_fails([OPTIMIZE, "convert", broken, "--dtype", "bf16", "-o", f"{broken}/inside"], USAGE, "inside")
        self.assertEqual([broken], self.names())


class ForeignModels(harness.ToolTest):
    """What lies in the place of a model or of its weights is named, and a pickle is never opened."""

    def spoiled(self, name, data):
        """A model whose UNet weights are the file `name` with this content."""
        folder = pathlib.Path(self.copy_model(name=f"model-{len(self.names())}"))
        (self.path(folder) / WEIGHTS).unlink()
        (self.path(folder) / "unet" / name).write_bytes(data)
        return str(folder)

    def test_weights(self):
        safe = "diffusion_pytorch_model.safetensors"
        cases = [(self.spoiled(name, data), code, says) for name, data, code, says in (
            ("diffusion_pytorch_model.bin", b"PK\3\4" + bytes(100), REFUSED, "pickle"),
            (safe, b"\x80\x04\x95" + bytes(100), REFUSED, "pickle"),
            (safe, b"PK\3\4" + bytes(100), REFUSED, "zip"),
            (safe, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", DATA, "Git-LFS pointer"),
            (safe, b"<!DOCTYPE html><html></html>", DATA, "HTML"),
            (safe, b"", DATA, "empty"),
        )]
        self.each(lambda model, code, says: self.run_fails([OPTIMIZE, "inspect", model], code, says), cases)
        stream = harness.sample("cond")
        self.each(lambda model, code, says: self.run_fails(denoise("-m", model), code, says, stdin=stream), cases[:1])

    def test_a_file_in_the_place_of_the_folder(self):
        def check(name, data, code, says):
            self.write(name, data)
            self.run_fails([OPTIMIZE, "inspect", name], code, [name, says])

        self.each(check, [
            ("model.ckpt", b"\x80\x02" + bytes(100), REFUSED, "pickle"),
            ("model.gguf", b"GGUF" + bytes(100), DATA, "GGUF"),
            ("model.txt", b"hello", DATA, "safetensors"),
        ])


if __name__ == "__main__":
    harness.main()
