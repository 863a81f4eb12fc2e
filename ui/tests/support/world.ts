// A server with something on it: what a small team would have after a few weeks.

import type { Client, Server } from './server';

const README = `# Window

Windows and widgets for Kit applications.

## What it does

Opens **windows**, docks them, and remembers where they were. See the [guide](https://example.org/guide) or run:

\`\`\`sh
packhouse install omni.kit.window@^1 --into packages
\`\`\`

| Widget | Since |
| --- | --- |
| Button | 1.0 |
| Tree view | 1.8 |

1. Make a window.
2. Put widgets in it.
3. Show it.

> Closing the last window ends the application.
`;

const bytes = (kilobytes: number, seed: number) => {
  const out = new Uint8Array(kilobytes * 1000);
  let state = seed * 2_654_435_761;
  for (let at = 0; at < out.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
};

export interface World {
  omni: Client;
}

export async function furnish(server: Server): Promise<World> {
  const omni = await server.setUp('omni');
  const at = (name: string) => `/api/v1/packages/omni/${name}`;
  await omni.send('POST', '/api/v1/packages', { name: 'kit.window', description: README });
  for (const [channel, version, notes] of [
    ['stable', '1.8.0', '* Tree views\n* Docking'],
    ['stable', '1.9.0', 'Faster start.'],
    ['stable', '1.10.0', '## New\n\n* **Themes**: light, dark, and your own\n* Windows remember their place\n\n## Fixed\n\n* A crash when the last tab was closed (`#812`)'],
    ['beta', '2.0.0-rc.1', 'Please try the new layout engine.'],
  ] as const) {
    for (const [platform, file, size] of [
      ['linux-x64', `kit-window-${version}-linux-x64.tar.gz`, 1240],
      ['windows-x64', `kit-window-${version}-windows-x64.zip`, 1410],
      ['macos-arm64', `kit-window-${version}-macos-arm64.zip`, 1180],
    ] as const) {
      await omni.upload(`${at('kit.window')}/releases/${channel}/${version}/files/${platform}/${file}`, bytes(size, version.length + size), 'inactive');
    }
    await omni.upload(`${at('kit.window')}/releases/${channel}/${version}/files/linux-x64/kit-window-${version}-linux-x64.tar.gz.sig`, bytes(1, 7), 'inactive');
    await omni.send('PUT', `${at('kit.window')}/releases/${channel}/${version}/files/linux-x64/kit-window-${version}-linux-x64.tar.gz/manifest`, {
      package: { title: 'Kit Window', keywords: ['ui', 'widgets'], description: 'Windows and widgets for Kit applications.' },
    });
    await omni.send('PATCH', `${at('kit.window')}/releases/${channel}/${version}`, { active: true, description: notes });
  }
  await omni.send('PATCH', `${at('kit.window')}/releases/stable/1.9.0`, { yanked: 'Loses the layout on Windows; use 1.10.0.' });
  await omni.send('PUT', `${at('kit.window')}/releases/stable/1.11.0`, { description: 'Not finished yet.' });
  for (const [name, description, visibility] of [
    ['firmware.lamp', 'Firmware of the desk lamp: over-the-air images and their manifests.', 'public'],
    ['atlas', 'Street map tiles of central Europe, rebuilt every month.', 'public'],
    ['build-tools', 'Compilers and linkers that our pipelines use.', 'private'],
  ]) {
    await omni.send('POST', '/api/v1/packages', { name, description, visibility });
  }
  await omni.upload(`${at('firmware.lamp')}/releases/stable/3.2.1/files/any/lamp-3.2.1.bin`, bytes(512, 3));
  await omni.upload(`${at('atlas')}/releases/stable/2026.11/files/any/atlas-2026.11.pmtiles`, bytes(2400, 4));
  await omni.upload(`${at('build-tools')}/releases/stable/r812/files/linux-x64/tools-r812.tar.gz`, bytes(900, 5));
  return { omni };
}
