/** Divides a crowd over several processes and controls them. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CrowdPart, PartCommands, PartResponse } from './crowd-worker.ts';

export interface PartHandle {
  ask<N extends keyof PartCommands>(
    name: N,
    ...ask: Parameters<PartCommands[N]>
  ): Promise<Awaited<ReturnType<PartCommands[N]>>>;
  end(): void;
}

/** With more clients one process is often late and measures itself. */
const CLIENTS_EACH_MAX = 500;
const WORKER = fileURLToPath(new URL('crowd-worker.ts', import.meta.url));

/** Divides a crowd evenly. Each part has its own rooms, at least one. */
export function divideCrowd(crowd: {
  clients: number;
  rooms: number;
  actsPerSecond: number;
}): Array<{ firstMember: number; clients: number; rooms: number; actsPerSecond: number }> {
  const parts = Math.min(Math.ceil(crowd.clients / CLIENTS_EACH_MAX), crowd.rooms);
  const upTo = (total: number, index: number) => Math.round((total * index) / parts);
  const share = (total: number, index: number) => upTo(total, index + 1) - upTo(total, index);
  return Array.from({ length: parts }, (_, index) => ({
    firstMember: upTo(crowd.clients, index) + 1,
    clients: share(crowd.clients, index),
    rooms: share(crowd.rooms, index),
    actsPerSecond: crowd.actsPerSecond / parts,
  }));
}

/** Starts a process for the part. Requests to a process that has ended are rejected. */
export async function startPart(part: CrowdPart): Promise<PartHandle> {
  const child = fork(WORKER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const handle = handleOf(child);
  await handle.ask('plan', part);
  return handle;
}

function handleOf(child: ChildProcess): PartHandle {
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  child.on('message', (response: PartResponse) => {
    const asked = waiting.get(response.id);
    waiting.delete(response.id);
    if ('error' in response) asked?.reject(new Error(response.error));
    else asked?.resolve(response.answer as never);
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('a process with clients ended'));
  });
  return {
    ask(name, ...[ask]) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, name, ask }, (error) => {
          if (error !== null) reject(error);
        });
      });
    },
    end: () => void child.kill('SIGKILL'),
  };
}
