// How `dist` is made: hashed files under `assets`, each with a compressed twin, the same bytes every time.

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { compressed } from './build/compressed.ts';

export default defineConfig({
  plugins: [svelte(), compressed()],
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Inlined files would be `data:` addresses, which the server's policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 200,
    // What every first view needs comes in one file: each further one costs the browser more than it would save.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } } },
  },
  server: {
    proxy: { '^/(api|download|t)/': process.env['PACKHOUSE_SERVER'] ?? 'http://127.0.0.1:8080' },
  },
  test: { include: ['src/**/*.test.ts', 'build/**/*.test.ts'] },
});
