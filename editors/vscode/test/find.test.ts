import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { explain, findServer, sameProgram, type Surroundings } from '../src/server/find';
import { probe, type Probe, type Program } from '../src/server/probe';

const good: Probe = { version: [0, 1, 0] };
const folder = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'rad-lsp-')));

function program(path: string, text = ''): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function around(changes: Partial<Surroundings> = {}): Surroundings {
  return {
    serverPath: '',
    interpreter: '',
    pythonExtension: async () => ({ refusal: 'not installed' }),
    folders: [],
    trusted: true,
    path: '',
    platform: 'linux',
    home: folder(),
    probe: async () => good,
    ...changes,
  };
}

test('the nearest setting wins, and what is behind it is not asked', async () => {
  const asked: Program[] = [];
  const search = await findServer(
    around({
      serverPath: '/opt/rad-lsp',
      interpreter: '/opt/python',
      probe: async (candidate) => {
        asked.push(candidate);
        return good;
      },
    }),
  );
  assert.deepEqual(search.winner, {
    command: '/opt/rad-lsp',
    args: [],
    origin: 'radLsp.server.path',
    version: [0, 1, 0],
  });
  assert.deepEqual(asked, [{ command: '/opt/rad-lsp', args: [] }]);
});

test('each candidate that loses says why, in order', async () => {
  const on = folder();
  const search = await findServer(
    around({
      serverPath: '/opt/rad-lsp',
      interpreter: '/opt/python',
      path: on,
      probe: async ({ command }) =>
        command === '/opt/python' ? { refusal: 'no module' } : { refusal: 'too old', fault: 'old' },
    }),
  );
  assert.equal(search.winner, undefined);
  assert.deepEqual(explain(search), [
    'radLsp.server.path: /opt/rad-lsp: too old',
    'radLsp.interpreter: /opt/python -P -m rad_lsp: no module',
    'ms-python.python: not installed',
    'PATH: there is no rad-lsp on it',
    '~/.local/bin: there is no rad-lsp in it',
  ]);
  assert.equal(search.candidates[0]?.fault, 'old');
});

test('the Python extension comes before PATH', async () => {
  const on = folder();
  program(join(on, 'rad-lsp'));
  const { winner } = await findServer(
    around({ path: on, pythonExtension: async () => ({ path: '/venv/bin/python' }) }),
  );
  assert.deepEqual(winner?.args, ['-P', '-m', 'rad_lsp']);
  assert.equal(winner.origin, 'ms-python.python');
});

test('PATH is searched in order, without entries that are relative', async () => {
  const [first, second] = [folder(), folder()];
  program(join(second, 'rad-lsp'));
  const { winner } = await findServer(around({ path: ['.', '', first, second].join(delimiter) }));
  assert.equal(winner?.command, join(second, 'rad-lsp'));
});

test('where pipx and uv install is looked at last', async () => {
  const home = folder();
  program(join(home, '.local', 'bin', 'rad-lsp'));
  const { winner } = await findServer(around({ home }));
  assert.equal(winner?.origin, '~/.local/bin');
});

test('settings may name the home folder, the workspace, and programs on PATH', async () => {
  const [home, workspace, on] = [folder(), folder(), folder()];
  program(join(workspace, '.venv', 'bin', 'rad-lsp'));
  program(join(on, 'python3'));
  const command = async (changes: Partial<Surroundings>): Promise<string | undefined> =>
    (await findServer(around({ home, folders: [workspace], path: on, ...changes }))).winner?.command;
  assert.equal(await command({ serverPath: '~/bin/rad-lsp' }), join(home, 'bin', 'rad-lsp'));
  assert.equal(await command({ serverPath: '${workspaceFolder}/rad-lsp' }), join(workspace, 'rad-lsp'));
  assert.equal(await command({ serverPath: '.venv/bin/rad-lsp' }), join(workspace, '.venv', 'bin', 'rad-lsp'));
  assert.equal(await command({ interpreter: 'python3' }), join(on, 'python3'));
});

test('in Restricted Mode nothing in the workspace is run, and its Python is not asked for', async () => {
  const workspace = folder();
  const asked: string[] = [];
  const search = await findServer(
    around({
      trusted: false,
      folders: [workspace],
      serverPath: join(workspace, 'rad-lsp'),
      interpreter: '${workspaceFolder}/.venv/bin/python',
      path: join(workspace, 'bin'),
      pythonExtension: async () => assert.fail('asked'),
      probe: async ({ command }) => {
        asked.push(command);
        return good;
      },
    }),
  );
  assert.equal(search.winner, undefined);
  assert.deepEqual(asked, []);
  assert.match(explain(search).join('\n'), /is not trusted/);
});

/** Where a program may lie so that the workspace chooses it: by name, the settings or folders that lead there. */
const HIDDEN: Record<string, (workspace: string, own: string) => Partial<Surroundings>> = {
  'a link on PATH': (workspace, own) => {
    symlinkSync(program(join(workspace, 'rad-lsp')), join(own, 'rad-lsp'));
    return { path: own };
  },
  'a link to a link on PATH': (workspace, own) => {
    symlinkSync(program(join(workspace, 'rad-lsp')), join(own, 'first'));
    symlinkSync('first', join(own, 'rad-lsp'));
    return { path: own };
  },
  'a folder on PATH that is a link': (workspace, own) => {
    program(join(workspace, 'bin', 'rad-lsp'));
    symlinkSync(join(workspace, 'bin'), join(own, 'bin'));
    return { path: join(own, 'bin') };
  },
  'a folder of the workspace on PATH, spelled with ..': (workspace, own) => {
    program(join(workspace, 'rad-lsp'));
    return { path: `${own}/../${workspace.split('/').at(-1)}` };
  },
  'a link in ~/.local/bin': (workspace, own) => {
    mkdirSync(join(own, '.local', 'bin'), { recursive: true });
    symlinkSync(program(join(workspace, 'rad-lsp')), join(own, '.local', 'bin', 'rad-lsp'));
    return { home: own };
  },
  'the workspace by its real name': (workspace, own) => {
    symlinkSync(workspace, join(own, 'link'));
    return { path: '', serverPath: program(join(workspace, 'rad-lsp')), folders: [join(own, 'link')] };
  },
  'an environment of the workspace whose Python is elsewhere': (workspace, own) => {
    mkdirSync(join(workspace, '.venv', 'bin'), { recursive: true });
    symlinkSync(program(join(own, 'python')), join(workspace, '.venv', 'bin', 'python'));
    return { interpreter: join(workspace, '.venv', 'bin', 'python') };
  },
  'a link to an environment of the workspace whose Python is elsewhere': (workspace, own) => {
    mkdirSync(join(workspace, '.venv', 'bin'), { recursive: true });
    symlinkSync(program(join(own, 'python')), join(workspace, '.venv', 'bin', 'python'));
    symlinkSync(join(workspace, '.venv'), join(own, 'venv'));
    return { interpreter: join(own, 'venv', 'bin', 'python') };
  },
  'a link in the workspace to a program elsewhere': (workspace, own) => {
    program(join(own, 'real', 'rad-lsp'));
    symlinkSync(join(own, 'real'), join(workspace, 'bin'));
    symlinkSync(join(workspace, 'bin'), join(own, 'bin'));
    return { path: join(own, 'bin') };
  },
  'a script whose interpreter is in the workspace': (workspace, own) => {
    const file = program(join(own, 'rad-lsp'));
    writeFileSync(file, `#!${program(join(workspace, 'python'))}\n`);
    return { path: own };
  },
  'a script whose interpreter env finds in the workspace': (workspace, own) => {
    writeFileSync(program(join(own, 'rad-lsp')), '#!/usr/bin/env -S python3 -P\n');
    symlinkSync(program(join(workspace, 'python3')), join(own, 'python3'));
    return { path: own };
  },
  'another spelling on a system where case does not count': (workspace) => {
    program(join(workspace, 'rad-lsp'));
    return { path: workspace, folders: [workspace.toUpperCase()], platform: 'darwin' };
  },
};

for (const [what, make] of Object.entries(HIDDEN)) {
  test(`in Restricted Mode nothing in the workspace is run: ${what}`, async () => {
    const [workspace, own] = [folder(), folder()];
    const changes = { folders: [workspace], ...make(workspace, own) };
    const refused = await findServer(
      around({ ...changes, trusted: false, probe: async ({ command }) => assert.fail(`${command} was started`) }),
    );
    assert.equal(refused.winner, undefined);
    assert.match(explain(refused).join('\n'), /is not trusted/);
    assert.ok((await findServer(around({ ...changes, trusted: true }))).winner);
  });
}

test('in Restricted Mode a program elsewhere is run, and finds none in the workspace', async () => {
  const [workspace, own] = [folder(), folder()];
  const before = { ...process.env };
  program(join(workspace, 'sh'));
  program(
    join(own, 'rad-lsp'),
    'case "$PATH:$PYTHONPATH" in *WORKSPACE*) exit 1;; esac; echo rad-lsp 1.0.0'.replace('WORKSPACE', workspace),
  );
  try {
    process.env['PATH'] = ['bin', workspace, own, before['PATH']].join(delimiter);
    process.env['PYTHONPATH'] = [workspace, '.', own].join(delimiter);
    const { winner } = await findServer(
      around({ trusted: false, folders: [workspace], path: process.env['PATH'], probe: (found) => probe(found) }),
    );
    assert.equal(winner?.command, join(own, 'rad-lsp'));
    assert.deepEqual(winner.avoid, [workspace]);
  } finally {
    process.env['PATH'] = before['PATH'];
    if (before['PYTHONPATH'] === undefined) delete process.env['PYTHONPATH'];
    else process.env['PYTHONPATH'] = before['PYTHONPATH'];
  }
});

test('programs are the same when command and arguments are', () => {
  const a = { command: 'a', args: ['-m'] };
  assert.ok(sameProgram(a, { ...a }));
  assert.ok(!sameProgram(a, { command: 'a', args: [] }));
  assert.ok(!sameProgram(a, undefined));
});

test('a probe takes a server that answers', async () => {
  const command = program(join(folder(), 'rad-lsp'), 'echo rad-lsp 1.2.3');
  assert.deepEqual(await probe({ command, args: [] }), { version: [1, 2, 3] });
});

for (const [what, script, reason] of [
  ['another program', 'echo hello', /another program.*hello/],
  ['one that fails', 'echo No module named rad_lsp >&2; exit 1', /code 1: No module named rad_lsp/],
  ['one that is too old', 'echo rad-lsp 0.0.9', /0\.0\.9 is too old.*0\.1\.0/],
  ['one that does not answer, nor what it started', 'sleep 5 & sleep 5', /no answer/],
] as const) {
  test(`a probe refuses ${what}`, async () => {
    const command = program(join(folder(), 'rad-lsp'), script);
    const found = await probe({ command, args: [] }, 300);
    assert.match('refusal' in found ? found.refusal : '', reason);
  });
}

test('a probe refuses what is not there, or may not be run', async () => {
  const file = join(folder(), 'rad-lsp');
  assert.deepEqual(await probe({ command: file, args: [] }), { refusal: 'there is no such program' });
  writeFileSync(file, '');
  assert.deepEqual(await probe({ command: file, args: [] }), { refusal: 'it may not be run' });
});

test('a probe tells a program that is gone from one whose interpreter or target is', async () => {
  const own = folder();
  const script = program(join(own, 'script'));
  writeFileSync(script, `#!${join(own, 'venv', 'python')}\n`);
  assert.deepEqual(await probe({ command: script, args: [] }), {
    refusal: `its interpreter, ${join(own, 'venv', 'python')}, is gone`,
    fault: 'broken',
  });
  symlinkSync(join(own, 'removed'), join(own, 'link'));
  assert.deepEqual(await probe({ command: join(own, 'link'), args: ['-m', 'rad_lsp'] }), {
    refusal: `it is a link to ${join(own, 'removed')}, which is gone`,
    fault: 'broken',
  });
});

test('a link whose target is gone is told of where no program is found', async () => {
  const [first, second, home] = [folder(), folder(), folder()];
  symlinkSync(join(first, 'removed'), join(first, 'rad-lsp'));
  const path = [first, second].join(delimiter);
  const { candidates } = await findServer(around({ path, home, probe }));
  assert.match(candidates.find(({ origin }) => origin === 'PATH')?.refusal ?? '', /which is gone/);
  program(join(second, 'rad-lsp'), 'echo rad-lsp 1.0.0');
  const { winner } = await findServer(around({ path, home, probe }));
  assert.equal(winner?.command, join(second, 'rad-lsp'));
});

test('a module in the current folder does not pass for the server', async () => {
  const command = program(
    join(folder(), 'rad-lsp'),
    '[ "$PYTHONSAFEPATH" = 1 ] && [ "$PWD" = "$HOME" ] && echo rad-lsp 1.0.0',
  );
  assert.deepEqual(await probe({ command, args: [] }), { version: [1, 0, 0] });
});
