"""The tests' own reader and writer give the bytes of the format's published example: what they call good or bad can be trusted."""
import unittest

import records

LATENT = records.Record(
    {"latent": records.f32([1, 2, 2], [0, 1, -1, .5])},
    {"lcm.kind": "latent", "lcm.latent_space": "scaled", "lcm.layout": "CHW", "lcm.vae_scale": "0.18215"})


class WorkedExample(unittest.TestCase):
    # SHA-256 of the two streams in section 14 of the format's description.
    ONE_RECORD = "80e8f1312373c33eaa57bf11bdc93a52ca67aee6e0a55ac0315b84cfab9d6f8d"
    WITH_END_RECORD = "467a49257ce5807d07c9fbcd445136fcad04aab1c675b5dd344204d206690b43"

    def test_one_final_record(self):
        self.assertEqual(self.ONE_RECORD, records.sha256(records.write([LATENT])))

    def test_a_record_and_an_end_record(self):
        stream = records.write([LATENT], final=False)
        self.assertEqual(self.WITH_END_RECORD, records.sha256(stream + records.end_record(stream, 1)))

    def test_what_was_written_is_read_back(self):
        read = records.parse(records.write([LATENT, LATENT]))
        self.assertEqual(2, len(read))
        self.assertEqual(LATENT.tensors, read[1].tensors)
        self.assertEqual("2", read[1].metadata["lcm.count"])

    def test_a_flipped_bit_is_seen(self):
        stream = bytearray(records.write([LATENT]))
        stream[-1] ^= 1
        with self.assertRaises(ValueError):
            records.parse(bytes(stream))


if __name__ == "__main__":
    unittest.main()
