"""A stream cut off at each kind of place, through a real pipe: every tool refuses it, and no filter marks its own output as whole."""
import harness
import records
from harness import DATA, denoise, encode, render


def three(kind):
    """A stream of three records, the last one final, and where each record ends."""
    (record,) = records.parse(harness.sample(kind))
    parts = [len(records.write([record] * count, final=count == 3)) for count in (1, 2, 3)]
    return records.write([record] * 3), parts


def cuts(stream, ends):
    """In a length, behind it, in a header, behind it, in the data, and between records: no end mark."""
    first, second, third = ends
    header = int.from_bytes(stream[second:second + 8], "little")
    return 7, 8, first - 1, first, first + 100, second, second + 8 + header, third - 1


class Truncation(harness.ToolTest):
    def check(self, kind, argv):
        stream, ends = three(kind)

        def refused(cut):
            result = self.run_any(argv, stdin=stream[:cut])
            self.expect_failure(result, DATA, "truncated")
            self.expect_cause_on_stdout(result)

        self.each(refused, [(cut,) for cut in cuts(stream, ends)])

    def test_denoise(self):
        self.check("cond", denoise("--to", 0))

    def test_encode(self):
        self.check("cond", encode("-i", "-"))

    def test_render(self):
        self.check("latent", render("-o", "x-%d.png"))
        self.assertEqual(["x-0.png", "x-1.png"], self.names())  # of the records that came whole

    def test_a_lost_end_record(self):
        lines = self.run_ok(encode("--prompt-file", "-"), stdin=b"one\ntwo\n").out
        end = lines.rindex(b"{\"__metadata__\":") - 8
        self.run_fails(denoise("--to", 0), DATA, "truncated: 2 records, no end mark", stdin=lines[:end])


if __name__ == "__main__":
    harness.main()
