/** Lends Node's own WebSocket to a chat session, so that tests can run members without k6. */
import type { SessionHost } from '../lib/chat-session.ts';

export function createNodeHost(): SessionHost {
  let nextTimer = 1;
  const timers = new Map<number, NodeJS.Timeout>();
  return {
    connect(url, handlers) {
      const socket = new WebSocket(url);
      socket.onopen = () => handlers.opened();
      socket.onmessage = (event) => handlers.frame(event.data, Date.now());
      socket.onclose = (event) => handlers.closed(`code ${event.code}`);
      // A close follows, and says all that this has to say.
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
