import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { l10n } from 'vscode';
import { entriesOutside, missingPart } from './places';
import { isOlder, OLDEST, parseVersion, type Version } from './version';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Folders that are not trusted: neither programs nor modules are looked for in them. */
  readonly avoid?: readonly string[];
}

/** What is wrong with a program that has been the server: installing it anew helps. */
export type Fault = 'old' | 'broken';

interface Refusal {
  readonly refusal: string;
  readonly fault?: Fault;
}

export type Probe = { readonly version: Version } | Refusal;

/** A first start of Python on a slow disk takes seconds. */
const PATIENCE = 10_000;
const MOST_OUTPUT = 4_096;

/**
 * How every program of the server is started: never with the workspace as current folder or on
 * Python's module path, so that no file of the workspace passes for a module of the server.
 */
export function spawnOptions({ avoid = [] }: Program): { cwd: string; env: NodeJS.ProcessEnv } {
  const env: NodeJS.ProcessEnv = { ...process.env, PYTHONSAFEPATH: '1', PYTHONUNBUFFERED: '1' };
  if (avoid.length) {
    // Windows spells the names in its own way.
    for (const name of Object.keys(env).filter((key) => /^(PATH|PYTHONPATH)$/i.test(key))) {
      env[name] = entriesOutside(env[name] ?? '', avoid, process.platform);
    }
  }
  return { cwd: homedir(), env };
}

/** Whether a program is a server that this extension can use: `--version` says so in time. */
export async function probe(program: Program, patience = PATIENCE): Promise<Probe> {
  const result = await run(program, patience);
  if ('refusal' in result) return result;
  const version = parseVersion(result.stdout);
  if (result.code !== 0) {
    const said = lastLine(result.stderr) || lastLine(result.stdout);
    const refusal = l10n.t('--version ended with code {0}: {1}', String(result.code), said || '-');
    // A Python that lacks the server is no fault; a program of the server's own that fails is.
    return program.args.length ? { refusal } : { refusal, fault: 'broken' };
  }
  if (!version) {
    return { refusal: l10n.t('it is another program; --version printed {0}', JSON.stringify(lastLine(result.stdout))) };
  }
  if (isOlder(version, OLDEST)) {
    const words = l10n.t('version {0} is too old: this extension needs {1}', version.join('.'), OLDEST.join('.'));
    return { refusal: words, fault: 'old' };
  }
  return { version };
}

interface Output {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(program: Program, patience: number): Promise<Output | Refusal> {
  return new Promise((resolve) => {
    const output: Output = { code: null, stdout: '', stderr: '' };
    const child = spawn(program.command, [...program.args, '--version'], {
      ...spawnOptions(program),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    // Not left to the process's end: what it started may hold its output open for ever.
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ refusal: l10n.t('no answer to --version within {0} s', String(patience / 1000)) });
    }, patience);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8');
      child[stream].on('data', (text: string) => {
        output[stream] = (output[stream] + text).slice(0, MOST_OUTPUT);
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(reason(error, program.command));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ ...output, code });
    });
  });
}

function reason(error: NodeJS.ErrnoException, command: string): Refusal {
  if (error.code === 'EACCES') return { refusal: l10n.t('it may not be run') };
  if (error.code !== 'ENOENT') return { refusal: error.message };
  // The system says the same of a script whose interpreter is missing as of a missing program.
  const { target, interpreter } = missingPart(command);
  if (target !== undefined) return { refusal: l10n.t('it is a link to {0}, which is gone', target), fault: 'broken' };
  if (interpreter !== undefined) {
    return { refusal: l10n.t('its interpreter, {0}, is gone', interpreter), fault: 'broken' };
  }
  return { refusal: l10n.t('there is no such program') };
}

function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1)?.slice(0, 200) ?? '';
}
