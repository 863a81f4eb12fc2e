import { expect, it } from 'vitest';

import { routeOf, splitFullName, to } from './routes';

it.each([
  [to.home, { view: 'home' }],
  [to.package('omni', 'kit.window'), { view: 'package', namespace: 'omni', name: 'kit.window' }],
  [to.newRelease('omni', 'a'), { view: 'newRelease', namespace: 'omni', name: 'a' }],
  [
    to.release('omni', 'a', 'stable', '1.0.0+b'),
    { view: 'release', namespace: 'omni', name: 'a', channel: 'stable', version: '1.0.0+b' },
  ],
  [
    to.editRelease('omni', 'a', 'stable', '1.0.0'),
    { view: 'editRelease', namespace: 'omni', name: 'a', channel: 'stable', version: '1.0.0' },
  ],
  [to.namespace('omni'), { view: 'namespace', namespace: 'omni' }],
  [to.account('tokens'), { view: 'account', section: 'tokens' }],
  [to.admin(), { view: 'admin', section: '' }],
  ['/account/', { view: 'account', section: '' }],
  ['/account/x', { view: 'nowhere' }],
  ['/api', { view: 'nowhere' }],
  ['/p/omni', { view: 'nowhere' }],
  ['/p/omni/a/b', { view: 'nowhere' }],
  ['/%ff', { view: 'nowhere' }],
])('%s', (path, route) => {
  expect(routeOf(path)).toEqual(route);
});

it('links to a namespace that another page hides go another way', () => {
  expect(to.namespace('admin')).toBe('/?owner=admin');
});

it('the first dot of a full name splits it', () => {
  expect(splitFullName('omni.kit.window')).toEqual(['omni', 'kit.window']);
});
