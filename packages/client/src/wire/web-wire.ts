/**
 * Socket.IO over the browser's WebSocket. socket.io-client is a third of the code of a chat. It is
 * loaded only if a WebSocket cannot be opened, for polling.
 */
import type { ConnectFailure } from '../refusal.ts';
import { connectPacket, DISCONNECT, eventPacket, type Incoming, PONG, readPacket } from './packets.ts';
import { SERVER_DISCONNECT, type Wire, type WireOptions } from './wire.ts';

export function openWire(options: WireOptions): Wire {
  const { transports, onRefused } = options;
  let wire: Wire | null = null;
  let isClosed = false;
  const poll = () => {
    wire = null;
    import('./stock-wire.ts').then(
      (stock) => {
        if (!isClosed) wire = stock.openWire({ ...options, transports: ['polling'] });
      },
      (error: Error) => {
        if (!isClosed) onRefused(error);
      },
    );
  };
  if (transports[0] === 'websocket') {
    // A proxy may refuse WebSocket. Then polling still works.
    const onUnopened = () => (transports.includes('polling') ? poll() : onRefused(new Error('websocket error')));
    wire = openWebSocket(options, onUnopened);
  } else poll();
  return {
    isConnected: () => wire?.isConnected() ?? false,
    transport: () => wire?.transport() ?? 'polling',
    emit: (name, payload, ack) => wire?.emit(name, payload, ack),
    emitVolatile: (name, payload) => wire?.emitVolatile(name, payload),
    receivedBytes: () => wire?.receivedBytes() ?? null,
    close() {
      isClosed = true;
      wire?.close();
    },
  };
}

function addressOf({ url, path }: WireOptions): string {
  const address = new URL(url);
  address.protocol = address.protocol === 'https:' || address.protocol === 'wss:' ? 'wss:' : 'ws:';
  address.pathname = path.endsWith('/') ? path : `${path}/`;
  address.search = '?EIO=4&transport=websocket';
  return address.href;
}

/** `opening`: no session yet. */
type Phase = 'opening' | 'open' | 'closed';

function openWebSocket(options: WireOptions, onUnopened: () => void): Wire {
  const socket = new WebSocket(addressOf(options));
  const acks = new Map<number, (answer: unknown) => void>();
  let phase: Phase = 'opening';
  let hasOpened = false;
  let lastId = 0;

  const end = (tell: () => void) => {
    if (phase === 'closed') return;
    phase = 'closed';
    acks.clear();
    socket.close();
    tell();
  };
  const handlers: { [K in Incoming['kind']]: (packet: Extract<Incoming, { kind: K }>) => void } = {
    open: ({ pingsWithinMs }) => {
      if (pingsWithinMs !== null) options.onPingsDue(pingsWithinMs);
      socket.send(connectPacket(options.auth()));
    },
    ping: () => {
      socket.send(PONG);
      options.onPing();
    },
    close: () => end(() => options.onClosed('transport close')),
    connected: () => {
      phase = 'open';
    },
    disconnect: () => end(() => options.onClosed(SERVER_DISCONNECT)),
    refused: ({ message, data }) => {
      const failure: ConnectFailure = Object.assign(new Error(message), { data });
      end(() => options.onRefused(failure));
    },
    event: ({ name, payload }) => options.onEvent(name, payload),
    answer: ({ id, answer }) => {
      const ack = acks.get(id);
      acks.delete(id);
      ack?.(answer);
    },
    other: () => {},
  };
  socket.addEventListener('open', () => {
    hasOpened = true;
  });
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    if (phase === 'closed') return;
    const packet = readPacket(String(data));
    if (packet === null) {
      end(() => options.onClosed('parse error'));
      return;
    }
    options.onPacket();
    (handlers[packet.kind] as (packet: Incoming) => void)(packet);
  });
  socket.addEventListener('close', () => end(hasOpened ? () => options.onClosed('transport close') : onUnopened));
  return {
    isConnected: () => phase === 'open',
    transport: () => 'websocket',
    emit(name, payload, ack) {
      if (phase !== 'open') return;
      lastId += 1;
      acks.set(lastId, ack);
      socket.send(eventPacket(name, payload, lastId));
    },
    emitVolatile(name, payload) {
      if (phase === 'open' && socket.bufferedAmount === 0) socket.send(eventPacket(name, payload, null));
    },
    receivedBytes: () => null,
    close() {
      if (phase === 'open') socket.send(DISCONNECT);
      end(() => {});
    },
  };
}
