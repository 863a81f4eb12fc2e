// Puts a `.gz` in the place of every file that gets smaller by it. The server sends it as it is, and unpacks it for the
// few who do not take it: both in the binary would be several times its size.

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const PACKABLE = /\.(js|css|svg|txt)$/;

export function compressed(): Plugin {
  let folder = 'dist';
  return {
    name: 'packhouse-compressed',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      for (const entry of await readdir(folder, { recursive: true })) {
        if (!PACKABLE.test(entry)) continue;
        const plain = await readFile(join(folder, entry));
        const packed = gzipSync(plain, { level: 9 });
        // The tenth byte names the system it was made on, which is nobody's business and differs between them.
        packed[9] = 0xff;
        if (packed.length >= plain.length * 0.95) continue;
        await writeFile(join(folder, `${entry}.gz`), packed);
        await rm(join(folder, entry));
      }
    },
  };
}
