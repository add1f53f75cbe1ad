/**
 * A chat server with stock Socket.IO, as its documentation shows. Its events have the shapes of the
 * chat contract, so the same clients can use it. It checks no tokens, limits or schemas.
 *
 * BENCH_ADAPTER selects the adapter of @socket.io/redis-adapter: `classic`, `sharded`, or `stored`.
 * `stored` is the classic one, with INCR and XADD for each message before the emit.
 */
import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server, type Socket } from 'socket.io';

interface Send {
  room: string;
  clientMsgId: string;
  text: string;
}
type Ack = (answer: { ok: true; data: object }) => void;

const { BENCH_ADAPTER: kind, BENCH_REDIS_URL: url = '' } = process.env;
/** Approximate length of a room's log. Maru keeps at least as many. */
const LOG_ENTRIES = 10_000;

const pubClient = new Redis(url);
const subClient = pubClient.duplicate();
const store = pubClient.duplicate();
const httpServer = createServer();
const io = new Server(httpServer, {
  adapter: kind === 'sharded' ? createShardedAdapter(pubClient, subClient) : createAdapter(pubClient, subClient),
});

io.on('connection', (socket) => {
  socket.on('room:join', async ({ room }: { room: string }, ack: Ack) => {
    await socket.join(room);
    ack({ ok: true, data: { room } });
  });
  socket.on('message:send', async (message: Send, ack: Ack) => {
    const ts = Date.now();
    const seq = kind === 'stored' ? await append(socket, message, ts) : undefined;
    const { room, clientMsgId, text } = message;
    const from = { id: socket.id, name: socket.id };
    io.to(room).emit('message', { room, seq, ts, type: 'text', from, clientMsgId, text });
    ack({ ok: true, data: { seq, ts } });
  });
});

async function append(socket: Socket, { room, clientMsgId, text }: Send, ts: number): Promise<number> {
  const seq = await store.incr(`seq:${room}`);
  await store.xadd(
    `log:${room}`,
    ...['MAXLEN', '~', LOG_ENTRIES],
    '*',
    ...['seq', seq, 'ts', ts, 'from', socket.id, 'id', clientMsgId, 'text', text],
  );
  return seq;
}

httpServer.listen(Number(process.env.BENCH_PORT), '127.0.0.1', () => process.send?.('listening'));
// The bench has ended.
process.on('disconnect', () => process.exit(0));
