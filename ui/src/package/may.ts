// What the visitor may do to a package, as far as the pages need to know. The server decides.

import type { Package } from '../api/types';
import { session } from '../state/session.svelte';

export const may = {
  publish: (item: Package | undefined): boolean =>
    item?.role === 'owner' || item?.role === 'maintainer' || (item !== undefined && session.user?.admin === true),
  own: (item: Package | undefined): boolean =>
    item?.role === 'owner' || (item !== undefined && session.user?.admin === true),
};
