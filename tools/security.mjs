/**
 * `npm run test:security`: installs what is missing, then runs tests/security on the pinned
 * Node.js.
 * Plain JavaScript for Node.js 20 or newer. For the options see `--help`.
 */
import './bootstrap/require-node.mjs';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ensureProgram } from './bootstrap/programs.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { asksForHelp, environmentWithout, startTool } from './bootstrap/starter.mjs';
import { ensureWebBuilt } from './bootstrap/web.mjs';

startTool(async (args, handOver, given) => {
  await ensureDependencies(given);
  const node = pinnedNode();
  if (!asksForHelp(args)) {
    await ensureProgram('redis', given);
    await ensureProgram('nginx', given);
    await ensureWebBuilt({ node, ...given });
  }
  return handOver(node, [join(ROOT, 'tests/security/main.ts'), ...args], { environment: environmentWithout('MARU_') });
});
