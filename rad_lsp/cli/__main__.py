"""`python -P -m rad_lsp.cli` is the same command as `rad`."""

from rad_lsp.cli.main import main

main()
