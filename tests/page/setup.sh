#!/usr/bin/env bash
# Installs from npm what judges the accessibility of the report page: axe-core, into
# $RAD_LSP_EDITORS/page. The browser and npm are those of VS Code's tests, set up before.
# usage: tests/page/setup.sh
set -euo pipefail

AXE=4.11.0

editors="${RAD_LSP_EDITORS:-${XDG_CACHE_HOME:-$HOME/.cache}/rad-lsp-editors}"
root="$editors/page"
if [ "$(cat "$root/stamp" 2>/dev/null)" = "$AXE" ]; then
  echo "axe-core is up to date: $root"
  exit 0
fi
rm -rf "$root"
mkdir -p "$root"
export PATH="$editors/vscode/bin:$PATH"
(cd "$root" && npm pack --silent "axe-core@$AXE" >/dev/null && tar xzf "axe-core-$AXE.tgz" package/axe.min.js)
printf '%s\n' "$AXE" >"$root/stamp"
echo "axe-core: $root"
