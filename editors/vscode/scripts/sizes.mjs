// Prints the sizes of what is shipped, and fails where one passes its limit.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const size = (name) => statSync(fileURLToPath(new URL(`../dist/${name}`, import.meta.url))).size;
const sizes = [
  ['bundle', size('extension.js') + size('client.js'), 450_000],
  ['vsix', size('rad-lsp.vsix'), 400_000],
];
for (const [name, bytes, limit] of sizes) {
  console.log(`${name}: ${bytes} bytes of at most ${limit}`);
  if (bytes > limit) process.exitCode = 1;
}
