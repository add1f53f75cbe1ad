/** The limits of one node: connections, and memory of the process. */

/** Why a node accepts no more connections. */
export type NodeLimit = 'node_connections' | 'node_memory';

/**
 * Above this share of the memory, new handshakes are refused. The rest is reserved for existing
 * connections.
 */
const MEMORY_SHARE = 0.85;
/**
 * Reading the resident memory takes some microseconds, so a storm of handshakes shares one value.
 */
const MEMORY_READ_MS = 500;

export interface NodeLimitsOptions {
  connectionsMax: number;
  /** Undefined: not limited. */
  memoryMaxMb: number | undefined;
  /** Resident memory of the process. */
  memoryBytes: () => number;
  now: () => number;
}

/** Returns the limit that one more transport would exceed. */
export function createNodeLimits(options: NodeLimitsOptions): (transports: number) => NodeLimit | undefined {
  const { connectionsMax, memoryMaxMb, memoryBytes, now } = options;
  const refuseAboveBytes = (memoryMaxMb ?? Number.POSITIVE_INFINITY) * 1_048_576 * MEMORY_SHARE;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let isTight = false;
  return (transports) => {
    if (transports >= connectionsMax) return 'node_connections';
    if (memoryMaxMb === undefined) return undefined;
    if (now() - readAtMs >= MEMORY_READ_MS) {
      readAtMs = now();
      isTight = memoryBytes() > refuseAboveBytes;
    }
    return isTight ? 'node_memory' : undefined;
  };
}
