# Sourced by quickstart and test: installs what is missing, and leaves in `meson_args` which libtorch to build with.
# Everything here is quick when nothing is missing, and needs no root then.

say() { printf '%s\n' "$*" >&2; }

# require_packages PACKAGE...: installs the Debian packages that are missing.
require_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || { say "Missing packages; ask an administrator to run: apt-get install ${missing[*]}"; exit 69; }
        as_root=(sudo)
    fi
    say "Installing ${missing[*]}"
    # An old index names packages that are gone: refresh it first.
    "${as_root[@]}" apt-get update >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >&2
}

# require_torch: finds a libtorch (LCM_TORCH_DIR, the active Python, .venv) or installs the wheel into .venv.
require_torch() {
    if [ -n "${LCM_TORCH_DIR:-}" ]; then
        meson_args+=("-Dtorch_dir=$LCM_TORCH_DIR")
        return
    fi
    local python
    for python in "$(command -v python3 || true)" .venv/bin/python; do
        if [ -x "$python" ] && "$python" scripts/find_torch.py >/dev/null 2>&1; then
            meson_args+=("-Dpython=$(realpath -s "$python")")
            return
        fi
    done
    python3 -c 'import ensurepip, venv' 2>/dev/null || require_packages python3-venv
    say "Installing libtorch (torch 2.13.0) into .venv"
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 >&2
    meson_args+=("-Dpython=$PWD/.venv/bin/python")
}

# configure_build OPTION...: makes the build folder, or changes the options of the one that is there.
configure_build() {
    if [ -f build/build.ninja ]; then
        meson configure build "${meson_args[@]}" "$@" >&2
    else
        meson setup build "${meson_args[@]}" "$@" >&2
    fi
}

meson_args=()
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build_packages=(g++ meson ninja-build pkg-config ccache libfmt-dev nlohmann-json3-dev libssl-dev libcli11-dev libpng-dev libjpeg-dev
    libutf8proc-dev libtomlplusplus-dev libhdf5-dev)
