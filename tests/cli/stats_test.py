"""What is told about a run after it: --stats, --metrics, --trace."""
import json
import re

import harness
import records
from harness import CANNOT_CREATE, DATA, DENOISE, ENCODE, RENDER, denoise, encode, render

SAMPLE = re.compile(r'([a-z_]+)\{([^}]*)\} (-?[0-9.e+-]+)')
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COUNTS = {"records", "pictures", "steps", "bytes_in", "bytes_out", "cache_hits", "cache_misses"}
OTHERS = {"tool", "wall_ms", "cpu_ms", "peak_memory_bytes", "peak_anonymous_bytes", "threads", "steps_per_s", "compute", "stages"}
ISA = {"baseline", "avx2", "avx512", "avx512_bf16", "amx"}


class Stats(harness.ToolTest):
    def stats(self, argv, stdin=b""):
        """The statistics of a good run: the only line on stderr. Its output is what it is without them."""
        result = self.run_any([*argv, "--stats"], stdin=stdin)
        self.assertEqual(0, result.code, result)
        self.assertEqual(self.run_ok(argv, stdin=stdin).out, result.out)
        [line] = result.lines
        stats = json.loads(line)["stats"]
        self.assertEqual(COUNTS | OTHERS, set(stats))
        self.assertEqual(argv[0], stats["tool"])
        return stats

    def test_what_each_tool_counts(self):
        stream = harness.sample("cond")
        latents = self.run_ok(denoise("--steps", 2, "-b", 2), stdin=stream).out
        encoded, denoised, rendered = self.together(
            lambda: self.stats(encode("a", "b")), lambda: self.stats(denoise("--steps", 2, "-b", 2), stream),
            lambda: self.stats(render("-o", "x-%d.png"), latents))
        self.assertEqual((2, 0, 0), (encoded["records"], encoded["pictures"], encoded["steps"]))
        self.assertEqual((2, 0, 4), (denoised["records"], denoised["pictures"], denoised["steps"]))
        self.assertEqual((2, 2, 0), (rendered["records"], rendered["pictures"], rendered["steps"]))
        self.assertEqual({"load": 1, "encode": 2}, self.runs(encoded, "load", "encode"))
        self.assertEqual({"load": 1, "step": 4, "write": 2}, self.runs(denoised, "load", "step", "write"))
        self.assertEqual({"load": 1, "decode": 2}, self.runs(rendered, "load", "decode"))
        self.assertEqual([0, len(stream), len(latents)], [stats["bytes_in"] for stats in (encoded, denoised, rendered)])
        self.assertEqual(len(latents), denoised["bytes_out"])
        self.assertGreater(encoded["bytes_out"], len(stream))
        self.assertGreater(rendered["bytes_out"], 2 * 100)
        self.assertGreater(denoised["steps_per_s"], 0)
        for stats in (encoded, denoised, rendered):
            self.assertEqual(1, stats["threads"])
            self.assertGreater(stats["peak_memory_bytes"], 1 << 20)
            self.assertGreater(stats["peak_anonymous_bytes"], 1 << 20)
            self.assertLessEqual(stats["peak_anonymous_bytes"], stats["peak_memory_bytes"])

    @staticmethod
    def runs(stats, *stages):
        return {stage: stats["stages"][stage]["count"] for stage in stages}

    def test_times_fit_together(self):
        stats = self.stats(denoise("--steps", 3), harness.sample("cond"))
        for stage in stats["stages"].values():
            self.assertLessEqual(0, stage["min_ms"])
            self.assertLessEqual(stage["min_ms"], stage["max_ms"])
            self.assertLessEqual(stage["max_ms"], stage["total_ms"])
            self.assertLessEqual(stage["total_ms"], stats["wall_ms"])
            self.assertLessEqual(stage["min_ms"], stage["median_ms"])
            self.assertLessEqual(stage["median_ms"], stage["max_ms"])
            self.assertEqual(stage["count"], len(stage["last_ms"]))
            self.assertAlmostEqual(stage["total_ms"], sum(stage["last_ms"]), places=1)

    def test_what_was_computed_with_and_how_fast(self):
        stream = harness.sample("cond")
        latent = self.run_ok(denoise("--steps", 1), stdin=stream).out
        runs = (("encode", encode("a"), b""), ("step", denoise("--steps", 3), stream), ("decode", render("-o", "a.png"), latent))
        for stage, argv, stdin in runs:
            stats = self.stats(argv, stdin)
            self.assertEqual("f32", stats["compute"]["precision"])
            self.assertIn(stats["compute"]["isa"], ISA)
            self.assertIn(stats["compute"]["products"], ISA)
            self.assertIn(stats["compute"]["attention"], ISA)
            times = stats["stages"][stage]
            self.assertGreater(times["gflop"], 0)
            self.assertAlmostEqual(1, times["gflop_per_s"] * times["total_ms"] / 1e3 / times["gflop"], places=2)

    def test_guidance_doubles_the_operations_of_a_step(self):
        def gflop(*words):
            stream = self.run_ok(encode("a", model=harness.SD15)).out
            return self.stats(denoise("--steps", 2, *words), stream)["stages"]["step"]["gflop"]
        self.assertAlmostEqual(2, gflop("--guidance", "5") / gflop("--guidance", "1"), places=2)

    def test_a_text_that_was_just_encoded_costs_nothing(self):
        self.run_ok(encode("a"))  # the hashes of the model's files are remembered from here on
        once, again, other = (self.stats(encode(*prompts)) for prompts in (["a"], ["a", "a", "a"], ["a", "b"]))
        self.assertEqual(once["stages"]["encode"]["gflop"], again["stages"]["encode"]["gflop"])
        self.assertAlmostEqual(2, other["stages"]["encode"]["gflop"] / once["stages"]["encode"]["gflop"], places=2)
        self.assertEqual(once["cache_hits"] + 2 * 2, again["cache_hits"])  # two more texts: their encoding and the hash of its model
        first, *more = records.parse(self.run_ok(encode("a", "a", "a")).out)
        self.assertEqual(2, len([record for record in more if record.tensors.get("text.embeds") == first.tensors["text.embeds"]]))

    def test_the_environment_caps_the_instruction_set(self):
        argv = denoise("--steps", 1, "--precision", "auto", "--stats")
        result = self.run_any(argv, stdin=harness.sample("cond"), env={"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"})
        self.assertEqual(0, result.code, result)
        compute = json.loads(result.lines[-1])["stats"]["compute"]
        self.assertIn(compute["isa"], {"baseline", "avx2"})
        self.assertEqual("f32", compute["precision"])

    def test_the_second_run_finds_the_hash_of_the_model(self):
        run = [*denoise("--steps", 1), "--stats"]
        first, second = [json.loads(self.run_any(run, stdin=harness.sample("cond")).err)["stats"] for _ in range(2)]
        self.assertEqual(0, second["cache_misses"])
        self.assertEqual(first["cache_hits"] + first["cache_misses"], second["cache_hits"])
        self.assertGreater(second["cache_hits"], 0)

    def test_a_failed_run_has_them_too(self):
        result = self.run_any([RENDER, "--stats"], stdin=b"bad")
        self.assertEqual(DATA, result.code)
        self.assertEqual(RENDER, json.loads(result.lines[-1])["stats"]["tool"])


class Metrics(harness.ToolTest):
    def samples(self, path):
        """{(metric, labels): value}, after checking that every metric has its HELP and TYPE and every line the form."""
        found, described = {}, None
        for line in self.read(path).decode().splitlines():
            if line.startswith("# HELP "):
                described = line.split()[2]
            elif line.startswith("# TYPE "):
                self.assertEqual(described, line.split()[2])
            else:
                metric, labels, value = SAMPLE.fullmatch(line).groups()
                self.assertEqual(described, metric)
                self.assertNotIn((metric, labels), found)
                found[metric, labels] = float(value)
        return found

    def test_a_good_run(self):
        self.run_ok(denoise("--steps", 2, "--metrics", "m.prom"), stdin=harness.sample("cond"), env={"SOURCE_DATE_EPOCH": "951827696"})
        samples = self.samples("m.prom")
        self.assertEqual({DENOISE}, {re.match('tool="([^"]*)"', labels)[1] for _, labels in samples})
        label = f'tool="{DENOISE}"'
        self.assertEqual((0, 2, 951827696), tuple(samples[name, label] for name in
                                                  ("lcm_exit_code", "lcm_steps_total", "lcm_end_timestamp_seconds")))
        self.assertEqual(2, samples["lcm_stage_runs_total", label + ',stage="step"'])

    def test_a_failed_run(self):
        self.run_fails([RENDER, "--metrics", "m.prom"], DATA, "record 0", stdin=b"bad bytes, more than eight of them")
        self.assertEqual(DATA, self.samples("m.prom")["lcm_exit_code", f'tool="{RENDER}"'])

    def test_a_place_that_cannot_be_written_is_told_before_the_work(self):
        for flag in ("--metrics", "--trace"):
            result = self.run_fails(denoise(flag, "missing/m"), CANNOT_CREATE, "missing/m", stdin=harness.sample("cond"))
            self.assertNotIn("latent", [record.metadata["lcm.kind"] for record in records.parse(result.out)])


class Trace(harness.ToolTest):
    def spans(self, path):
        """(tool, span) of every line of a trace."""
        found = []
        for line in self.read(path).splitlines():
            for resource in json.loads(line)["resourceSpans"]:
                tool = resource["resource"]["attributes"][0]["value"]["stringValue"]
                found += [(tool, span) for scope in resource["scopeSpans"] for span in scope["spans"]]
        return found

    def runs(self, path):
        """The span of each tool's run, by tool; every other span must lie below that of its tool, within its time."""
        spans = self.spans(path)
        runs = {tool: span for tool, span in spans if span["name"] == tool}
        self.assertEqual(len(spans), len({span["spanId"] for _, span in spans}))
        for tool, span in spans:
            if span["name"] == tool:
                continue
            self.assertEqual(runs[tool]["spanId"], span["parentSpanId"])
            times = [int(each[key]) for each, key in ((runs[tool], "startTimeUnixNano"), (span, "startTimeUnixNano"),
                                                      (span, "endTimeUnixNano"), (runs[tool], "endTimeUnixNano"))]
            self.assertEqual(sorted(times), times)
        return runs

    def test_three_tools_join_into_one(self):
        trace = ("--trace", "t.jsonl")
        self.pipe_ok(encode("a", "b", *trace), denoise("--steps", 2, *trace), render("-o", "x-%d.png", *trace))
        runs = self.runs("t.jsonl")
        self.assertEqual({ENCODE, DENOISE, RENDER}, set(runs))
        self.assertEqual(1, len({span["traceId"] for _, span in self.spans("t.jsonl")}))
        self.assertNotIn("parentSpanId", runs[ENCODE])
        self.assertEqual(runs[ENCODE]["spanId"], runs[DENOISE]["parentSpanId"])
        self.assertEqual(runs[DENOISE]["spanId"], runs[RENDER]["parentSpanId"])
        names = [(tool, span["name"]) for tool, span in self.spans("t.jsonl")]
        self.assertEqual(4, names.count((DENOISE, "step")))
        self.assertEqual(2, names.count((RENDER, "decode")))

    def test_a_tool_without_a_trace_passes_the_context_on(self):
        self.pipe_ok(encode("a", "--trace", "e"), denoise("--steps", 1), render("-o", "x.png", "--trace", "r"))
        self.assertEqual(self.runs("e")[ENCODE]["spanId"], self.runs("r")[RENDER]["parentSpanId"])

    def test_the_environment_gives_the_parent(self):
        self.run_ok(encode("a", "--trace", "t"), env={"TRACEPARENT": PARENT})
        run = self.runs("t")[ENCODE]
        self.assertEqual(PARENT.split("-")[1:3], [run["traceId"], run["parentSpanId"]])

    def test_a_wrong_environment_is_told_and_left_out(self):
        result = self.run_any(encode("a", "--trace", "t"), env={"TRACEPARENT": PARENT.upper()})
        self.assertEqual(0, result.code, result)
        self.assertIn("TRACEPARENT is no trace context", result.lines[0])
        self.assertNotIn("parentSpanId", self.runs("t")[ENCODE])

    def test_records_change_only_when_a_trace_is_asked_for(self):
        plain = self.run_ok(encode("a")).out
        self.assertEqual(plain, self.run_ok(encode("a"), env={"TRACEPARENT": PARENT}).out)
        traced = records.parse(self.run_ok(encode("a", "--trace", "t")).out)[0].metadata
        self.assertEqual({"lcm.traceparent"}, set(traced) - set(records.parse(plain)[0].metadata))
        run = self.runs("t")[ENCODE]
        self.assertEqual(f"00-{run['traceId']}-{run['spanId']}-01", traced["lcm.traceparent"])

    def test_a_failed_run_is_marked(self):
        self.run_any([RENDER, "--trace", "t"], stdin=b"bad")
        self.assertEqual(2, self.runs("t")[RENDER]["status"]["code"])


if __name__ == "__main__":
    harness.main()
