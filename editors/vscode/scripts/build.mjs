// Bundles the extension. `--production` minifies, `--watch` keeps on building.
import { build, context } from 'esbuild';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { trim } from './trim.mjs';

const production = process.argv.includes('--production');
const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  // The language client is most of the code and is needed only once a server is started, so it is
  // a file of its own that activation does not load.
  entryPoints: { extension: 'src/extension.ts', client: 'src/server/client.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode', './client.js'],
  plugins: [trim],
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  logLevel: 'warning',
};

if (process.argv.includes('--watch')) {
  await (await context(options)).watch();
} else {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  await build(options);
}
