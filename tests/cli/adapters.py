"""Adapter files for tests: those of the golden data and small ones made by hand."""
import json
import pathlib
import struct

from harness import TESTDATA

LORAS = TESTDATA / "golden/lora"
KOHYA = str(LORAS / "kohya.safetensors")  # UNet alone, for models/sd15
KOHYA_TE = str(LORAS / "kohya_te.safetensors")  # UNet and text encoder
SDXL = str(LORAS / "kohya_sdxl_sgm.safetensors")
PEFT_FOLDER = str(LORAS / "peft_native")


def safetensors(tensors):
    """The bytes of a file of F32 tensors: {name: (shape, value)}, every number of one tensor the same."""
    header, data = {}, b""
    for name, (shape, value) in tensors.items():
        count = 1
        for size in shape:
            count *= size
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack("<f", value) * count
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(path, tensors):
    pathlib.Path(path).write_bytes(safetensors(tensors))
    return str(path)
