// Versions: what a file's name says, and what would come next.

const IN_NAME = /(?:^|[^0-9a-z.])v?(\d+(?:\.\d+){1,3}(?:-(?:alpha|beta|rc|pre|dev|preview|nightly)(?:[.-]?\d+)*)?)(?=$|[^0-9a-z]|\.[a-z])/i;

/** The version that stands in a file's name, if one does. */
export function versionInName(fileName: string): string | undefined {
  return IN_NAME.exec(fileName)?.[1];
}

/** The version that all names agree on. */
export function versionInNames(fileNames: readonly string[]): string | undefined {
  const found = new Set(fileNames.map(versionInName).filter((version) => version !== undefined));
  return found.size === 1 ? [...found][0] : undefined;
}

export const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+_~-]{0,63}$/;

/** What comes after these: the first is the highest on the channel, if there is one. */
export function nextVersion(last: string | undefined): string {
  if (last === undefined) return '1.0.0';
  const [core = '', ...suffix] = last.split('+')[0]?.split('-') ?? [];
  const before = suffix.join('-');
  // 2.0.0-rc.1 is followed by 2.0.0-rc.2.
  const counted = /^(.*?)(\d+)$/.exec(before);
  if (counted) return `${core}-${counted[1] ?? ''}${Number(counted[2]) + 1}`;
  if (before) return `${core}-${before}.1`;
  const tail = /^(.*?)(\d+)$/.exec(core);
  return tail ? `${tail[1] ?? ''}${Number(tail[2]) + 1}` : `${core}.1`;
}
