/**
 * One cluster of two gateways for all test files that do not change it. `tools/test.mjs` starts it
 * once (this file is its `--test-global-setup`). A file that runs alone starts its own cluster.
 */
import { after } from 'node:test';
import { type Cluster, type ClusterView, startCluster, troubleIn, viewCluster } from './cluster.ts';

const VARIABLE = 'MARU_TEST_CLUSTER';
const TROUBLE_LINES_MAX = 40;
let global: Cluster | undefined;

export async function globalSetup(): Promise<void> {
  global = await startCluster({ gateways: 2, archive: true });
  const { endpoint, dataDir, jwtSecret } = global;
  process.env[VARIABLE] = JSON.stringify({ endpoint, dataDir, jwtSecret });
}

export async function globalTeardown(): Promise<void> {
  if (global === undefined) return;
  const trouble = troubleIn(global.dataDir, TROUBLE_LINES_MAX);
  if (trouble.length > 0) console.error(`Trouble in the logs of the shared cluster:\n${trouble.join('\n')}`);
  await global.stop();
}

/**
 * Tests do not change this cluster, so its gateways are cached. Each query would start a process.
 */
function rememberGateways(view: ClusterView): ClusterView {
  let gateways: ReturnType<ClusterView['gateways']> | undefined;
  return {
    ...view,
    gateways() {
      gateways ??= view.gateways();
      gateways.catch(() => {
        gateways = undefined;
      });
      return gateways;
    },
  };
}

/** Await it at the top of a test file. */
export async function sharedCluster(): Promise<ClusterView> {
  const shared = process.env[VARIABLE];
  if (shared !== undefined)
    return rememberGateways(viewCluster(JSON.parse(shared) as Parameters<typeof viewCluster>[0]));
  const own = await startCluster({ gateways: 2, archive: true });
  after(() => own.stop());
  return rememberGateways(own);
}
