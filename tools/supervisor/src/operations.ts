/**
 * The operations on a running cluster: add, drain, kill, restart. At most one at a time per
 * process, except `kill`.
 */

import { Failure } from '../../bootstrap/failure.mjs';
import { GATEWAYS_MAX } from '../../bootstrap/options.mjs';
import type { Balancer } from './balancer.ts';
import type { ControlHandlers } from './control-server.ts';
import { findMember, type Gateway, type Member, nextGatewayName } from './members.ts';

/** Deadline of a stop without a drain. */
const STOP_WITHIN_MS = 10_000;

/** The signals to drain a process, and to stop it at once. */
const SIGNALS: Record<Member['kind'], { drain: NodeJS.Signals; stop: NodeJS.Signals }> = {
  gateway: { drain: 'SIGTERM', stop: 'SIGINT' },
  presence: { drain: 'SIGTERM', stop: 'SIGINT' },
  archiver: { drain: 'SIGTERM', stop: 'SIGINT' },
  redis: { drain: 'SIGTERM', stop: 'SIGTERM' },
  // On SIGTERM, PostgreSQL waits until its clients leave. On SIGINT, it disconnects them.
  postgres: { drain: 'SIGINT', stop: 'SIGINT' },
  // On SIGQUIT nginx waits for open requests, including WebSockets.
  nginx: { drain: 'SIGQUIT', stop: 'SIGTERM' },
};

export function createOperations(options: {
  members: Member[];
  balancer: Balancer;
  createGateway: (name: string) => Gateway;
  /** Opens new epochs in Redis, with the rights of the services. */
  openEpochs: (say: (line: string) => void) => Promise<void>;
  isStopping: () => boolean;
  /** A process that drains longer is killed. */
  drainWithinMs: number;
}): Omit<ControlHandlers, 'status' | 'token'> {
  const { members, balancer } = options;
  const busy = new Map<string, string>();

  async function exclusively(name: string, what: string, work: () => Promise<void>): Promise<void> {
    if (options.isStopping()) throw new Failure('The cluster is stopping.');
    const other = busy.get(name);
    if (other !== undefined) throw new Failure(`${name} is busy: ${other} is running.`);
    busy.set(name, what);
    try {
      await work();
    } finally {
      busy.delete(name);
    }
  }

  async function start(member: Member, say: (line: string) => void): Promise<void> {
    say(`starting ${member.name}`);
    try {
      await member.process.start();
    } catch (error) {
      throw new Failure(`${member.name} did not start: ${error instanceof Error ? error.message : String(error)}.`, {
        cause: error,
      });
    }
    if (member.kind === 'gateway') {
      await balancer.sync();
      say(`${member.name} is in the balancer`);
    }
  }

  return {
    async add(say) {
      const count = members.filter((member) => member.kind === 'gateway').length;
      if (count >= GATEWAYS_MAX) throw new Failure(`There are already ${GATEWAYS_MAX} gateways, which is the maximum.`);
      const name = nextGatewayName(members.map((member) => member.name));
      await exclusively(name, 'add', async () => {
        const gateway = options.createGateway(name);
        members.push(gateway);
        try {
          await start(gateway, say);
        } catch (error) {
          // A gateway that is slow to start but runs stays. It joins when it is ready.
          if (gateway.process.pid === null) members.splice(members.indexOf(gateway), 1);
          throw error;
        }
        say(`${name} is up: ${gateway.address()}`);
      });
    },

    async drain(name, say) {
      const member = findMember(members, name);
      await exclusively(name, 'drain', async () => {
        if (member.process.state === 'down') return say(`${name} is already down`);
        if (member.kind === 'gateway') {
          member.takes = 'own';
          await balancer.sync();
          say(`${name} has left the balancer; its clients move to other gateways`);
        }
        const outcome = await member.process.end({
          signal: SIGNALS[member.kind].drain,
          withinMs: options.drainWithinMs,
          as: 'draining',
        });
        if (member.kind === 'gateway') {
          member.takes = 'none';
          await balancer.sync();
        }
        if (outcome === 'by force')
          throw new Failure(`${name} did not exit within ${options.drainWithinMs / 1_000} s and was killed.`);
        say(`${name} has stopped`);
      });
    },

    async kill(name, say) {
      if (options.isStopping()) throw new Failure('The cluster is stopping.');
      const member = findMember(members, name);
      if (member.process.state === 'down') return say(`${name} is already down`);
      await member.process.kill();
      if (member.kind === 'gateway') {
        member.takes = 'none';
        await balancer.sync();
      }
      say(`${name} was killed`);
    },

    newEpochs: (say) => exclusively('redis', 'new-epochs', () => options.openEpochs(say)),

    async restart(name, say) {
      const member = findMember(members, name);
      await exclusively(name, 'restart', async () => {
        if (member.process.state !== 'down') {
          say(`stopping ${name}`);
          await member.process.end({ signal: SIGNALS[member.kind].stop, withinMs: STOP_WITHIN_MS, as: 'stopping' });
        }
        await start(member, say);
        const { port, password } = new URL(member.address());
        say(`${name} is up: ${password === '' ? member.address() : `port ${port}`}`);
      });
    },
  };
}
