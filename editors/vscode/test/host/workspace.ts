/** The workspace that the tests find open: the reports of two sessions, `older` and `newer`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Uri, window, workspace } from 'vscode';

const [folder] = workspace.workspaceFolders ?? [];
if (!folder) throw new Error('The tests need a folder that is open');

export const root = folder.uri;
export const workspaceUri = root.toString();

/** A file of the workspace. */
export function file(name: string): Uri {
  return Uri.joinPath(root, name);
}

/** The file of a session's report. */
export function report(id: string): Uri {
  return Uri.joinPath(root, '.radium', '_internals', 'sessions', `${id}.json`);
}

/** Writes the report of a session that is newer than all others, as an agent does. */
export function write(id: string, cost: number): void {
  const made = JSON.parse(readFileSync(report('newer').fsPath, 'utf8')) as { metrics: Record<string, unknown> };
  Object.assign(made.metrics, { session_id: id, total_cost: cost, end_time: '2026-01-03T10:00:00Z' });
  const whole = join(root.fsPath, `.${id}.tmp`);
  writeFileSync(whole, JSON.stringify(made, undefined, 2));
  renameSync(whole, report(id).fsPath);
}

export function remove(...uris: Uri[]): void {
  for (const uri of uris) rmSync(uri.fsPath, { force: true });
}

/** What `get` gives, once that is something; the test's own time limit ends the wait. */
export async function eventually<T>(get: () => T | Promise<T>): Promise<Exclude<T, undefined | false | 0>> {
  for (;;) {
    const found = await get();
    if (found) return found as Exclude<T, undefined | false | 0>;
    await setTimeout(20);
  }
}

/** The titles of all tabs. */
export function tabs(): string[] {
  return window.tabGroups.all.flatMap((group) => group.tabs.map(({ label }) => label));
}

/** Waits for a tab with such a title. */
export async function tab(title: RegExp): Promise<void> {
  await eventually(() => tabs().some((label) => title.test(label)));
}
