// The device that this page is shown on, asked for once.

import type { Offer, Release, ReleaseFile } from '../api/types';
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

/** The files that are the release for their platforms, without those that stand beside them. */
export function archives(release: Release): ReleaseFile[] {
  return release.files.filter((file) => file.role === 'archive');
}

/** What this device is offered: what its platform is, else what all platforms without files of their own are. */
export function offerForVisitor(offers: readonly Offer[]): Offer | undefined {
  const fitting = offers.filter((offer) => offer.platform !== 'any');
  const platform = suitable(fitting.map((offer) => offer.platform ?? 'any'), visitor.machine);
  return fitting.find((offer) => (offer.platform ?? 'any') === platform);
}
