#!/usr/bin/env bash
# What the tests of status lines need, from Debian's packages only: tmux. Prints nothing when it is
# there.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v tmux >/dev/null || .ci/apt tmux
