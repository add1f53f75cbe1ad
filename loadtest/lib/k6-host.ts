/** Lends k6's sockets, timers and clock to a chat session. The only file of `lib/` that touches `k6/websockets`. */
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import type { SessionHost } from './chat-session.ts';

/** `WebSocket.OPEN` of the standard, which k6's class lacks although its types have it. */
const OPEN = 1;

/** One name for every connection, so that k6 keeps one time series and not one for each address. */
const TAGS = { name: 'socket.io' };

export const k6Host: SessionHost = {
  connect(url, handlers) {
    const socket = new WebSocket(url, null, { tags: TAGS });
    let detail = '';
    let unwanted = false;
    // k6 blocks the whole virtual user in a close() before the handshake is done, so such a close waits for it.
    socket.onopen = () => {
      if (unwanted) socket.close(1000);
      else handlers.opened();
    };
    socket.onmessage = (event) => handlers.frame(event?.data, event?.timestamp ?? Date.now());
    // k6 reports an error before the close that follows from it.
    socket.onerror = (event) => {
      detail = event?.error ?? 'unknown error';
    };
    socket.onclose = () => handlers.closed(detail === '' ? 'closed by the server' : detail);
    return {
      send(frame) {
        if (socket.readyState === OPEN) socket.send(frame);
      },
      close() {
        unwanted = true;
        if (socket.readyState === OPEN) socket.close(1000);
      },
    };
  },
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
};
