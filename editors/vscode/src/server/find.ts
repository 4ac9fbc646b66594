import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { l10n } from 'vscode';
import { deadLink, folderHolding, inFolder, onPath } from './places';
import type { Fault, Probe, Program } from './probe';
import type { Version } from './version';

export type Origin = 'radLsp.server.path' | 'radLsp.interpreter' | 'ms-python.python' | 'PATH' | '~/.local/bin';

export interface Candidate {
  readonly origin: Origin;
  readonly program?: Program;
  /** Why it was not started; undefined for the one that was, and those behind it. */
  readonly refusal?: string;
  /** It is the server, but too old, or no longer whole. */
  readonly fault?: Fault;
}

export interface Winner extends Program {
  readonly origin: Origin;
  readonly version: Version;
}

export interface Search {
  readonly candidates: readonly Candidate[];
  readonly winner?: Winner;
}

/** What the search depends on, so that it can be told in a test. */
export interface Surroundings {
  readonly serverPath: string;
  readonly interpreter: string;
  /** The Python extension's interpreter for the workspace, or why there is none. */
  readonly pythonExtension: () => Promise<{ path: string } | { refusal: string }>;
  readonly folders: readonly string[];
  readonly trusted: boolean;
  readonly path: string;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly probe: (program: Program) => Promise<Probe>;
}

/** The first program that answers as the server, and what became of those before it. */
export async function findServer(around: Surroundings): Promise<Search> {
  const candidates: Candidate[] = [];
  for (const origin of [
    'radLsp.server.path',
    'radLsp.interpreter',
    'ms-python.python',
    'PATH',
    '~/.local/bin',
  ] as const) {
    const program = await name(origin, around);
    if (typeof program === 'string') {
      candidates.push({ origin, refusal: program });
      continue;
    }
    const avoid = around.trusted ? [] : around.folders;
    const inside = around.trusted ? undefined : folderHolding(program.command, avoid, around.path, around.platform);
    if (inside !== undefined) {
      const refusal = l10n.t('it lies in {0}, which is not trusted', inside);
      candidates.push({ origin, program, refusal });
      continue;
    }
    const named: Program = avoid.length ? { ...program, avoid } : program;
    const found = await around.probe(named);
    if ('version' in found) {
      candidates.push({ origin, program: named });
      return { candidates, winner: { ...named, origin, version: found.version } };
    }
    candidates.push({ origin, program: named, refusal: found.refusal, ...(found.fault && { fault: found.fault }) });
  }
  return { candidates };
}

/** A line for each candidate, for the log and for debug information. */
export function explain(search: Search): string[] {
  return search.candidates.map(({ origin, program, refusal }) => {
    const what = program ? `${origin}: ${[program.command, ...program.args].join(' ')}` : origin;
    if (refusal !== undefined) return `${what}: ${refusal}`;
    return `${what}: rad-lsp ${search.winner?.version.join('.') ?? ''}`;
  });
}

/** The same program, whatever made it win. */
export function sameProgram(a: Program | undefined, b: Program | undefined): boolean {
  return JSON.stringify([a?.command, a?.args]) === JSON.stringify([b?.command, b?.args]);
}

async function name(origin: Origin, around: Surroundings): Promise<Program | string> {
  // With -P the current folder is no place for modules.
  const module = ['-P', '-m', 'rad_lsp'];
  switch (origin) {
    case 'radLsp.server.path':
      return configured(around.serverPath, [], around);
    case 'radLsp.interpreter':
      return configured(around.interpreter, module, around);
    case 'ms-python.python': {
      if (!around.trusted) return l10n.t('not used in Restricted Mode');
      const python = await around.pythonExtension();
      return 'path' in python ? { command: python.path, args: module } : python.refusal;
    }
    case 'PATH': {
      const found =
        onPath('rad-lsp', around.path, around.platform) ?? deadLink('rad-lsp', around.path.split(delimiter));
      return found ? { command: found, args: [] } : l10n.t('there is no rad-lsp on it');
    }
    case '~/.local/bin': {
      // pipx and uv put programs there, and editors started from a desktop often lack it on PATH.
      const bin = join(around.home, '.local', 'bin');
      const found = inFolder(bin, 'rad-lsp', around.platform) ?? deadLink('rad-lsp', [bin]);
      return found ? { command: found, args: [] } : l10n.t('there is no rad-lsp in it');
    }
  }
}

function configured(setting: string, args: string[], around: Surroundings): Program | string {
  const text = setting.trim();
  if (!text) return l10n.t('not set');
  const expanded = text
    .replace(/^~(?=$|[\\/])/, around.home)
    .replaceAll('${userHome}', around.home)
    .replaceAll('${workspaceFolder}', around.folders[0] ?? '');
  if (isAbsolute(expanded)) return { command: expanded, args };
  if (!/[\\/]/.test(expanded)) {
    const found = onPath(expanded, around.path, around.platform);
    return found ? { command: found, args } : l10n.t('there is no {0} on PATH', expanded);
  }
  const places = around.folders.map((folder) => resolve(folder, expanded));
  const command = places.find((place) => existsSync(place)) ?? places[0];
  return command ? { command, args } : l10n.t('{0} is relative, and no folder is open', expanded);
}

export const HOME = homedir();
