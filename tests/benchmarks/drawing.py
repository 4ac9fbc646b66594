"""The report page in a browser: until it is drawn, beside charts alone, and for one filter."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from rad_lsp.render.report import bundle
from rad_lsp.render.report import page as report_page
from tests.benchmarks.measure import report, sized
from tests.editors.vscode import workbench
from tests.page import sample

BARE = """<!doctype html><meta charset="utf-8"><body><script>{vega}</script><script type="module">
const charts = {charts};
await Promise.all(charts.map((spec) => {{
  const place = document.body.appendChild(document.createElement("div"));
  place.style.width = "600px";
  const renderer = spec.usermeta.canvas ? "canvas" : "svg";
  return vegaEmbed(place, spec, {{ ast: true, actions: false, renderer, config: {config} }});
}}));
window.drawnAt = performance.now();
</script>"""
"""The same charts with their tables, and nothing else."""

WATCH = """
addEventListener("readystatechange", () => {
  const main = document.querySelector("#main");
  const note = () => { if (main.ariaBusy === "false") window.drawnAt ??= performance.now(); };
  if (main) new MutationObserver(note).observe(main, { attributes: true });
}, true);
window.tables = {};
let real;
Object.defineProperty(window, "vegaEmbed", {
  get: () => real && ((place, spec, options) => {
    tables[spec.data.name] = spec;
    return real(place, spec, options);
  }),
  set: (library) => { real = library; },
});
"""

FILTER = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const agent = document.querySelector("#source");
  const begun = performance.now();
  agent.value = agent.value ? "" : "Codex";
  agent.dispatchEvent(new Event("change"));
  while (document.querySelector("#main").ariaBusy !== "false") await frame();
  await frame();
  return performance.now() - begun;
}"""


def drawing():
    """Needs the browser of VS Code's tests."""
    if reason := workbench.missing():
        print(f"not measured: {reason}")
        return
    count = sized(10_000, 500)
    vega = bundle.javascript()
    playwright, chromium = workbench.chromium()
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = Path(folder, "ours.html"), Path(folder, "bare.html")
        text = report_page.page(sample.text(sessions=count, days=365), "Sessions", vega)
        ours.write_text(text, encoding="utf-8")
        opened = _opened(chromium, ours, WATCH)
        specs = [
            {**spec, "usermeta": report_page.charts()[name]["usermeta"]}
            for name, spec in opened.evaluate("tables").items()
        ]
        filters = [opened.evaluate(FILTER) for _ in range(sized(21, 3))]
        opened.context.close()
        config = report_page.theme()["light"]
        charts = json.dumps(specs).replace("<", "\\u003c")
        filled = BARE.format(vega=vega, charts=charts, config=json.dumps(config))
        bare.write_text(filled, encoding="utf-8")
        times = {ours: [], bare: []}
        for _ in range(sized(9, 2)):
            for file, found in times.items():
                opened = _opened(chromium, file, WATCH if file is ours else "")
                found.append(opened.evaluate("drawnAt"))
                opened.context.close()
    chromium.close()
    playwright.stop()
    drawn, floor = (statistics.median(found) for found in times.values())
    name = f"report page of {count:,} sessions"
    report(
        f"{name}, drawn / the charts alone",
        f"{drawn / floor:.2f} x",
        "1.3 x",
        f"{drawn:.0f} ms / {floor:.0f} ms",
    )
    report(f"{name}, a filter", f"{statistics.median(filters):.0f} ms", "400 ms")


def _opened(chromium, file, script):
    """A page once it is drawn."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(script)
    page.goto(file.as_uri())
    page.wait_for_function("window.drawnAt", timeout=1000 * workbench.PATIENCE)
    return page
