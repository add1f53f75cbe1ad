/**
 * `npm run test:kube`: installs npm packages, then runs tests/kube on the cluster of KUBECONFIG.
 * Plain JavaScript for Node.js 20 or newer. For the options see `--help`. The user provides the
 * cluster and kubectl.
 */
import './bootstrap/require-node.mjs';
import { join } from 'node:path';
import { ensureDependencies } from './bootstrap/dependencies.mjs';
import { pinnedNode } from './bootstrap/node.mjs';
import { ROOT } from './bootstrap/root.mjs';
import { environmentWithout, startTool } from './bootstrap/starter.mjs';

startTool(async (args, handOver, given) => {
  await ensureDependencies(given);
  return handOver(pinnedNode(), [join(ROOT, 'tests/kube/main.ts'), ...args], {
    environment: environmentWithout('MARU_'),
  });
});
