#!/bin/sh
# libtorch_files.sh LIB: the shared libraries of a libtorch that our tools load, one a line (not its Python bindings and test doubles).
ls "$1"/libtorch.so "$1"/libtorch_cpu.so "$1"/libc10.so "$1"/libgomp*.so* "$1"/libtorch_cuda*.so "$1"/libc10_cuda.so 2>/dev/null || true
