/** The runtime of a client in k6: its sockets, timers and clock. */

import type { Runtime } from '@maru/testkit/client/runtime';
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

/** `WebSocket.OPEN` of the standard. k6's class lacks it, although its types have it. */
const OPEN = 1;

/** All connections have one name, so that k6 keeps one time series for all. */
const TAGS = { name: 'socket.io' };

export const k6Runtime: Runtime = {
  connect(url, handlers) {
    const socket = new WebSocket(url, null, { tags: TAGS });
    let detail = '';
    let closing = false;
    // Before the handshake is done, k6's close() blocks the whole virtual user. So an early close
    // is only recorded, and done in `onopen`.
    socket.onopen = () => {
      if (closing) socket.close(1000);
      else handlers.opened();
    };
    socket.onmessage = (event) => handlers.frame(event?.data, event?.timestamp ?? Date.now());
    // k6 reports an error before the close that follows it.
    socket.onerror = (event) => {
      detail = event?.error ?? 'unknown error';
    };
    socket.onclose = () => handlers.closed(detail === '' ? 'closed by the server' : detail);
    return {
      send(frame) {
        if (socket.readyState === OPEN) socket.send(frame);
      },
      close() {
        closing = true;
        if (socket.readyState === OPEN) socket.close(1000);
      },
    };
  },
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
};
