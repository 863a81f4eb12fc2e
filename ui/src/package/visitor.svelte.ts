// The device that this page is shown on, asked for once.

import type { Release, ReleaseFile } from '../api/types';
import { suitable, visitorPlatform } from '../publish/platform';

interface AgentData {
  platform?: string;
  getHighEntropyValues?: (hints: string[]) => Promise<{ architecture?: string; platform?: string }>;
}

const data = (navigator as Navigator & { userAgentData?: AgentData }).userAgentData;

class Visitor {
  machine = $state.raw(visitorPlatform(navigator.userAgent, data?.platform ? { platform: data.platform } : {}));

  constructor() {
    // Browsers may decline to say more; then the guess is a little worse.
    data?.getHighEntropyValues?.(['architecture']).then(
      (told) => (this.machine = visitorPlatform(navigator.userAgent, told)),
      () => undefined,
    );
  }
}

const visitor = new Visitor();

/** The first file of each platform, which is what one downloads; later ones are signatures and the like. */
export function archives(release: Release): ReleaseFile[] {
  const seen = new Set<string>();
  return release.files.filter((file) => {
    if (seen.has(file.platform)) return false;
    seen.add(file.platform);
    return true;
  });
}

export function fileForVisitor(release: Release): ReleaseFile | undefined {
  const files = archives(release);
  const platform = suitable(files.map((file) => file.platform), visitor.machine);
  return files.find((file) => file.platform === platform);
}
