/** The oldest server that has all that this extension asks for. */
export const OLDEST: Version = [0, 1, 0];

export type Version = readonly [number, number, number];

/** What `rad-lsp --version` printed, or undefined when another program spoke. */
export function parseVersion(output: string): Version | undefined {
  const found = /^rad-lsp (\d+)\.(\d+)(?:\.(\d+))?/.exec(output.trim());
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

export function isOlder(a: Version, b: Version): boolean {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
}
