#!/usr/bin/env bash
# What the Emacs test needs, from Debian's packages only: Emacs without a window system, and eglot
# where Emacs does not have it yet (before 29). Prints nothing when all is there.
set -euo pipefail

has_eglot() { emacs --batch --eval "(kill-emacs (if (require 'eglot nil t) 0 1))" 2>/dev/null; }
install() { apt-get install --yes -qq --no-install-recommends "$@" >/dev/null; }

if ! command -v emacs >/dev/null; then
  install emacs-nox || { apt-get update -qq && install emacs-nox; }
fi
has_eglot || install elpa-eglot || { apt-get update -qq && install elpa-eglot; }
has_eglot
