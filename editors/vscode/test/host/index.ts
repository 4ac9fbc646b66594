/** Where VS Code's extension host begins the tests that run in it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs every test, and leaves what came of each in `report.json`; fails when one did. */
export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const reporterOptions = { output: join(__dirname, 'report.json') };
  const mocha = new Mocha({ ui: 'bdd', reporter: 'json', reporterOptions, timeout: 20_000 });
  for (const name of readdirSync(__dirname)) {
    if (name.endsWith('.test.js')) mocha.addFile(join(__dirname, name));
  }
  await mocha.loadFilesAsync();
  const failed = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failed) throw new Error(`${failed} tests in the extension host failed`);
}
