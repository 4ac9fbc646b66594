import { closeSync, existsSync, lstatSync, openSync, readlinkSync, readSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';

/** As many as systems follow before they give up. */
const MOST_LINKS = 40;
const SHEBANG = 256;

/** The folder that a program lies in, or that a link on the way to it or its interpreter leads through. */
export function folderHolding(
  program: string,
  folders: readonly string[],
  path: string,
  platform: NodeJS.Platform,
): string | undefined {
  const places = [program, ...interpreters(program, path, platform)].flatMap(way);
  return folders.find((folder) =>
    [folder, real(folder)].some((home) => places.some((place) => isInside(place, home, platform))),
  );
}

/** The entries of a list such as PATH that are absolute and lie in none of some folders. */
export function entriesOutside(list: string, folders: readonly string[], platform: NodeJS.Platform): string {
  const outside = (entry: string): boolean =>
    isAbsolute(entry) && folderHolding(entry, folders, '', platform) === undefined;
  return list.split(delimiter).filter(outside).join(delimiter);
}

/** The first program of a name on PATH. Entries that are no absolute path are left out: they would be looked up in the workspace. */
export function onPath(program: string, path: string, platform: NodeJS.Platform): string | undefined {
  for (const folder of path.split(delimiter)) {
    const found = isAbsolute(folder) ? inFolder(folder, program, platform) : undefined;
    if (found) return found;
  }
  return undefined;
}

export function inFolder(folder: string, program: string, platform: NodeJS.Platform): string | undefined {
  const file = join(folder, platform === 'win32' && !/\.exe$/i.test(program) ? `${program}.exe` : program);
  return attempt(() => statSync(file).isFile()) ? file : undefined;
}

/** The first link of a program's name in some folders whose target is gone. */
export function deadLink(program: string, folders: readonly string[]): string | undefined {
  return folders
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, program))
    .find((file) => missingPart(file).target !== undefined);
}

/** What a program leads to and is gone: the target of a link, or a script's interpreter. */
export function missingPart(program: string): { readonly target?: string; readonly interpreter?: string } {
  if (!attempt(() => lstatSync(program))) return {};
  if (!existsSync(program)) return { target: way(program).at(-1) ?? program };
  const [interpreter] = interpreters(program, '', process.platform);
  return interpreter === undefined || existsSync(interpreter) ? {} : { interpreter };
}

/** What a script names as its interpreter, and what `env` would find by that. */
function interpreters(script: string, path: string, platform: NodeJS.Platform): string[] {
  const line = /^#!\s*(\S+)[ \t]*(.*)/.exec(attempt(() => beginning(script)) ?? '');
  const [, program = '', words = ''] = line ?? [];
  const named = /[\\/]env$/.test(program) ? words.split(/\s+/).find((word) => !/^-|=/.test(word)) : undefined;
  const found = named && onPath(named, path, platform);
  return [program, found ?? ''].filter((place) => place !== '');
}

function beginning(file: string): string {
  if (!statSync(file).isFile()) return '';
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(SHEBANG);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

/** Every place that the system passes on its way to a file: whoever may write there chooses the file. */
function way(path: string): string[] {
  const passed = [resolve(path), real(path)];
  let place = resolve(path);
  for (let links = 0; links < MOST_LINKS; links += 1) {
    const link = firstLink(place);
    const target = link === undefined ? undefined : attempt(() => readlinkSync(link));
    if (link === undefined || target === undefined) return passed;
    place = resolve(dirname(link), target, relative(link, place));
    passed.push(place);
  }
  return passed;
}

function firstLink(path: string): string | undefined {
  let place = parse(path).root;
  for (const name of path.slice(place.length).split(sep)) {
    place = join(place, name);
    const here = place;
    if (attempt(() => lstatSync(here).isSymbolicLink())) return place;
  }
  return undefined;
}

function real(path: string): string {
  return attempt(() => realpathSync.native(path)) ?? resolve(path);
}

function isInside(place: string, folder: string, platform: NodeJS.Platform): boolean {
  const [inner, outer] = [place, folder].map((path) =>
    platform === 'win32' || platform === 'darwin' ? path.normalize('NFC').toLowerCase() : path,
  ) as [string, string];
  const steps = relative(outer, inner);
  return steps !== '..' && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
}

/** What a look at the file system gives; undefined where the system refuses. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
