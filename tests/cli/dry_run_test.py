"""--dry-run: everything is checked and told, nothing is written."""
import json

import harness
from harness import CANNOT_CREATE, DATA, ENCODE, LCM, NO_INPUT, OPTIMIZE, USAGE, denoise, encode, render

REQUESTS = b'{"prompt":"one"}\n{"prompt":"two"}\n'


def plans():
    """Every tool with what it reads, the name of what it would write and the number of records."""
    return (
        (encode("x", "y"), b"", "a.lcms", 2),
        ([ENCODE, "--requests", "-", "-m", LCM, "-t1"], REQUESTS, "a.lcms", 2),
        (denoise("--steps", 2, "-b", 3), harness.sample("cond"), "a.lcms", 3),
        (render(), harness.sample("latent"), "a.png", 1),
        ([OPTIMIZE, "convert", LCM, "--dtype", "f16", "-t1"], b"", "model", 1),
        ([OPTIMIZE, "quantize", LCM, "--calibrate", "-", "-t1"], b"", "model", 1),
    )


class DryRun(harness.ToolTest):
    def test_it_tells_and_writes_nothing(self):
        def check(argv, stdin, name, count):
            text = self.run_ok([*argv, "-n", "-o", name], stdin=stdin).out.decode()
            self.assertTrue(text.startswith(f"{argv[0]} would write {count} record{'' if count == 1 else 's'} to {name}\n"), text)
            self.assertRegex(text, r"about \d+ MiB of memory, [0-9.e+-]+ s\n$")

        self.each(check, plans())
        self.assertEqual([], self.names())

    def test_json(self):
        def check(argv, stdin, name, count):
            plan = json.loads(self.run_ok([*argv, "--dry-run", "--json", "-o", name], stdin=stdin).out)
            self.assertEqual(["details", "memory_bytes", "model", "output", "records", "seconds", "tool"], sorted(plan))
            self.assertEqual((name, count, argv[0]), (plan["output"], plan["records"], plan["tool"]))
            self.assertGreater(plan["memory_bytes"], 100 << 20)
            self.assertGreaterEqual(plan["seconds"], 0)

        self.each(check, plans()[2:])
        self.assertEqual([], self.names())

    def test_the_plan_of_a_denoiser_names_its_pictures(self):
        out = self.run_ok(denoise("-n", "--steps", 3, "--guidance", 2, "-o", "a.lcms"), stdin=harness.sample("cond")).out
        self.assertIn(b"record 0: 3 steps of 64x64, guidance 2\n", out)

    def test_more_work_takes_more_time_and_a_shard_counts_its_own(self):
        def plan(*flags):
            return json.loads(self.run_ok(denoise("-n", "--json", *flags, "-o", "a.lcms"), stdin=harness.sample("cond") * 4).out)

        self.assertGreater(plan("--steps", 50)["seconds"], 10 * plan("--steps", 1)["seconds"])
        self.assertEqual([4, 2, 1], [plan(*flags)["records"] for flags in ((), ("--shard", "0/2"), ("--shard", "1/3"))])

    def test_faults_are_found_before_the_work(self):
        cond, latent = harness.sample("cond"), harness.sample("latent")
        self.write("there.lcms", b"")
        self.each(lambda argv, code, says, stdin: self.expect_failure(self.run_any([*argv, "-n"], stdin=stdin), code, says), [
            (encode("x", "-o", "missing/a.lcms"), CANNOT_CREATE, "missing/a.lcms", b""),
            (encode("x", "-o", "there.lcms", "--no-clobber"), CANNOT_CREATE, "there.lcms", b""),
            (encode("x", "-o", "a.lcms", model="missing"), NO_INPUT, "missing", b""),
            (encode("--prompt-file", "missing.txt", "-o", "a.lcms"), NO_INPUT, "missing.txt", b""),
            ([ENCODE, "--requests", "-", "-m", LCM, "-o", "a.lcms"], DATA, ["request 1", "prompt"], b'{"prompt":"x"}\n{}\n'),
            (denoise("-o", "missing/a.lcms"), CANNOT_CREATE, "missing/a.lcms", cond),
            (denoise("-o", "a.lcms"), DATA, "truncated", cond[:-1]),
            (denoise("-o", "a.lcms", "-W", 65), USAGE, "65", cond),
            (render("-o", "missing/a.png"), CANNOT_CREATE, "missing/a.png", latent),
            (render("-o", "a.png"), DATA, "truncated", latent[:-1]),
            (render("-o", "a.png"), DATA, ["record 0", "latent"], cond),
            (render("-o", "a.png"), USAGE, "one picture", latent * 2),
            ([OPTIMIZE, "convert", LCM, "--dtype", "f16", "-o", "there.lcms"], CANNOT_CREATE, "there.lcms", b""),
        ])
        self.assertEqual(["there.lcms"], self.names())

    def test_a_report_has_nothing_to_plan(self):
        stream = harness.sample("latent")
        report = self.run_ok(["lcm-render", "--check"], stdin=stream).out
        self.assertEqual(report, self.run_ok(["lcm-render", "--check", "-n"], stdin=stream).out)

    def test_no_depfile(self):
        self.run_ok(encode("x", "-n", "-o", "a.lcms", "-MD"))
        self.assertEqual([], self.names())


if __name__ == "__main__":
    harness.main()
