import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';
import { emojiPlugin } from './emoji-plugin.ts';
import { packPlugin } from './pack-plugin.ts';

/**
 * The cluster that the development server (`vite`) uses. The built page always uses its own origin.
 */
const endpoint = process.env.MARU_ENDPOINT ?? 'http://localhost:8080';

export default defineConfig({
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), emojiPlugin(), packPlugin()],
  build: {
    outDir: 'dist',
    rolldownOptions: {
      input: { main: 'index.html', console: 'console/index.html' },
      // In one file instead of two, it is smaller. Each page needs all of it.
      output: { codeSplitting: { groups: [{ name: 'preact', test: /node_modules\/preact\// }] } },
    },
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The Content-Security-Policy allows only files of our own origin, nothing inline.
    assetsInlineLimit: 0,
    // The licences of bundled packages require that their texts are distributed with them.
    license: { fileName: 'licences.txt' },
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': { target: endpoint },
      '/socket.io': { target: endpoint, ws: true },
    },
  },
});
