/** The bench's side of the probe in a server process. */
import type { ChildProcess } from 'node:child_process';

/**
 * `watch` starts to record the event-loop delay, `read` stops it, and `collect` forces garbage
 * collections. Each of them answers with the figures.
 */
export interface ProbeRequest {
  id: number;
  probe: 'watch' | 'read' | 'collect';
}

export interface ProbeFigures {
  /** Without the period of the measuring timer. */
  loopDelayMs: { p50: number; p99: number };
  rssBytes: number;
  /** Used JavaScript heap and the external memory of its objects. */
  heapBytes: number;
  fromStoreBytes: number;
  toStoreBytes: number;
}

export interface ProbeAnswer {
  id: number;
  probe: ProbeFigures;
}

export interface Probe {
  /** Rejects if the server ends or does not answer in time. */
  request(probe: ProbeRequest['probe']): Promise<ProbeFigures>;
}

const ANSWER_TIMEOUT_MS = 30_000;
const ENDED = 'a server ended during the measurement';

export function createProbe(server: ChildProcess): Probe {
  let lastId = 0;
  return {
    request(probe) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (server.exitCode !== null || server.signalCode !== null) return reject(new Error(ENDED));
        const stopWaiting = () => {
          clearTimeout(timer);
          server.off('message', onMessage);
          server.off('exit', onExit);
        };
        const onMessage = (message: ProbeAnswer) => {
          if (message.id !== id || message.probe === undefined) return;
          stopWaiting();
          resolve(message.probe);
        };
        const onExit = () => {
          stopWaiting();
          reject(new Error(ENDED));
        };
        const timer = setTimeout(() => {
          stopWaiting();
          reject(new Error(`a server's probe did not answer in ${ANSWER_TIMEOUT_MS / 1_000} s`));
        }, ANSWER_TIMEOUT_MS);
        server.on('message', onMessage);
        server.once('exit', onExit);
        server.send({ id, probe } satisfies ProbeRequest);
      });
    },
  };
}
