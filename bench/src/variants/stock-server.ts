/**
 * A chat server on stock Socket.IO, as its documentation shows, with the shapes of the chat contract so that the same clients can talk
 * to it. It checks nothing: no tokens, no limits, no schema. BENCH_ADAPTER: `classic` or `sharded` (@socket.io/redis-adapter), or
 * `stored`: the classic one, each message numbered by INCR and stored by XADD before it is emitted.
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
/** What a log keeps, about: as ours does at least. */
const KEPT_ENTRIES = 10_000;

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
    ...['MAXLEN', '~', KEPT_ENTRIES],
    '*',
    ...['seq', seq, 'ts', ts, 'from', socket.id, 'id', clientMsgId, 'text', text],
  );
  return seq;
}

httpServer.listen(Number(process.env.BENCH_PORT), '127.0.0.1', () => process.send?.('listening'));
// The bench is gone, however it went.
process.on('disconnect', () => process.exit(0));
