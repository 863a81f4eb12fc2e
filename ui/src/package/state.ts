// Where a release is in its life.

import type { Release } from '../api/types';

export type State = 'active' | 'draft' | 'scheduled' | 'yanked' | 'inactive';

export function stateOf(release: Release): State {
  if (release.active) return release.yanked === null ? 'active' : 'yanked';
  if (release.publish_at !== null) return 'scheduled';
  return release.published === null ? 'draft' : 'inactive';
}
