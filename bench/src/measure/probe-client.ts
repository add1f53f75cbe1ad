/** Asks the probe within a server. */
import type { ChildProcess } from 'node:child_process';

/** `watch` begins to record the event-loop delay, `read` ends it, `collect` collects garbage first. */
export interface ProbeRequest {
  id: number;
  probe: 'watch' | 'read' | 'collect';
}

export interface ProbeFigures {
  /** Beyond the timer's own period. */
  loopDelayMs: { p50: number; p99: number };
  rssBytes: number;
  /** Used JavaScript heap and what hangs on it outside. */
  heapBytes: number;
  fromStoreBytes: number;
  toStoreBytes: number;
}

export interface ProbeAnswer {
  id: number;
  probe: ProbeFigures;
}

export interface Probe {
  ask(probe: ProbeRequest['probe']): Promise<ProbeFigures>;
}

const ANSWER_MAX_MS = 30_000;
const ENDED = 'a server ended while it was measured';

export function createProbe(server: ChildProcess): Probe {
  let lastId = 0;
  return {
    ask(probe) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (server.exitCode !== null || server.signalCode !== null) return reject(new Error(ENDED));
        const done = () => {
          clearTimeout(timer);
          server.off('message', onMessage);
          server.off('exit', onExit);
        };
        const onMessage = (message: ProbeAnswer) => {
          if (message.id !== id || message.probe === undefined) return;
          done();
          resolve(message.probe);
        };
        const onExit = () => {
          done();
          reject(new Error(ENDED));
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`a server's probe did not answer in ${ANSWER_MAX_MS / 1_000} s`));
        }, ANSWER_MAX_MS);
        server.on('message', onMessage);
        server.once('exit', onExit);
        server.send({ id, probe } satisfies ProbeRequest);
      });
    },
  };
}
