"""Steering beside the text: ControlNets, T2I-Adapters and IP-Adapters on records with maps and features; and what is refused."""
import json

import harness
import records
from harness import DATA, LCM, NO_INPUT, SD15, TESTDATA, USAGE, denoise, encode

IMAGES, MODELS = TESTDATA / "golden/images", TESTDATA / "golden/models"
MAP, EXAMPLE = str(IMAGES / "control.png"), str(IMAGES / "ip_reference.png")
CONTROLNET, T2I, IP = str(MODELS / "controlnet"), str(MODELS / "t2iadapter"), str(MODELS / "ip-adapter/models/ip-adapter_tiny.safetensors")
IMAGE_ENCODER = str(MODELS / "ip-adapter/models/image_encoder")


def image(*arguments):
    return [harness.ENCODE, "image", "-t1", "-m", SD15, "-i", "-", *arguments]


class Steered(harness.ToolTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stream = None

    def setUp(self):
        super().setUp()
        if type(self).stream is None:
            stages = encode("-p", "a red apple", model=SD15), image(MAP, "--control-map", "edges"), image(MAP, "--control", "canny")
            stream = self.pipe_ok(*stages, image(EXAMPLE, "--image-encoder", IMAGE_ENCODER))
            type(self).stream = stream

    def drawn(self, *arguments):
        return self.run_ok(denoise("--steps", 2, "-s", 5, *arguments), stdin=self.stream).out

    def latent(self, *arguments):
        return records.parse(self.drawn(*arguments))[0].tensors["latent"]

    def refused(self, arguments, code, says, stdin=None):
        self.run_fails(denoise("--steps", 2, *arguments), code, says, stdin=self.stream if stdin is None else stdin)

    def test_each_network_changes_the_picture(self):
        flags = ([], ["--controlnet", f"edges={CONTROLNET}"], ["--controlnet", f"canny={CONTROLNET}"], ["--t2i-adapter", f"edges={T2I}"],
                 ["--ip-adapter", IP], ["--ip-adapter", f"{IP}:0.5"],
                 ["--controlnet", f"edges={CONTROLNET}", "--controlnet", f"canny={CONTROLNET}:0.3"],
                 ["--controlnet", f"edges={CONTROLNET}", "--guess-mode"], ["--controlnet", f"edges={CONTROLNET}:1:0-0.5"])
        self.assertEqual(len(flags), len({self.latent(*arguments).data for arguments in flags}))

    def test_what_has_no_say_changes_nothing(self):
        plain = self.latent()
        for arguments in (["--controlnet", f"edges={CONTROLNET}:0"], ["--controlnet", f"edges={CONTROLNET}:1:0.3-0.4"],
                          ["--t2i-adapter", f"edges={T2I}:0"]):
            for one, other in zip(plain.floats(), self.latent(*arguments).floats()):
                self.assertAlmostEqual(one, other, places=5)

    def test_a_file_is_as_good_as_its_folder(self):
        for flag, folder in (("--controlnet", CONTROLNET), ("--t2i-adapter", T2I)):
            file = f"{folder}/diffusion_pytorch_model.safetensors"
            self.assertEqual(self.latent(flag, f"edges={folder}:0.5"), self.latent(flag, f"edges={file}:0.5"))

    def test_the_only_map_needs_no_name(self):
        record = records.parse(self.stream)[0]
        del record.tensors["control.canny"]
        named, unnamed = (self.run_ok(denoise("--steps", 2, "--controlnet", text), stdin=records.write([record])).out
                          for text in (f"edges={CONTROLNET}", CONTROLNET))
        self.assertEqual(records.parse(named)[0].tensors, records.parse(unnamed)[0].tensors)

    def test_maps_and_features(self):
        bare = self.run_ok(encode("-p", "a red apple", model=SD15)).out
        self.refused(["--controlnet", CONTROLNET], DATA, ["record 0", "2 control maps"])
        self.refused(["--controlnet", CONTROLNET], DATA, ["record 0", "0 control maps"], stdin=bare)
        self.refused(["--controlnet", f"depth={CONTROLNET}"], DATA, ["record 0", "control.depth"])
        self.refused(["--ip-adapter", IP], DATA, ["record 0", "image.features"], stdin=bare)
        record = records.parse(self.stream)[0]
        record.tensors["control.edges"] = records.Tensor("U8", [3, 32, 64], bytes(3 * 32 * 64))
        self.refused(["--controlnet", f"edges={CONTROLNET}"], DATA, ["record 0", "control.edges", "[3,32,64]", "[3,64,64]"],
                     stdin=records.write([record]))
        record.tensors["image.features"] = records.f32([1, 3], [0, 0, 0])
        self.refused(["--ip-adapter", IP], DATA, ["record 0", "image.features", "[1,3]"], stdin=records.write([record]))

    def test_networks_of_another_model(self):
        cond = harness.sample("cond", LCM)
        for flag, network in (("--controlnet", CONTROLNET), ("--t2i-adapter", T2I)):
            self.refused([flag, network], DATA, [network, "widths"], stdin=cond)

    def test_broken_networks(self):
        self.refused(["--controlnet", f"edges={self.path('nowhere')}"], NO_INPUT, "nowhere/config.json")
        self.refused(["--ip-adapter", str(MODELS / "controlnet/diffusion_pytorch_model.safetensors")], DATA, ["no IP-Adapter"])
        folder = self.copy_model(CONTROLNET, "net")
        config = json.loads(self.read(f"{folder}/config.json"))
        self.write(f"{folder}/config.json", json.dumps({**config, "conditioning_channels": 4}).encode())
        self.refused(["--controlnet", f"edges={folder}"], DATA, ["net/diffusion_pytorch_model.safetensors", "conv_in.weight"])
        self.write(f"{folder}/config.json", json.dumps({**config, "global_pool_conditions": True}).encode())
        self.refused(["--controlnet", f"edges={folder}"], DATA, ["net/config.json", "global_pool_conditions"])

    def test_flags(self):
        for arguments, says in ((["--controlnet", "a=b:x"], "no scale"), (["--controlnet", "a=b:1:0.5-0.2"], "share of the steps"),
                                (["--controlnet", "a=b:0-1"], "no scale"), (["--t2i-adapter", "a="], "no folder"),
                                (["--guess-mode"], "--controlnet"), (["--ip-adapter", "a=b"], "a file and a scale")):
            self.refused(arguments, USAGE, says)


if __name__ == "__main__":
    harness.main()
