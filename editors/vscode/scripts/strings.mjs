// Writes l10n/bundle.l10n.json, the strings that translators see; `--check` says whether it is
// stale, and whether package.json and package.nls.json name the same keys.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const found = new Set();
for (const name of readdirSync(path('src'), { recursive: true })) {
  if (!name.endsWith('.ts')) continue;
  const source = readFileSync(path(`src/${name}`), 'utf8');
  for (const [, literal] of source.matchAll(/\bl10n\.t\(\s*('(?:[^'\\\n]|\\.)*')/g)) {
    found.add(JSON.parse(`"${literal.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')}"`));
  }
  const calls = source.match(/\bl10n\.t\(/g)?.length ?? 0;
  const literals = source.match(/\bl10n\.t\(\s*'/g)?.length ?? 0;
  if (calls !== literals) throw new Error(`${name}: l10n.t takes a literal in single quotes`);
}
const bundle = `${JSON.stringify(Object.fromEntries([...found].sort().map((text) => [text, text])), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(path('l10n/bundle.l10n.json'), bundle);
} else {
  const faults = [];
  if (readFileSync(path('l10n/bundle.l10n.json'), 'utf8') !== bundle) {
    faults.push('l10n/bundle.l10n.json is stale: run `npm run strings`.');
  }
  const manifest = readFileSync(path('package.json'), 'utf8');
  const used = new Set([...manifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
  const given = new Set(Object.keys(JSON.parse(readFileSync(path('package.nls.json'), 'utf8'))));
  for (const key of used) if (!given.has(key)) faults.push(`package.nls.json has no ${key}`);
  for (const key of given) if (!used.has(key)) faults.push(`package.json does not use ${key}`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length ? 1 : 0;
}
