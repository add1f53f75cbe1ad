/** Nodes: their leases, epochs, and what has to be removed when an epoch ends. */
import { nodeKeys, pairsKey } from '../keys.ts';
import type { ScriptRunner } from './script-runner.ts';
import { runNamed } from './scripts.ts';

export interface NodeState {
  state: 'alive' | 'expired' | 'gone';
  leaseUntil: number;
  /** Epochs whose entries have to be removed, the oldest first. */
  epochs: number[];
}

/**
 * A member of the set of pairs. A room id contains no space, so the first space separates the
 * parts.
 */
export const pairOf = (room: string, userId: string): string => `${room} ${userId}`;

export function partsOf(pair: string): { room: string; userId: string } {
  const at = pair.indexOf(' ');
  return { room: pair.slice(0, at), userId: pair.slice(at + 1) };
}

export function createNodeStore(runner: ScriptRunner, { leaseMs }: { leaseMs: number }) {
  return {
    /** Begins an epoch. Undefined if a newer process holds the name. */
    async syncNode(node: string, process: string, startedAt: number) {
      const args = [process, startedAt, leaseMs];
      const answer = await runNamed<[string, number, number, number]>(runner, 'syncNode', nodeKeys(node), args);
      if (answer[0] !== 'ok') return undefined;
      return { startedAt: answer[1], epoch: answer[2], leaseUntil: answer[3] };
    },

    /** Records the pairs that the report enters. `stale`: a newer report was accepted before. */
    async acceptReport(node: string, epoch: number, seq: number, pairs: string[]) {
      const keys = { node: nodeKeys(node).node, pairs: pairsKey(node, epoch) };
      const args = [epoch, seq, leaseMs, ...pairs];
      const answer = await runNamed<['ok' | 'resync' | 'stale', number?]>(runner, 'acceptReport', keys, args);
      return { result: answer[0], now: answer[1] ?? 0 };
    },

    /** Removes the pairs that the report left. */
    async settleReport(node: string, epoch: number, seq: number, commit: boolean, leftPairs: string[]): Promise<void> {
      const keys = { node: nodeKeys(node).node, pairs: pairsKey(node, epoch) };
      await runNamed(runner, 'settleReport', keys, [epoch, seq, commit ? 1 : 0, ...leftPairs]);
    },

    /** The end of the extended lease. Undefined if the node has to report its whole state. */
    async renewLease(node: string, epoch: number, seq: number): Promise<number | undefined> {
      const keys = { node: nodeKeys(node).node };
      const answer = await runNamed<[string, number]>(runner, 'renewLease', keys, [epoch, seq, leaseMs]);
      return answer[0] === 'ok' ? answer[1] : undefined;
    },

    /** False if the epoch is not the current one. */
    async departNode(node: string, epoch: number): Promise<boolean> {
      return (await runNamed<number>(runner, 'departNode', { node: nodeKeys(node).node }, [epoch])) === 1;
    },

    /** Ends the node's epoch if its lease has expired. */
    async expireNode(node: string): Promise<NodeState> {
      const [state, leaseUntil, ...epochs] = await runNamed<[NodeState['state'], number, ...string[]]>(
        runner,
        'expireNode',
        nodeKeys(node),
        [leaseMs],
      );
      return { state, leaseUntil, epochs: epochs.map(Number).sort((a, b) => a - b) };
    },

    pairs: (node: string, epoch: number, limit: number): Promise<string[]> =>
      runner.call('pairs', pairsKey(node, epoch), (redis) =>
        redis.zrange(pairsKey(node, epoch), '0', String(limit - 1)),
      ),

    async dropPairs(node: string, epoch: number, pairs: string[]): Promise<void> {
      await runner.call('drop-pairs', pairsKey(node, epoch), (redis) => redis.zrem(pairsKey(node, epoch), ...pairs));
    },

    async dropEpoch(node: string, epoch: number): Promise<void> {
      await runNamed(runner, 'dropEpoch', { ...nodeKeys(node), pairs: pairsKey(node, epoch) }, [epoch]);
    },
  };
}
