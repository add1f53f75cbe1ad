/**
 * `npm run test:kube`: sets itself up, then runs tests/kube against the cluster that KUBECONFIG names. Plain
 * JavaScript for any Node ≥ 20. Options are the suite's own; see `--help`. A cluster and kubectl are the user's, and never installed.
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
