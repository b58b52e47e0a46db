"""Many records: shards, going on after a failure, leaving out what is there, names of files, requests as JSON lines."""
import json
import os

import harness
import records
from harness import DATA, ENCODE, LCM, NO_INPUT, REFUSED, USAGE, denoise, encode, render

OLD = 1_000_000_000  # seconds; any time that is not now


def requests(*flags):
    return [ENCODE, "--requests", "-", "-m", LCM, "-t1", *flags]


def lines(*values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def kinds(stream):
    return [record.metadata["lcm.kind"] for record in records.parse(stream)]


def without_place(record):
    """A record without what says where in a stream it stands."""
    places = ("lcm.seq", "lcm.final", "lcm.count", "lcm.stream_sha256", "lcm.header_sha256", "lcm.index")
    return records.Record(record.tensors, {key: value for key, value in record.metadata.items() if key not in places})


class BatchTest(harness.ToolTest):
    def conds(self, count):
        """A stream of conditioning records, made once."""
        return self.run_ok(encode(*[f"picture {number}" for number in range(count)])).out

    def spoiled(self, stream, *numbers):
        """The stream with records that the denoiser refuses at these places; each keeps its `lcm.id`."""
        found = [record for record in records.parse(stream) if record.metadata["lcm.kind"] != "end"]
        for number in numbers:
            del found[number].tensors["text.embeds"]
        return records.write(found), found


class Shard(BatchTest):
    def test_shards_make_what_the_whole_run_makes(self):
        stream = self.conds(5)
        draw = denoise("--steps", 1, "-s", 70)
        whole = [record for record in records.parse(self.run_ok(draw, stdin=stream).out) if record.metadata["lcm.kind"] == "latent"]
        self.run_ok(render("-o", "whole-%04d.png"), stdin=self.run_ok(draw, stdin=stream).out)
        for shard in range(3):
            part = self.run_ok([*draw, "--shard", f"{shard}/3"], stdin=stream).out
            found = [record for record in records.parse(part) if record.metadata["lcm.kind"] == "latent"]
            self.assertEqual([without_place(record) for record in whole[shard::3]], [without_place(record) for record in found])
            self.run_ok(render("-o", "part-%04d.png"), stdin=part)
        for number in range(5):
            self.assertEqual(self.read(f"whole-{number:04}.png"), self.read(f"part-{number:04}.png"))
        self.assertEqual(10, len(self.names()))

    def test_any_tool_of_a_pipe_may_take_it(self):
        stream = self.conds(3)
        draw, shard = denoise("--steps", 1, "-s", 70, "-b", 2, "--no-history"), ["--shard", "1/3"]
        early = self.run_ok(draw, stdin=self.run_ok(encode(*[f"picture {number}" for number in range(3)], *shard)).out).out
        late = self.run_ok([*draw, *shard], stdin=stream).out

        def pictures(data):
            found = [record for record in records.parse(data) if record.metadata["lcm.kind"] == "latent"]
            return [(record.metadata["lcm.seed"], record.tensors) for record in found]

        self.assertEqual(pictures(late), pictures(early))
        self.assertEqual(["72", "73"], [seed for seed, _ in pictures(late)])

    def test_an_empty_shard_is_a_whole_stream_of_none(self):
        part = self.run_ok(denoise("--shard", "3/4"), stdin=harness.sample("cond")).out
        self.assertEqual(["end"], kinds(part))
        self.assertEqual("0", records.parse(part)[0].metadata["lcm.count"])

    def test_what_is_no_shard(self):
        self.each(lambda text: self.run_fails(denoise("--shard", text), USAGE, ["--shard", text]),
                  [("1",), ("1/1",), ("2/1",), ("0/0",), ("-1/2",), ("a/b",), ("1/2/3",), ("1/",)])


class KeepGoing(BatchTest):
    def test_a_bad_record_among_good_ones(self):
        stream, found = self.spoiled(self.conds(3), 1)
        draw = denoise("--steps", 1, "-s", 70)
        good = [without_place(record) for record in records.parse(self.run_ok(draw, stdin=self.conds(3)).out)]
        result = self.run_any([*draw, "--keep-going"], stdin=stream)
        self.expect_failure(result, DATA, ["record 1", "text.embeds"])
        made = records.parse(result.out)
        failed = made[1].metadata
        self.assertEqual([good[0], good[2]], [without_place(made[0]), without_place(made[2])])
        self.assertEqual(("error", "record", "65", found[1].metadata["lcm.id"]),
                         tuple(failed[key] for key in ("lcm.kind", "lcm.error_scope", "lcm.error_code", "lcm.id")))
        self.assertEqual("2", made[-1].metadata["lcm.count"])

    def test_the_failure_goes_through_to_the_last_tool(self):
        stream, _ = self.spoiled(self.conds(3), 0)
        drawn = self.run_any(denoise("--steps", 1, "--keep-going"), stdin=stream)
        result = self.run_any(render("--keep-going", "-o", "x-%d.png"), stdin=drawn.out)
        self.expect_failure(result, DATA, "text.embeds")
        self.assertEqual(["x-1.png", "x-2.png"], self.names())
        without = self.run_any(render("-o", "y-%d.png"), stdin=drawn.out)
        self.assertEqual(DATA, without.code)
        self.assertEqual(["x-1.png", "x-2.png"], self.names())

    def test_without_the_flag_the_first_failure_is_the_last_word(self):
        stream, _ = self.spoiled(self.conds(3), 1)
        self.assertEqual(["latent", "error"], kinds(self.run_fails(denoise("--steps", 1), DATA, "record 1", stdin=stream).out))

    def test_the_first_failure_is_the_exit_code(self):
        self.write("pickle.safetensors", b"\x80\x02}q\x00.")  # an adapter that is refused when its request comes
        stdin = lines({"prompt": "a"}, {"prompt": "b", "adapters": ["pickle"]}, {"promt": "c"}, {"prompt": "d"})
        result = self.run_any(requests("--keep-going"), stdin=stdin, env={"LCM_MODEL_PATH": str(self.folder)})
        self.assertEqual(REFUSED, result.code, result)
        self.assertEqual(["cond", "error", "error", "cond", "end"], kinds(result.out))

    def test_an_input_that_is_broken_or_missing(self):
        good = self.conds(2)
        self.write("good.lcms", good)
        self.write("broken.lcms", good[:-1])
        for names, code, count in ((("good.lcms", "missing.lcms", "good.lcms"), NO_INPUT, 4), (("broken.lcms", "good.lcms"), DATA, 3),
                                   (("missing.lcms", "good.lcms"), NO_INPUT, 2), (("good.lcms", "missing.lcms"), NO_INPUT, 2)):
            with self.subTest(names):
                result = self.run_any(denoise("--to", 0, "--keep-going", *names))
                self.assertEqual(code, result.code, result)
                made = records.parse(result.out)
                self.assertEqual(count, sum(record.metadata["lcm.kind"] == "latent" for record in made), result)
                self.assertEqual("error", made[-1].metadata["lcm.kind"])
                self.assertNotIn("lcm.final", made[-1].metadata)

    def test_a_full_disk_is_the_end_of_it(self):
        result = self.run_any(denoise("--to", 0, "--keep-going", "-o", "/dev/full"), stdin=self.conds(2))
        self.expect_failure(result, harness.IO, "/dev/full")


class SkipExisting(BatchTest):
    def age(self):
        for name in self.names():
            os.utime(self.path(name), (OLD, OLD))

    def made_again(self):
        return [name for name in self.names() if self.path(name).stat().st_mtime != OLD]

    def check(self, run, stdin):
        """Runs `run` twice; of what it wrote only what was spoiled between is made again."""
        self.run_ok(run, stdin=stdin)
        whole = {name: self.read(name) for name in self.names()}
        first, second = self.names()[:2]
        self.write(first, whole[first][:-1])
        self.write(second, b"something else")
        self.age()
        self.run_ok([*run, "--skip-existing"], stdin=stdin)
        self.assertEqual([first, second], self.made_again())
        self.assertEqual(whole, {name: self.read(name) for name in self.names()})
        os.remove(self.path(second))
        self.age()
        self.run_ok([*run, "--skip-existing"], stdin=stdin)
        self.assertEqual([second], self.made_again())

    def test_pictures(self):
        drawn = self.run_ok(denoise("--steps", 1, "-b", 3), stdin=harness.sample("cond")).out
        self.check(render("-o", "x-%02d.png"), drawn)

    def test_a_file_of_records_each(self):
        self.check(denoise("--steps", 1, "-b", 3, "-o", "{seed}.lcms"), harness.sample("cond"))

    def test_encodings(self):
        self.check(encode("a", "b", "c", "-o", "{id}.lcms"), b"")

    def test_one_stream(self):
        run = encode("a", "b", "-o", "a.lcms")
        self.run_ok(run)
        whole = self.read("a.lcms")
        self.age()
        self.run_ok([*run, "--skip-existing"])
        self.assertEqual([], self.made_again())
        self.write("a.lcms", whole[:-5] + b"xxxxx")
        self.run_ok([*run, "--skip-existing"])
        self.assertEqual(whole, self.read("a.lcms"))

    def test_another_picture_under_the_name_is_replaced(self):
        first, second = (self.run_ok(denoise("--steps", 1, "-s", seed), stdin=harness.sample("cond")).out for seed in (1, 2))
        self.run_ok(render("-o", "x.png"), stdin=first)
        self.run_ok(render("-o", "x.png", "--skip-existing"), stdin=second)
        replaced = self.read("x.png")
        self.run_ok(render("-o", "y.png"), stdin=second)
        self.assertEqual(self.read("y.png"), replaced)


class Names(BatchTest):
    def test_seed_and_id(self):
        drawn = self.run_ok(denoise("--steps", 1, "-s", 18446744073709551615), stdin=harness.sample("cond")).out
        identity = records.parse(drawn)[0].metadata["lcm.id"]
        self.run_ok(render("-o", "{id}-{seed}-%02d-{{x}}.png"), stdin=drawn)
        self.assertEqual([f"{identity}-18446744073709551615-00-{{x}}.png"], self.names())

    def test_an_id_never_leads_out_of_the_folder(self):
        odd = ("../../x", "a/b", ".hidden", "..", "\x1b[31mred\n", "é", "-", "x" * 300)
        stream = self.run_ok(requests(), stdin=lines(*({"prompt": "x", "output": name} for name in odd))).out
        self.path("deep/er").mkdir(parents=True)
        self.run_ok(denoise("--to", 0, "-o", "deep/er/{id}.lcms"), stdin=stream)
        expected = ["_._.._x", "a_b", "_hidden", "_.", "__31mred_", "__", "-", "x" * 128]
        self.assertEqual(sorted(name + ".lcms" for name in expected), sorted(os.listdir(self.path("deep/er"))))
        self.assertEqual((["deep"], ["er"]), (self.names(), os.listdir(self.path("deep"))))

    def test_an_empty_or_missing_value_is_told(self):
        for changes, says in (({"lcm.id": ""}, "lcm.id"), ({"lcm.id": None}, "lcm.id")):
            record = records.parse(harness.sample("latent"))[0]
            record.metadata.update(changes)
            record.metadata = {key: value for key, value in record.metadata.items() if value is not None}
            self.run_fails(render("-o", "{id}.png"), DATA, ["record 0", says], stdin=records.write([record]))

    def test_two_of_one_name_are_refused(self):
        one = harness.sample("latent")
        result = self.run_any(render("-o", "{id}.png"), stdin=one + one)
        self.expect_failure(result, USAGE, ["--output", "two"])
        self.assertEqual(1, len(self.names()))
        result = self.run_any(denoise("--to", 0, "-b", 2, "-o", "{id}.lcms"), stdin=harness.sample("cond"))
        self.expect_failure(result, USAGE, ["--output", "two"])

    def test_what_is_no_pattern(self):
        self.each(lambda name: self.run_fails(render("-o", name), USAGE, ["--output", name], stdin=harness.sample("latent")),
                  [("{name}.png",), ("{id.png",), ("}.png",), ("{SEED}.png",)])


class Requests(BatchTest):
    def test_every_key(self):
        stdin = lines({"prompt": "a red apple", "negative": "blurry", "seed": 7, "size": "64x32", "steps": 3, "guidance": 2.5,
                       "output": "apple", "adapters": []},
                      {"prompt": "b", "width": 32, "height": 64, "seed": "18446744073709551615", "id": "b"}, {"prompt": "c"})
        stream = self.run_ok([ENCODE, "--requests", "-", "-m", harness.SD15, "-t1"], stdin=stdin).out
        first, second, third, _ = [record.metadata for record in records.parse(stream)]
        expected = {"lcm.prompt": "a red apple", "lcm.negative_prompt": "blurry", "lcm.seed": "7", "lcm.size": "64x32", "lcm.steps": "3",
                    "lcm.guidance": "2.5", "lcm.id": "apple"}
        self.assertEqual(expected, {key: first[key] for key in expected})
        self.assertEqual(("32x64", "18446744073709551615", "b"), (second["lcm.size"], second["lcm.seed"], second["lcm.id"]))
        self.assertNotIn("lcm.seed", third)

    def test_a_request_draws_what_the_flags_draw(self):
        request = {"prompt": "a red apple", "seed": 9, "size": "32x64", "steps": 2, "guidance": 3}
        asked = self.run_ok(requests("--no-history"), stdin=lines(request)).out
        by_request = records.parse(self.run_ok(denoise("--no-history"), stdin=asked).out)[0]
        flags = denoise("--no-history", "-s", 9, "-W", 32, "-H", 64, "--steps", 2, "--guidance", 3)
        by_flags = records.parse(self.run_ok(flags, stdin=harness.sample("cond")).out)[0]
        self.assertEqual(by_flags.tensors["latent"], by_request.tensors["latent"])
        for key in ("seed", "size", "steps", "guidance"):
            self.assertEqual(by_flags.metadata[f"lcm.{key}"], by_request.metadata[f"lcm.{key}"])

    def test_empty_lines_are_skipped_and_files_read(self):
        self.write("r.jsonl", b'\n{"prompt":"a"}\r\n   \n{"prompt":"b"}')
        stream = self.run_ok([ENCODE, "--requests", "r.jsonl", "-m", LCM, "-t1"]).out
        self.assertEqual(["cond", "cond", "end"], kinds(stream))
        self.assertIn("no request", self.run_any(requests(), stdin=b"\n").lines[0])

    def test_a_bad_line_is_named_and_the_others_go_on(self):
        bad = b'{"prompt": "x", "steps": "4"}\n{"prompt": "x"\n[1]\n{"prompt": "x", "id": "pear", "size": "64"}\n'
        result = self.run_any(requests("--keep-going"), stdin=lines({"prompt": "a"}) + bad + lines({"prompt": "b"}))
        self.assertEqual(DATA, result.code)
        said = [line for line in result.lines if ": hint: " not in line]
        for number, (line, word) in enumerate(zip(said, ("steps", "", "", "size"), strict=True), 1):
            self.assertTrue(line.startswith(f"lcm-encode: request {number}"), result)
            self.assertIn(word, line)
        made = records.parse(result.out)
        self.assertEqual(["cond", *["error"] * 4, "cond", "end"], kinds(result.out))
        self.assertEqual("pear", made[4].metadata["lcm.id"])
        self.run_fails(requests(), DATA, ["request 0", "JSON"], stdin=b"no request")

    def test_an_unknown_key_names_the_nearest(self):
        result = self.run_fails(requests(), DATA, ["request 0", '"promt"'], stdin=lines({"promt": "x"}))
        self.assertIn('did you mean "prompt"?', result.lines[1])

    def test_it_needs_a_subcommand_or_requests(self):
        self.run_fails([ENCODE], USAGE, ["subcommand", "--requests"])


if __name__ == "__main__":
    harness.main()
