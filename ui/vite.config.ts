import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // No inlined assets and no module-preload polyfill: both would need a looser CSP.
  build: { target: ['chrome123', 'firefox128', 'safari17.5'], assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // A test reads the server's codes from its source.
  server: { proxy: { '/api': process.env.LETTERCASE_URL ?? 'http://127.0.0.1:8080' }, ...(process.env.VITEST && { fs: { allow: ['..'] } }) },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], setupFiles: ['src/test-setup.ts'], testTimeout: 30_000 },
});
