/** The runtime of a client on Node. */
import type { Runtime } from './runtime.ts';

export function createNodeRuntime(): Runtime {
  let nextTimer = 1;
  const timers = new Map<number, NodeJS.Timeout>();
  return {
    connect(url, handlers) {
      const socket = new WebSocket(url);
      socket.onopen = () => handlers.opened();
      socket.onmessage = (event) => handlers.frame(event.data, Date.now());
      socket.onclose = (event) => handlers.closed(`code ${event.code}`);
      // A close event follows every error.
      socket.onerror = () => {};
      return {
        send: (frame) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(frame);
        },
        close: () => socket.close(),
      };
    },
    setTimeout(callback, delayMs) {
      const id = nextTimer++;
      const run = () => {
        timers.delete(id);
        callback();
      };
      timers.set(id, setTimeout(run, delayMs));
      return id;
    },
    clearTimeout(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    now: () => Date.now(),
  };
}
