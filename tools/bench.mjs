/**
 * `npm run bench`: installs missing dependencies, then runs bench/ with the pinned Node.js. Plain
 * JavaScript, so it starts on Node.js 20 or newer. `--help` shows the options.
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
