#!/bin/sh
# Makes the folder that `docker build` (or buildah, podman, kaniko) turns into the worker's image:
#
#   ./build-context.sh build/python-inference
#   docker build -t localhost/aiworkflow/python-inference:1 build/python-inference
#
# The packages are fetched here, by pip, so that the build itself needs no network and no pip in the base image.
# PYTHON is the Python to use (default python3); TARGET_ARCH the image's architecture (default this machine's).
set -eu

outdir=${1:?usage: build-context.sh <outdir>}
here=$(cd "$(dirname "$0")" && pwd)
kit=$here/../../kits/python
python=${PYTHON:-python3}
arch=${TARGET_ARCH:-$(uname -m)}

export PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# pip leaves build files in the folder it builds: it gets a copy.
cp -R "$kit" "$work/kit"
"$python" -m pip wheel --no-deps --wheel-dir "$work" "$work/kit"

rm -rf "$outdir"
mkdir -p "$outdir/app"
# For the image's Python and platform, whatever this machine has.
"$python" -m pip install --no-compile --target "$outdir/packages" \
  --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
  --platform "manylinux_2_28_$arch" --platform "manylinux_2_17_$arch" --platform "manylinux2014_$arch" \
  --only-binary=:all: --requirement "$here/requirements.txt" "$work"/aiworkflow_worker-*.whl
cp "$here/activities.py" "$here/workflows.py" "$here/worker.py" "$outdir/app/"
cp "$here/Dockerfile" "$outdir/"
if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
  # Hash-checked byte code stays valid whatever time stamps the build gives the files.
  "$python" -m compileall -q --invalidation-mode checked-hash "$outdir/packages" "$outdir/app"
fi
