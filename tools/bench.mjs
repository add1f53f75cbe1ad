/**
 * `npm run bench`: installs what is missing, then runs bench/ on the pinned Node.js. Plain
 * JavaScript for Node.js 20 or newer. For the options see `--help`.
 */
import './bootstrap/require-node.mjs';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { asksForHelp, startTool } from './bootstrap/starter.mjs';

startTool(async (args, handOver, given) => {
  await ensureDependencies(given);
  if (!asksForHelp(args)) {
    await ensureProgram('redis', given);
    await ensureProgram('nginx', given);
  }
  return handOver(pinnedNode(), [join(ROOT, 'bench/src/main.ts'), ...args]);
});
