// Writes src/contract.ts from the server's JSON Schema; `--check` says whether it is stale.
// The schema is read from `--schema FILE`, else from `rad-lsp --schema`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../src/contract.ts', import.meta.url));
const named = process.argv.indexOf('--schema');
const schema = JSON.parse(
  named > 0
    ? readFileSync(process.argv[named + 1], 'utf8')
    : execFileSync('rad-lsp', ['--schema'], { encoding: 'utf8' }),
);

const words = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };

function type(of) {
  if (of.$ref) return of.$ref.split('/').at(-1);
  if (of.enum) return of.enum.map((value) => JSON.stringify(value)).join(' | ');
  if ('const' in of) return JSON.stringify(of.const);
  if (of.anyOf) return of.anyOf.map(type).join(' | ');
  if (Array.isArray(of.type)) return of.type.map((name) => type({ ...of, type: name })).join(' | ');
  if (of.type === 'array') return `readonly (${of.items ? type(of.items) : 'unknown'})[]`.replace(/\((\w+)\)/, '$1');
  if (of.type === 'object') {
    return `Readonly<Record<string, ${of.additionalProperties ? type(of.additionalProperties) : 'unknown'}>>`;
  }
  return words[of.type] ?? 'unknown';
}

const comment = (text, indent = '') => (text ? [`${indent}/** ${text.replace(/\s+/g, ' ').trim()} */`] : []);

function definition(name, of) {
  if (!of.properties) return [...comment(of.description), `export type ${name} = ${type(of)};`, ''];
  const required = new Set(of.required ?? []);
  const keys = Object.entries(of.properties).flatMap(([key, value]) => [
    ...comment(value.description, '  '),
    `  readonly ${key}${required.has(key) ? '' : '?'}: ${type(value)};`,
  ]);
  return [...comment(of.description), `export interface ${name} {`, ...keys, '}', ''];
}

const lines = [
  `// ${schema.title}, generated from \`rad-lsp --schema\` by \`npm run types\`: do not edit.`,
  '',
  '/** Of the contract that these types are of. */',
  `export const VERSION = ${schema.version};`,
  '',
  ...Object.entries(schema.$defs).flatMap(([name, of]) => definition(name, of)),
  '/** Params and result of each request. */',
  'export interface Requests {',
  ...Object.entries(schema.requests).map(
    ([method, { params, result }]) =>
      `  ${JSON.stringify(method)}: { readonly params: ${type(params)}; readonly result: ${type(result)} };`,
  ),
  '}',
  '',
  '/** Params of each notification of the server. */',
  'export interface Notifications {',
  ...Object.entries(schema.notifications).map(([method, of]) => `  ${JSON.stringify(method)}: ${type(of)};`),
  '}',
  '',
];
const text = lines.join('\n');

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('src/contract.ts is stale: run `npm run types` with this server on PATH.');
  process.exitCode = 1;
}
