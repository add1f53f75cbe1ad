/**
 * The client library's models of one room, on two gateways, while users act at random and lose
 * their connections. At the end, each equals a fresh read.
 */
import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { type ChatClient, createChatClient } from '@maru/client';
import { type Conversation, type Conversations, createConversations, type Message } from '@maru/client/conversation';
import type { Entry } from '@maru/protocol/events';
import { type Gateways, startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { poll } from '../support/poll.ts';

const ROOM = 'models';
/** More users than a reaction lists. */
const USERS = 13;
const STEPS = 400;

interface Person {
  id: string;
  client: ChatClient;
  conversations: Conversations;
  conversation: Conversation;
}

let site: Gateways;
const proxies: Array<{ url: string; cut(): void; close(): void }> = [];
const people: Person[] = [];

before(async () => {
  site = await startGateways({ gateways: 2, environment: WIDE_LIMITS });
  for (const { url } of site.gateways) proxies.push(await startProxy(url));
});
after(async () => {
  for (const { client, conversations } of people) {
    conversations.close();
    client.close();
  }
  for (const proxy of proxies) proxy.close();
  await site.stop();
});

/** Forwards connections until they are cut. */
async function startProxy(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close() {
      server.close();
      cut();
    },
  };
}

function enter(id: string, url: string): Person {
  const client = createChatClient({ url, getToken: () => tokenOf(id) });
  const conversations = createConversations({ client });
  const conversation = conversations.open(ROOM);
  client.join(ROOM);
  client.connect();
  return { id, client, conversations, conversation };
}

/** Numbers from 0 to below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One act of one person. Some are refused, because another user was faster. */
function act({ conversation }: Person, random: () => number, step: number): void {
  const { messages } = conversation.get();
  const newest = messages.slice(-8);
  const message = newest[Math.floor(random() * newest.length)];
  const kind = Math.floor(random() * 10);
  if (message === undefined || kind <= 2) conversation.send(`text ${step}`);
  else if (kind === 3) conversation.send(`reply ${step}`, { thread: message.thread ?? message.seq });
  else if (kind === 4) void conversation.edit(message.seq, `edit ${step}`);
  else if (kind === 5) void conversation.delete(message.seq);
  else if (kind === 6) void conversation.pin(message.seq, !message.pinned);
  else
    void conversation.react(
      message.seq,
      '👍',
      message.reactions.every(({ mine }) => !mine),
    );
}

const plain = ({ pending, canUndo: _, ...message }: Message) => ({ ...message, pending: [...pending] });

const plainOf = (entry: Entry) => ({
  seq: entry.seq,
  ts: entry.ts,
  n: entry.n,
  from: entry.from,
  clientMsgId: entry.clientMsgId ?? null,
  text: entry.text ?? '',
  edited: entry.edited ?? null,
  deleted: entry.deleted ?? null,
  mentions: entry.mentions ?? [],
  reactions: entry.reactions ?? [],
  thread: entry.thread ?? null,
  replies: entry.replies ?? null,
  pinned: entry.pinned ?? false,
  pending: [],
});

const quiet = () =>
  people.every(({ client, conversation }) => {
    const { outgoing, messages } = conversation.get();
    const isSent = outgoing.every(({ state }) => state.kind === 'failed');
    return isSent && client.connection.state === 'connected' && messages.every(({ pending }) => pending.length === 0);
  });

/** More users react than an answer lists. Then a listed user removes the reaction. */
async function reactAndTakeBack(): Promise<void> {
  const [first] = people;
  assert.ok(first !== undefined);
  first.conversation.send('popular');
  const { seq } = await poll('the message', () => popular(first));
  await poll('all have it', () => people.every(({ conversation }) => conversation.message(seq) !== null));
  for (const { conversation } of people) assert.ok((await conversation.react(seq, '🎉', true)).ok);
  assert.ok((await first.conversation.react(seq, '🎉', false)).ok);
}

const popular = ({ conversation }: Person) => conversation.get().messages.find(({ text }) => text === 'popular');

test('every view equals a fresh read after random acts and lost connections', async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const random = randomOf(seed);
  const enterAs = (from: number, to: number) => {
    for (let i = from; i < to; i++)
      people.push(enter(`user${i}`, proxies[i % proxies.length]?.url ?? assert.fail('no proxy')));
    return poll('everyone is in the room', () => people.every(({ conversation }) => conversation.get().isReady));
  };
  await enterAs(0, USERS - 3);
  for (let step = 0; step < STEPS; step++) {
    // The models of users who join later start with reads.
    if (step === STEPS / 2) await enterAs(USERS - 3, USERS);
    const person = people[Math.floor(random() * people.length)];
    if (person !== undefined) act(person, random, step);
    if (step % 80 === 79) proxies[step % proxies.length]?.cut();
    if (step % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await poll('all acts are done', quiet, { timeoutMs: 30_000 });
  await reactAndTakeBack();
  const pins = people.map(({ conversation }) => conversation.pins());
  for (const [index, { id, client, conversation }] of people.entries()) {
    const fresh = async () => {
      const { messages, head } = await client.readMessages({ room: ROOM, limit: 200 });
      return { head, messages: messages.map(plainOf) };
    };
    // State that entries do not determine is read again a little later.
    await poll(`the view of ${id}`, async () => {
      const { head, messages } = await fresh();
      const view = conversation.get();
      if (view.head !== head) return false;
      const shown = view.messages.map(plain);
      const from = Math.max(shown[0]?.seq ?? 0, messages[0]?.seq ?? 0);
      const wanted = messages.filter(({ seq }) => seq >= from);
      return JSON.stringify(shown.filter(({ seq }) => seq >= from)) === JSON.stringify(wanted) && wanted.length > 0;
    });
    const { messages: pinned } = await client.readMessages({ room: ROOM, pinned: true, limit: 200 });
    await poll(`the pins of ${id}`, () => pins[index]?.get().isReady);
    assert.deepEqual(pins[index]?.get().messages.map(plain), pinned.map(plainOf));
  }
});
