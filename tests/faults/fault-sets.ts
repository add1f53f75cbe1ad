/** The sets of faults that a run chooses from. */
import { ARCHIVE_FAULTS } from './archive-faults.ts';
import { PROCESS_FAULTS } from './cluster-faults.ts';
import { COMMAND_FAULTS } from './command-faults.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import { EDGE_FAULTS } from './edge-faults.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { Fault } from './fault.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import type { FaultOptions } from './options.ts';
import { redisClusterFaults } from './redis-cluster-faults.ts';
import { sentinelFaults } from './sentinel-faults.ts';
import { silentFaults } from './silent-faults.ts';
import { STORE_FAULTS } from './store-faults.ts';

type ClusterFault = Fault<ClusterEnvironment>;

/** The faults for any store. */
export const COMMON_FAULTS: readonly ClusterFault[] = [...PROCESS_FAULTS, ...COMMAND_FAULTS, ...EDGE_FAULTS];

/** Other faults that a cluster with an archive must survive. */
const ALSO_WITH_ARCHIVE = ['gateway killed', 'store killed', 'log rolled back'];
/** Faults of a run with a given number of acts. */
const KILLS = ['gateway killed'];
const KILLS_WITH_ARCHIVE = ['gateway killed', 'store killed', 'archiver killed', 'archive killed'];

const named = (faults: readonly ClusterFault[], names: readonly string[]) =>
  faults.filter(({ name }) => names.includes(name));

/** The faults of one Redis, with the requested long outage. */
export const storeFaults = ({ outageSeconds }: FaultOptions) => lengthened(STORE_FAULTS, outageSeconds);

export const archiveFaults = ({ outageSeconds }: FaultOptions): readonly ClusterFault[] => [
  ...lengthened(ARCHIVE_FAULTS, outageSeconds),
  ...named([...PROCESS_FAULTS, ...STORE_FAULTS], ALSO_WITH_ARCHIVE),
];

export const killsOf = (archive: boolean): readonly ClusterFault[] =>
  archive
    ? named([...PROCESS_FAULTS, ...STORE_FAULTS, ...ARCHIVE_FAULTS], KILLS_WITH_ARCHIVE)
    : named(PROCESS_FAULTS, KILLS);

function lengthened(faults: readonly ClusterFault[], outageSeconds: number): readonly ClusterFault[] {
  const holdMs = [outageSeconds * 1_000, outageSeconds * 1_000] as const;
  return faults.map((fault) => (fault.long ? { ...fault, holdMs } : fault));
}

export function namesOf(options: FaultOptions): string[] {
  const own: ReadonlyArray<{ name: string }> =
    options.store === 'sentinel'
      ? sentinelFaults(options.waitReplicas)
      : options.store === 'cluster'
        ? redisClusterFaults(options.waitReplicas)
        : [...STORE_FAULTS, ...DISK_FAULTS, ...NETWORK_FAULTS, ...ARCHIVE_FAULTS];
  return [...COMMON_FAULTS, ...own, ...silentFaults(options.store)].map(({ name }) => name);
}
