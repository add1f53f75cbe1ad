/** Socket.IO's own client. */
import { io, type Socket } from 'socket.io-client';
import type { ConnectFailure } from '../refusal.ts';
import type { Transport } from '../transport-choice.ts';
import type { Wire, WireOptions } from './wire.ts';

/** The internal parts of Engine.IO that this module uses. */
interface EngineInternals {
  _hasPingExpired: () => boolean;
  transport: { name: string; ws?: { _socket?: { bytesRead?: unknown } } };
}

export function openWire(options: WireOptions): Wire {
  const socket: Socket = io(options.url, {
    path: options.path,
    transports: [...options.transports],
    // A proxy may refuse WebSocket. Then polling still works.
    tryAllTransports: true,
    // `connection.ts` reconnects, with its own jitter, tokens and positions.
    reconnection: false,
    forceNew: true,
    autoConnect: false,
    auth: (give) => give(options.auth()),
  });
  // The deadline of the handshake includes the session.
  socket.io.timeout(false);
  socket.connect();
  const engine = socket.io.engine as typeof socket.io.engine & EngineInternals;
  // Engine.IO compares the wall clock here, and would end a healthy connection whenever the clock
  // is set ahead. The link detects dead connections instead.
  engine._hasPingExpired = () => false;
  engine.on('packet', options.onPacket);
  engine.on('upgrade', options.onUpgrade);
  engine.on('ping', options.onPing);
  socket.onAny((name, payload) => options.onEvent(name, payload));
  socket.on('connect_error', (failure: ConnectFailure) => options.onRefused(failure));
  socket.on('disconnect', options.onClosed);
  return {
    isConnected: () => socket.connected,
    transport: () => engine.transport.name as Transport,
    emit: (name, payload, ack) => void socket.emit(name, payload, ack),
    emitVolatile: (name, payload) => void socket.volatile.emit(name, payload),
    receivedBytes: () => bytesOf(engine),
    close() {
      socket.off();
      socket.offAny();
      for (const event of ['packet', 'upgrade', 'ping'] as const) engine.off(event);
      socket.disconnect();
    },
  };
}

/** In browsers, a frame arrives as a whole. Only the `ws` package of Node.js shows its parts. */
function bytesOf({ transport }: EngineInternals): number | null {
  const bytes = transport.ws?._socket?.bytesRead;
  return typeof bytes === 'number' ? bytes : null;
}
