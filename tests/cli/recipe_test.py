"""A picture tells how it was made: in A1111's words and as IPTC provenance, in PNG and JPEG, read back by `lcm-render --info`."""
import functools
import json
import pickle
import re
import struct
import zlib

import harness
import records
from harness import RENDER, denoise, encode, render

MADE_BY_A_MODEL = "trainedAlgorithmicMedia"
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ODD_PROMPTS = ("a, b: c \"d\"", "two\nlines", "İstanbul 🍎", "Steps: 9, Seed: 1, Size: 1x1",
               "\x1b]52;c;aGk=\x07", "Negative prompt: not one")


def png_chunks(data):
    """(kind, content) of each chunk, with its checksum proved."""
    at, chunks = 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + content), kind
        chunks.append((kind.decode(), content))
        at += 12 + length
    return chunks


@functools.cache
def latent():
    """A latent with everything that a recipe tells."""
    (record,) = records.parse(harness.sample("latent", harness.SD15))
    record.metadata |= {"lcm.negative_prompt": "blurry", "lcm.steps": "3", "lcm.step": "3", "lcm.guidance": "1.5"}
    return records.write([record])


class Recipe(harness.ToolTest):
    def drawn(self, *arguments):
        return self.run_ok(render(*arguments), stdin=latent()).out

    def info(self, picture):
        return json.loads(self.run_ok([RENDER, "--info", "--json"], stdin=picture).out)

    def test_the_parameters_of_a_picture_in_both_formats(self):
        png = self.info(self.drawn())
        lines = png["parameters"].split("\n")
        self.assertEqual(["a red apple", "Negative prompt: blurry"], lines[:2])
        values = dict(pair.split(": ", 1) for pair in lines[2].split(", "))
        expected = {"Steps": "3", "Sampler": "LCM", "CFG scale": "1.5", "Seed": "42", "Size": "64x64", "Clip skip": "1", "RNG": "CPU"}
        self.assertEqual(expected, {name: values.get(name) for name in expected})
        self.assertRegex(values["Model hash"], r"^[0-9a-f]{10}$")
        self.assertRegex(values["Version"], r"^lcm \d")
        self.assertEqual(("picture", "png", 64, 64, 3), tuple(png[key] for key in ("type", "format", "width", "height", "channels")))
        self.assertEqual(MADE_BY_A_MODEL, png["source"])
        jpeg = self.info(self.drawn("--format", "jpeg"))
        self.assertEqual("jpeg", jpeg["format"])
        for key in ("parameters", "source", "width", "height", "channels"):
            self.assertEqual(png[key], jpeg[key])

    def test_other_programs_find_it_in_the_usual_chunks(self):
        chunks = png_chunks(self.drawn())
        texts = [content for kind, content in chunks if kind == "tEXt"]
        self.assertTrue(any(text.startswith(b"parameters\0a red apple\nNegative prompt: blurry\nSteps: 3, ") for text in texts), texts)
        xmp = [content for kind, content in chunks if kind == "iTXt" and content.startswith(b"XML:com.adobe.xmp\0")]
        self.assertEqual(1, len(xmp))
        self.assertIn((VOCABULARY + MADE_BY_A_MODEL).encode(), xmp[0])

    def test_any_prompt_is_read_back(self):
        self.pipe_ok(encode(*[f"--prompt={prompt}" for prompt in ODD_PROMPTS]), denoise("--steps", 1, "-o", "latents.lcms"))
        for ending in ("png", "jpg"):
            self.run_ok(render("latents.lcms", "-o", f"%d.{ending}"))
            files = [f"{number}.{ending}" for number in range(len(ODD_PROMPTS))]
            said = self.run_ok([RENDER, "--info", "--json", *files]).out
            self.assertTrue(said.isascii())
            for prompt, line in zip(ODD_PROMPTS, said.splitlines(), strict=True):
                self.assertTrue(json.loads(line)["parameters"].startswith(prompt + "\n"), line)

    def test_less_metadata(self):
        chosen = {level: self.info(self.drawn("--metadata", level)) for level in ("full", "params", "none")}
        self.assertTrue(chosen["params"]["parameters"].startswith("Steps: 3, "), chosen["params"])
        self.assertFalse(chosen["none"].get("parameters"))
        for level in chosen:
            self.assertEqual(MADE_BY_A_MODEL, chosen[level]["source"])

    def test_no_provenance(self):
        picture = self.drawn("--no-provenance")
        self.assertFalse(self.info(picture).get("source"))
        self.assertEqual([], [kind for kind, _ in png_chunks(picture) if kind == "iTXt"])


class Report(harness.ToolTest):
    def test_pictures_and_streams_side_by_side(self):
        self.write("a.lcms", harness.sample("latent"))
        self.run_ok(render("a.lcms", "-o", "a.png"))
        lines = self.run_ok([RENDER, "--info", "--json", "a.png", "a.lcms"]).out.decode().splitlines()
        picture, stream = map(json.loads, lines)
        self.assertEqual(("a.png", "picture", "a.lcms", "stream"), (picture["file"], picture["type"], stream["file"], stream["type"]))
        (record,) = stream["records"]
        self.assertEqual(("latent", True, "42"), (record["kind"], record["final"], record["metadata"]["lcm.seed"]))
        self.assertIn({"name": "latent", "dtype": "F32", "shape": [4, 8, 8]}, record["tensors"])

    def test_for_people(self):
        self.write("a.lcms", harness.sample("latent"))
        self.run_ok(render("a.lcms", "-o", "a.png"))
        said = self.run_ok([RENDER, "--info", "a.png", "a.lcms"]).out.decode()
        for text in ("a.png", "a.lcms", "64", "a red apple", "Seed: 42", "latent", "F32"):
            self.assertIn(text, said)

    def test_metadata_is_escaped_for_a_terminal(self):
        stream = self.run_ok(encode("--prompt=\x1b]52;c;aGk=\x07\u202e")).out
        said = self.run_ok([RENDER, "--info"], stdin=stream).out
        self.assertIsNone(re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae", said), said)

    def test_what_is_neither_picture_nor_stream(self):
        self.each(lambda data, code, says: self.run_fails([RENDER, "--info"], code, says, stdin=data), [
            (b"", harness.DATA, "empty"),
            (b"GIF89a" + bytes(20), harness.DATA, "header length"),
            (b"\x89PNG\r\n\x1a\n" + bytes(20), harness.DATA, "standard input"),
            (b"\xff\xd8\xff\xe0" + bytes(20), harness.DATA, "standard input"),
            (pickle.dumps(list(range(999))), harness.REFUSED, "pickle"),
            (harness.sample("latent")[:-1], harness.DATA, "truncated"),
        ])

    def test_history_names_each_tool_and_can_be_left_out(self):
        history = json.loads(records.parse(harness.sample("latent"))[0].metadata["lcm.history"])
        self.assertEqual(["lcm-encode", "lcm-denoise"], [entry["tool"] for entry in history])
        self.assertEqual(["--steps", "2"], history[1]["args"])
        bare = self.pipe_ok(encode("x", "--no-history"), denoise("--steps", 1, "--no-history"))
        self.assertNotIn("lcm.history", records.parse(bare)[0].metadata)


if __name__ == "__main__":
    harness.main()
