/** A session's wire over one Socket.IO socket. */
import type { ServerEvents } from '@maru/protocol';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import { signalRoom } from '../cluster/signals.ts';
import type { Wire } from './session.ts';

export type ChatIo = Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>;
export type ChatSocket = Socket<DefaultEventsMap, ServerEvents, DefaultEventsMap, unknown>;

export function createSocketWire(socket: ChatSocket): Wire {
  // Public Engine.IO API: `send` queues behind everything that Socket.IO queued, on any transport.
  const engine = socket.conn;
  const queue = () => (engine as unknown as { writeBuffer: Array<{ data?: unknown }> }).writeBuffer;
  return {
    sendFrame(frame) {
      engine.send(frame);
    },
    emit(event, ...payload) {
      socket.emit(event, ...payload);
    },
    queuedPackets: () => queue().length,
    queuedBytes() {
      let bytes = 0;
      for (const { data } of queue()) if (typeof data === 'string') bytes += data.length;
      return bytes;
    },
    drained: (waitMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          engine.off('drain', done);
          resolve();
        };
        const timer = setTimeout(done, waitMs);
        engine.on('drain', done);
      }),
    get closed() {
      return socket.disconnected || engine.readyState !== 'open';
    },
    closeTransport(discard) {
      engine.close(discard);
    },
    disconnect() {
      socket.disconnect();
    },
    joinSignals(room) {
      void socket.join(signalRoom(room));
    },
    leaveSignals(room) {
      void socket.leave(signalRoom(room));
    },
  };
}
