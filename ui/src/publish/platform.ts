// Guesses from a file's name which platform it is for. Only platforms that the owner has come out of it.

export interface Guess {
  platform: string;
  /** Whether the name said so, or it is only where such a file goes without a sign. */
  sure: boolean;
}

const SYSTEMS: Record<string, string[]> = {
  linux: ['linux', 'gnu', 'musl', 'ubuntu', 'debian', 'fedora', 'rhel', 'manylinux', 'appimage', 'deb', 'rpm', 'snap', 'flatpak', 'tux', 'lx64'],
  windows: ['windows', 'win', 'win32', 'win64', 'msvc', 'mingw', 'mingw64', 'exe', 'msi', 'msix', 'appx', 'nupkg', 'wx64', 'x64-windows'],
  macos: ['macos', 'mac', 'osx', 'darwin', 'apple', 'dmg', 'pkg', 'macosx', 'mx64'],
  android: ['android', 'apk', 'aab'],
  ios: ['ios', 'ipa', 'iphoneos'],
  freebsd: ['freebsd'],
};

const MACHINES: Record<string, string[]> = {
  x64: ['x64', 'amd64', 'x86_64', 'x86-64', 'win64', 'intel', 'intel64', 'mingw64', 'lx64', 'wx64', 'mx64', '64bit', 'linux64', 'mac64'],
  arm64: ['arm64', 'aarch64', 'armv8', 'silicon', 'applesilicon', 'm1', 'arm64e'],
  x86: ['x86', 'i386', 'i486', 'i586', 'i686', 'ia32', 'win32', '32bit', '386'],
  arm: ['armv7', 'armv7l', 'armhf', 'armv6', 'arm', 'arm32', 'gnueabihf'],
  riscv64: ['riscv64', 'riscv64gc'],
  universal: ['universal', 'universal2', 'fat'],
};

/** Words under which owners may keep the same platform: `mac-arm64`, `darwin-aarch64`, `osx.arm64`. */
function namesOf(table: Record<string, string[]>, word: string): string | undefined {
  return Object.entries(table).find(([name, words]) => name === word || words.includes(word))?.[0];
}

function words(text: string): string[] {
  const lower = text.toLowerCase();
  // Machines whose names have the separators in them are taken first.
  const whole = ['x86_64', 'x86-64'].filter((name) => lower.includes(name));
  const rest = whole.reduce((left, name) => left.replaceAll(name, ' '), lower);
  const parts = rest.split(/[^a-z0-9]+/).filter(Boolean);
  // `linux64`, `win11x64`: a system's word with something behind it.
  const glued = parts.flatMap((part) => {
    const match = /^(linux|windows|win|macos|mac|darwin|osx|android|ios|freebsd)[0-9]*(x64|x86|arm64|amd64|aarch64|64|32)?$/.exec(part);
    if (!match) return [part];
    const machine = match[2] === '64' ? 'x64' : match[2] === '32' ? 'x86' : match[2];
    return machine ? [part, match[1] ?? '', machine] : [part, match[1] ?? ''];
  });
  return [...whole, ...glued];
}

interface Traits {
  system: string | undefined;
  machine: string | undefined;
}

function traits(text: string): Traits {
  const found = words(text);
  const pick = (table: Record<string, string[]>) => {
    for (const word of found) {
      const name = namesOf(table, word);
      if (name) return name;
    }
    return undefined;
  };
  // `x86` loses to a more telling word: `win32-x64`, `x86_64-pc-windows-msvc`.
  const machines = found.map((word) => namesOf(MACHINES, word)).filter((name) => name !== undefined);
  const machine = machines.find((name) => name !== 'x86' && name !== 'arm') ?? machines[0];
  return { system: pick(SYSTEMS), machine };
}

export function guessPlatform(fileName: string, platforms: readonly string[]): Guess {
  const lower = fileName.toLowerCase();
  const delimited = (name: string) =>
    new RegExp(`(^|[^a-z0-9])${name.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}($|[^a-z0-9])`).test(lower);
  // A platform of the owner's that stands in the name as it is wins, the longest first.
  const literal = platforms.filter((name) => name !== 'any' && delimited(name)).sort((a, b) => b.length - a.length)[0];
  if (literal) return { platform: literal, sure: true };

  const file = traits(fileName);
  const known = platforms.map((name) => ({ name, ...traits(name) }));
  const fits = (exactMachine: string | undefined) =>
    known.find((one) => one.system !== undefined && one.system === file.system && one.machine === exactMachine)?.name;
  if (file.system) {
    const found =
      (file.machine && fits(file.machine)) ??
      // A universal build of macOS runs on both; without a word about the machine, most are for x64.
      (file.machine === 'universal' || (!file.machine && file.system === 'macos') ? fits('arm64') : undefined) ??
      (file.machine ? undefined : fits('x64')) ??
      fits(undefined);
    if (found) return { platform: found, sure: file.machine !== undefined };
  } else if (file.machine) {
    const only = known.filter((one) => one.machine === file.machine);
    if (only.length === 1 && only[0]) return { platform: only[0].name, sure: false };
    const linux = only.find((one) => one.system === 'linux');
    if (linux && /\.(tar\.(gz|xz|zst|bz2)|tgz)$/.test(lower)) return { platform: linux.name, sure: false };
  }
  return { platform: platforms.includes('any') ? 'any' : (platforms[0] ?? 'any'), sure: false };
}

/** The platform of the machine that this runs on, by what its browser tells. */
export function visitorPlatform(agent: string, hints: { platform?: string; architecture?: string } = {}): Traits {
  const text = `${hints.platform ?? ''} ${agent}`.toLowerCase();
  const system = /android/.test(text) ? 'android'
    : /iphone|ipad/.test(text) ? 'ios'
    : /windows|win64|win32/.test(text) ? 'windows'
    : /mac os|macintosh|macos/.test(text) ? 'macos'
    : /freebsd/.test(text) ? 'freebsd'
    : /linux|x11|cros/.test(text) ? 'linux'
    : undefined;
  const told = (hints.architecture ?? '').toLowerCase();
  const machine = told === 'arm' || /aarch64|arm64/.test(text) ? 'arm64'
    : told === 'x86' || /x86_64|win64|x64|amd64|wow64/.test(text) ? 'x64'
    // Browsers on macOS say Intel whatever they run on.
    : system === 'macos' ? 'arm64'
    : system === 'linux' || system === 'windows' ? 'x64' : undefined;
  return { system, machine: system === 'macos' && !told ? 'arm64' : machine };
}

/** Which of the platforms suits such a machine: its own, else `any`. */
export function suitable(platforms: readonly string[], machine: Traits): string | undefined {
  const known = platforms.map((name) => ({ name, ...traits(name) }));
  const same = known.filter((one) => one.system !== undefined && one.system === machine.system);
  return (
    same.find((one) => one.machine === machine.machine)?.name ??
    same.find((one) => one.machine === 'universal' || one.machine === undefined)?.name ??
    (platforms.includes('any') ? 'any' : undefined) ??
    // macOS runs the other machine's programs as well, Windows on ARM those for x64.
    (machine.system === 'macos' || machine.machine === 'arm64' ? same.find((one) => one.machine === 'x64')?.name : undefined)
  );
}

/** A platform as people say it: `linux-x64` is Linux x64. Others stay as they are. */
export function platformLabel(name: string): string {
  const labels: Record<string, string> = { linux: 'Linux', windows: 'Windows', macos: 'macOS', android: 'Android', ios: 'iOS', freebsd: 'FreeBSD' };
  const match = /^([a-z]+)[-.](x64|arm64|x86|arm|universal|riscv64)$/.exec(name);
  const system = match?.[1] === undefined ? undefined : labels[match[1]];
  return match && system ? `${system} ${match[2] ?? ''}` : name;
}
