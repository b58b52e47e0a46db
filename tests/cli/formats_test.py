"""Input that is not ours: plain safetensors, latents of ComfyUI; and the checks that a user may leave out. Values are computed here."""
import json
import struct

import harness
import records
from harness import DATA, LCM, RENDER, USAGE, denoise, encode, render

SHAPE = [4, 8, 8]
COUNT = 256
COMFY_SCALE = 0.18215


def safetensors(tensors, metadata=None):
    """A plain file: names to tensors, in this order."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [len(data), len(data) + len(tensor.data)]}
        data += tensor.data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(data):
    (length,) = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    header.pop("__metadata__", None)
    return {name: records.Tensor(entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])]) for name, entry in header.items()}


def ramp(scale, shift=0.0):
    """Values of a latent that is easy to make again."""
    return [scale * ((index * 37 % 101) / 50 - 1) + shift for index in range(COUNT)]


def latent_record(values, space):
    return records.Record({"latent": records.f32(SHAPE, values)},
                          {"lcm.kind": "latent", "lcm.latent_space": space, "lcm.layout": "CHW", "lcm.vae_scale": str(COMFY_SCALE)})


def comfy_file(batch, marker=True):
    """What ComfyUI's SaveLatent writes."""
    tensors = {"latent_tensor": records.f32([len(batch), *SHAPE], [value for values in batch for value in values])}
    if marker:
        tensors["latent_format_version_0"] = records.f32([0], [])
    return safetensors(tensors, {"prompt": "{}"})


class FormatTest(harness.ToolTest):
    BARE = ("-m", LCM, "--metadata", "none", "--no-provenance")

    def picture(self, stdin, *flags):
        return self.run_ok(render(*self.BARE, *flags), stdin=stdin).out

    def picture_of(self, values, space="scaled"):
        return self.picture(records.write([latent_record(values, space)]))


class Assumed(FormatTest):
    def test_a_plain_latent_under_any_name_and_rank(self):
        tensor = records.f32(SHAPE, ramp(1))
        expected = self.picture_of(ramp(1))
        for file in (safetensors({"latent": tensor}), safetensors({"samples": tensor}),
                     safetensors({"x": records.Tensor("F32", [1, *SHAPE], tensor.data)}),
                     safetensors({"a": records.f32([1], [7]), "latent": tensor})):
            self.assertEqual(expected, self.picture(file, "--assume", "kind=latent"))
        self.assertEqual(expected, self.picture(file, "--assume=latent"))

    def test_a_batch_becomes_as_many_records(self):
        batch = records.f32([2, *SHAPE], ramp(1) + ramp(0.5))
        self.run_ok(render(*self.BARE, "--assume", "kind=latent", "-o", "x-%d.png"), stdin=safetensors({"latent": batch}))
        self.assertEqual([self.picture_of(ramp(1)), self.picture_of(ramp(0.5))], [self.read("x-0.png"), self.read("x-1.png")])
        self.run_fails(render(*self.BARE, "--assume", "kind=latent"), USAGE, "one picture", stdin=safetensors({"latent": batch}))

    def test_conditioning(self):
        cond = records.parse(harness.sample("cond"))[0]
        file = safetensors({"text.embeds": cond.tensors["text.embeds"]})
        run = denoise("-m", LCM, "--steps", 1, "--no-history")
        ours = records.parse(self.run_ok(run, stdin=harness.sample("cond")).out)[0]
        theirs = records.parse(self.run_ok([*run, "--assume", "kind=cond"], stdin=file).out)[0]
        self.assertEqual(ours.tensors["latent"], theirs.tensors["latent"])

    def test_what_does_not_fit(self):
        two = safetensors({"a": records.f32(SHAPE, ramp(1)), "b": records.f32(SHAPE, ramp(1))})
        flat = safetensors({"a": records.f32([COUNT], ramp(1))})
        self.run_fails(render("--assume", "kind=latent"), DATA, ['"a"', '"b"', "latent"], stdin=two)
        self.run_fails(render("--assume", "kind=latent"), DATA, ['"a"', "3 dimensions"], stdin=flat)
        self.run_fails(render("--assume", "kind=soup"), USAGE, ["--assume", "soup"], stdin=flat)
        wrong = safetensors({"latent": records.Tensor("I32", [1, 1, 1], b"\0" * 4)})
        self.run_fails(render("--assume", "kind=latent"), DATA, ["latent", "I32"], stdin=wrong)

    def test_without_the_flag_the_hint_names_it(self):
        plain = safetensors({"latent": records.f32(SHAPE, ramp(1))})
        for stdin, hint in ((plain, "--assume kind=latent"), (comfy_file([ramp(1)]), "--from comfy")):
            for argv in (denoise(), render(), [RENDER, "--check"]):
                self.assertIn(hint, self.run_fails(argv, DATA, "record 0", stdin=stdin).lines[1])

    def test_our_own_records_are_what_they_say(self):
        self.assertEqual(self.picture(harness.sample("latent")), self.picture(harness.sample("latent"), "--assume", "kind=latent"))


class Comfy(FormatTest):
    def test_values_behind_a_marker_are_in_vae_space(self):
        values = ramp(1 / COMFY_SCALE)
        self.assertEqual(self.picture_of(values, "vae"), self.picture(comfy_file([values]), "--from", "comfy"))
        self.assertNotEqual(self.picture_of(values), self.picture(comfy_file([values]), "--from", "comfy"))

    def test_values_without_a_marker_are_divided_first(self):
        expected = self.picture_of([value * (1 / COMFY_SCALE) for value in records.f32(SHAPE, ramp(1)).floats()], "vae")
        self.assertEqual(expected, self.picture(comfy_file([ramp(1)], marker=False), "--from", "comfy"))

    def test_a_batch(self):
        self.run_ok(render(*self.BARE, "--from=comfy", "-o", "x-%d.png"), stdin=comfy_file([ramp(1), ramp(2), ramp(3)]))
        self.assertEqual([self.picture_of(ramp(scale), "vae") for scale in (1, 2, 3)], [self.read(f"x-{n}.png") for n in range(3)])

    def test_written_files_hold_the_latents_over_their_scale(self):
        run = denoise("--steps", 1, "-b", 2)
        ours = records.parse(self.run_ok(run, stdin=harness.sample("cond")).out)
        tensors = read_safetensors(self.run_ok([*run, "--to", "comfy"], stdin=harness.sample("cond")).out)
        self.assertEqual(["latent_format_version_0", "latent_tensor"], sorted(tensors))
        self.assertEqual(("F32", [0]), (tensors["latent_format_version_0"].dtype, tensors["latent_format_version_0"].shape))
        written = tensors["latent_tensor"]
        self.assertEqual(("F32", [2, *SHAPE]), (written.dtype, written.shape))
        wanted = [value / float(record.metadata["lcm.vae_scale"]) for record in ours[:2] for value in record.tensors["latent"].floats()]
        for found, value in zip(written.floats(), wanted, strict=True):
            self.assertAlmostEqual(value, found, delta=1e-6 * max(1, abs(value)))

    def test_round_trip_through_both_tools(self):
        run = denoise("--steps", 2, "-o", "a.latent", "--to", "comfy")
        self.run_ok(run, stdin=harness.sample("cond"))
        values = read_safetensors(self.read("a.latent"))["latent_tensor"].floats()
        self.assertEqual(self.picture_of(values, "vae"), self.picture(self.read("a.latent"), "--from", "comfy"))
        self.assertEqual(self.read("a.latent"), self.run_ok(denoise("--steps", 2, "--to", "comfy"), stdin=harness.sample("cond")).out)

    def test_what_is_no_latent_of_comfyui(self):
        plain = safetensors({"latent": records.f32(SHAPE, ramp(1))})
        flat = safetensors({"latent_tensor": records.f32([COUNT], ramp(1))})
        half = safetensors({"latent_tensor": records.Tensor("F16", [1, 1, 1, 1], b"\0\0")})
        for file, says in ((plain, '"latent_tensor"'), (flat, "[B,C,H,W]"), (half, "F32")):
            self.run_fails(render("--from", "comfy"), DATA, says, stdin=file)
        self.run_fails(render("--from", "comfu"), USAGE, "--from")
        self.run_fails(denoise("--to", "comfu"), USAGE, ["--to", "comfu"])


class Unchecked(FormatTest):
    """Flags that leave a check out; lcm-encode carries what it does not know."""

    def carry(self, tensor, *flags):
        record = records.Record({"noise": tensor}, {"lcm.kind": "noise", "lcm.prompt": "x"})
        return encode("-i", "-", *flags), records.write([record])

    def test_nan(self):
        for value, name in ((float("nan"), "NaN"), (float("inf"), "infinity")):
            values = ramp(1)
            values[77] = value
            tensor = records.f32(SHAPE, values)
            argv, stream = self.carry(tensor)
            self.run_fails(argv, DATA, ["record 0", '"noise"', "77"], stdin=stream)
            argv, stream = self.carry(tensor, "--nan=pass")
            self.assertEqual(tensor, records.parse(self.run_ok(argv, stdin=stream).out)[0].tensors["noise"], name)
        self.run_fails(self.carry(tensor, "--nan=maybe")[0], USAGE, "--nan")

    def test_checksums(self):
        tensor = records.f32(SHAPE, ramp(1))
        argv, stream = self.carry(tensor)
        broken = stream[:-1] + bytes([stream[-1] ^ 1])
        self.run_fails(argv, DATA, ["record 0", "checksum"], stdin=broken)
        carried = records.parse(self.run_ok([*argv, "--no-verify"], stdin=broken).out)[0].tensors["noise"]
        self.assertEqual(tensor.data[:-1] + broken[-1:], carried.data)

    def test_the_structure_is_checked_all_the_same(self):
        argv, stream = self.carry(records.f32(SHAPE, ramp(1)), "--no-verify", "--nan=pass")
        self.run_fails(argv, DATA, "truncated", stdin=stream[:-1])
        self.run_fails(argv, DATA, "record 0", stdin=stream[:8] + b"[" + stream[9:])


if __name__ == "__main__":
    harness.main()
