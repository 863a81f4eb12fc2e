import { expect, it } from 'vitest';

import { nextVersion, versionInName, versionInNames } from './version';

it.each([
  ['app-1.10.0-linux-x64.tar.gz', '1.10.0'],
  ['app_1.2.3_amd64.deb', '1.2.3'],
  ['app-v2.0.zip', '2.0'],
  ['App Setup 1.0.0.exe', '1.0.0'],
  ['app-2.0.0-rc.1-win.zip', '2.0.0-rc.1'],
  ['app-2.0.0-beta2.zip', '2.0.0-beta2'],
  ['omni.kit.window-1.0.0+wx64.r.zip', '1.0.0'],
  ['data-2026.11.21.csv', '2026.11.21'],
  ['app-1.2.3.4.msi', '1.2.3.4'],
  ['mp3player.zip', undefined],
  ['x86_64.zip', undefined],
  ['app.zip', undefined],
  ['app-7.zip', undefined],
])('the version in %s', (name, version) => {
  expect(versionInName(name)).toBe(version);
});

it('names that disagree say nothing', () => {
  expect(versionInNames(['a-1.0.0.zip', 'b-1.0.0.zip', 'LICENSE'])).toBe('1.0.0');
  expect(versionInNames(['a-1.0.0.zip', 'b-1.0.1.zip'])).toBeUndefined();
});

it.each([
  [undefined, '1.0.0'],
  ['1.10.0', '1.10.1'],
  ['1.9', '1.10'],
  ['2.0.0-rc.1', '2.0.0-rc.2'],
  ['2.0.0-beta', '2.0.0-beta.1'],
  ['1.0.0+build.7', '1.0.1'],
  ['2026.11.21', '2026.11.22'],
  ['r812', 'r813'],
  ['final', 'final.1'],
])('after %s', (last, next) => {
  expect(nextVersion(last)).toBe(next);
});
