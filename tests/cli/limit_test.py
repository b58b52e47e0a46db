"""--limit and policy files: how much a run may take, and who may say so."""
import subprocess
import time

import harness
from harness import DATA, DENOISE, NO_INPUT, REFUSED, USAGE, denoise, encode, render

CONFIG, SYSTEM = 78, 71


class Limits(harness.ToolTest):
    def test_pixels_of_a_picture(self):
        cond, latent = harness.sample("cond"), harness.sample("latent")  # 64x64
        for argv, stdin in ((denoise("--steps", 1), cond), (render(), latent)):
            result = self.run_fails([*argv, "--limit", "pixels=4095"], REFUSED, ["64x64", "4095"], stdin=stdin)
            self.assertIn("--limit", result.lines[1])
            self.assertEqual(0, self.run_any([*argv, "--limit", "pixels=4096"], stdin=stdin).code)

    def test_bytes_of_a_record(self):
        for argv, kind in ((denoise("--steps", 1), "cond"), (render(), "latent"), ([harness.RENDER, "--check"], "cond")):
            stream = harness.sample(kind)
            self.run_fails([*argv, "--limit", f"record={len(stream) - 1}"], DATA, ["record 0", str(len(stream) - 1)], stdin=stream)
            self.assertEqual(0, self.run_any([*argv, "--limit", f"record={len(stream)}"], stdin=stream).code)

    def test_seconds(self):
        start = time.monotonic()
        argv = denoise("--steps", 50, "-b", 10000, "--limit", "time=1s")
        self.run_fails(argv, REFUSED, ["--limit", "time"], stdin=harness.sample("cond"))
        self.assertLess(time.monotonic() - start, 20)
        self.run_ok(encode("x", "--limit", "time=1h"))

    def test_seconds_of_waiting_for_input_count(self):
        process = self.start([DENOISE, "--limit", "time=1"], stdin=subprocess.PIPE)
        self.assertEqual(REFUSED, process.wait(harness.TIME_LIMIT))  # stdin stays open all the while
        self.assertIn(b"time", process.stderr.read())

    def test_memory(self):
        for memory in ("1MiB", "50MiB"):
            large = denoise("--steps", 1, "-W", 512, "-H", 512, "--limit", f"memory={memory}")
            self.expect_failure(self.run_any(large, stdin=harness.sample("cond")), SYSTEM, "out of memory")
        self.run_ok(encode("x", "--limit", "memory=4GiB"))

    def test_several_at_once_and_units(self):
        self.run_ok(encode("x", "--limit", "memory=2048MiB,pixels=64MP,record=1GB,time=10m"))
        self.run_ok(encode("x", "--limit", "time=1d", "--limit", "pixels=7"))

    def test_what_is_no_limit(self):
        self.each(lambda text: self.run_fails([DENOISE, "--limit", text], USAGE, ["--limit", text.split("=")[0]]),
                  [("memory",), ("pixels=1KiB",)])
        self.assertIn("did you mean pixels?", self.run_fails([DENOISE, "--limit", "pixel=1"], USAGE, "pixel=1").lines[1])


class Policy(harness.ToolTest):
    def policy(self, text):
        return {"LCM_POLICY": str(self.write("policy.toml", text))}

    def test_a_flag_may_only_tighten(self):
        policy = self.policy(b'[limits]\npixels = "8000"\ntime = "10m"\n')
        stream = harness.sample("cond")
        run = denoise("--steps", 1)
        self.run_fails([*run, "--limit", "pixels=8001"], REFUSED, ["--limit", "pixels=8001", "8000"], stdin=stream, env=policy)
        self.run_fails([*run, "--limit", "time=1h"], REFUSED, ["--limit", "time=1h"], stdin=stream, env=policy)
        self.run_ok([*run, "--limit", "pixels=8000,time=1m"], stdin=stream, env=policy)
        self.run_fails([*run, "--limit", "pixels=4000"], REFUSED, "64x64", stdin=stream, env=policy)

    def test_a_ceiling_counts_without_a_flag(self):
        policy = self.policy(b'[limits]\npixels = "4000"\n')
        self.run_fails(render(), REFUSED, ["64x64", "4000"], stdin=harness.sample("latent"), env=policy)

    def test_no_setting_and_no_variable_gets_above_it(self):
        policy = self.policy(b'[limits]\npixels = "8000"\n')
        self.write("lcm.toml", b'limit = ["pixels=9000"]\n')
        self.run_fails([DENOISE], REFUSED, "pixels=9000", env=policy)
        self.run_fails([DENOISE, "--config=none"], REFUSED, "pixels=9001", env={**policy, "LCM_LIMIT": "pixels=9001"})

    def test_a_record_above_the_policy_is_refused_above_a_flag_it_is_bad_data(self):
        stream = harness.sample("latent")
        policy = self.policy(b'[limits]\nrecord = "1kB"\n')
        self.run_fails(render(), REFUSED, "record 0", stdin=stream, env=policy)
        self.run_fails(render("--limit", "record=999"), DATA, "record 0", stdin=stream, env=policy)

    def test_a_broken_policy_is_78_for_every_tool(self):
        for text, says in (
                (b"[limits\n", "policy.toml:1"),
                (b"[limits]\n\nrum = '1'\n", "policy.toml:3"),
                (b"[limits]\ntime = '9 lives'\n", ["policy.toml", "9 lives"]),
        ):
            with self.subTest(text):
                self.run_fails([DENOISE], CONFIG, says, env=self.policy(text))
        broken = self.policy(b"limits = 3\n")
        for argv in (encode("x"), render(), ["lcm-optimize", "inspect", harness.LCM]):
            self.run_fails(argv, CONFIG, "policy.toml", env=broken)

    def test_a_policy_that_cannot_be_read_stops_the_tool(self):
        result = self.run_any([DENOISE], env={"LCM_POLICY": "missing.toml"})
        self.assertIn(result.code, (CONFIG, NO_INPUT), result)
        self.assertIn("missing.toml", result.lines[0])


if __name__ == "__main__":
    harness.main()
