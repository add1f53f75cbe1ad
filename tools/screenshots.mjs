/**
 * `node tools/screenshots.mjs`: installs what is missing, then makes the pictures of the web client
 * in docs/images with tests/screenshots. Names of pictures choose some, `--out` another folder.
 */
import './bootstrap/require-node.mjs';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { environmentWithout, startTool } from './bootstrap/starter.mjs';
import { ensureWebBuilt } from './bootstrap/web.mjs';

startTool(async (args, handOver, given) => {
  await ensureDependencies(given);
  const node = pinnedNode();
  for (const program of /** @type {const} */ (['redis', 'nginx', 'postgres', 'chromium']))
    await ensureProgram(program, given);
  await ensureWebBuilt({ node, ...given });
  return handOver(node, [join(ROOT, 'tests/screenshots/main.ts'), ...args], {
    environment: environmentWithout('MARU_'),
  });
});
