#!/usr/bin/env bash
# What the Emacs test needs, from Debian's packages only: Emacs without a window system, and eglot
# where Emacs does not have it yet (before 29). Prints nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/../../.."

has_eglot() { emacs --batch --eval "(kill-emacs (if (require 'eglot nil t) 0 1))" 2>/dev/null; }

command -v emacs >/dev/null || .ci/apt emacs-nox
has_eglot || .ci/apt elpa-eglot
has_eglot
