#!/usr/bin/env bash
# What the tests of status lines need, from Debian's packages only: tmux. Prints nothing when it is
# there.
set -euo pipefail

install() { apt-get install --yes -qq --no-install-recommends "$@" >/dev/null; }

if ! command -v tmux >/dev/null; then
  install tmux || { apt-get update -qq && install tmux; }
fi
