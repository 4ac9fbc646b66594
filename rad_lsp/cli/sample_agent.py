"""A small make-believe agent that `rad demo` tracks: it edits two files and calls three tools.

It needs nothing but Python, and shows what an agent does to be tracked: it appends a JSON object
per event to the file that $RAD_SESSION_EVENTS names.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path


def say(kind: str, **attributes: object) -> None:
    """Append an event; a dot in a name is written as two underscores."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    event = {"type": kind, "time": datetime.now(UTC).isoformat(), **named}
    with Path(os.environ["RAD_SESSION_EVENTS"]).open("a", encoding="utf-8") as events:
        events.write(json.dumps(event) + "\n")


def main() -> None:
    """Ask two models, read, edit and test, and be refused once."""
    begun = time.monotonic()
    say("tool.start", gen_ai__tool__call__id="1", gen_ai__tool__name="read_file")
    greeting = Path("greeting.py")
    text = greeting.read_text(encoding="utf-8")
    say("tool.end", gen_ai__tool__call__id="1")

    # A test run goes on while the next request is answered: the two times overlap.
    say("tool.start", gen_ai__tool__call__id="2", gen_ai__tool__name="run_tests")
    time.sleep(1.05)
    say(
        "request",
        duration=time.monotonic() - begun,
        gen_ai__provider__name="anthropic",
        gen_ai__request__model="claude-sonnet-4-5",
        gen_ai__usage__input_tokens=48_200,
        gen_ai__usage__output_tokens=1_350,
        gen_ai__usage__cache_read__input_tokens=39_000,
        gen_ai__usage__cache_creation__input_tokens=6_100,
    )
    say("tool.end", gen_ai__tool__call__id="2", error__type="tests_failed")

    say("approval", decision="asked")
    say("approval", decision="allowed")
    say("tool.start", gen_ai__tool__call__id="3", gen_ai__tool__name="edit_file")
    greeting.write_text(text.replace('"Helo"', '"Hello"') + '\n\nprint(greet("you"))\n', "utf-8")
    Path("NOTES.md").write_text("# Notes\nThe greeting is spelled right now.\n", "utf-8")
    say("tool.end", gen_ai__tool__call__id="3")

    say("tool.start", gen_ai__tool__call__id="4", gen_ai__tool__name="git_push")
    say("approval", decision="asked")
    say("approval", decision="denied", gen_ai__tool__call__id="4")
    say(
        "request",
        duration=0.1,
        gen_ai__provider__name="gcp.gemini",
        gen_ai__request__model="gemini-2.5-flash-lite",
        gen_ai__usage__input_tokens=2_140,
        gen_ai__usage__output_tokens=180,
    )
    print("agent: mended the greeting; was not allowed to push.")  # noqa: T201  (what agents do)


if __name__ == "__main__":
    main()
