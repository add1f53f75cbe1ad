/** All kinds of data that a guest can store, each of maximum size. */
import { randomBytes, randomUUID } from 'node:crypto';
import { LIMITS } from '@maru/protocol';
import type { Random } from '../faults/random.ts';
import type { WireClient } from './wire-client.ts';

/** The rooms of one attacker, and the messages that it may act on. */
export interface Loot {
  publicRooms: string[];
  privateRooms: string[];
  /** A message of another user in a room of another user. */
  messages: Array<{ room: string; seq: number }>;
}

/** `ok`, `cut`, or an error code with the retry time. */
export interface Outcome {
  code: string;
  retryAfterMs: number;
}

type Attack = (client: WireClient, loot: Loot, random: Random) => Promise<Outcome>;

const MESSAGES_MAX = 200;
const ID_CHARS = 64;
/** Four bytes in UTF-8, and two characters that JSON escapes. */
const WIDE = '\u{1f600}';
const ESCAPED = '"\\';

const newId = (): string => randomUUID();
const newRoomId = (): string => randomBytes(ID_CHARS / 2).toString('hex');
/** Ids of different users with three bytes for each character in UTF-8. */
const newUser = (): string => (newId() + '\u{ff21}'.repeat(LIMITS.userIdCharsMax)).slice(0, LIMITS.userIdCharsMax);
const wide = (chars: number): string => WIDE.repeat(chars);
const escaped = (chars: number): string => ESCAPED.repeat(chars / 2);
const reason = (random: Random): string => random.pick([wide, escaped])(LIMITS.reasonCharsMax);

async function ask(
  client: WireClient,
  event: string,
  payload: object,
  onData?: (data: never) => void,
): Promise<Outcome> {
  const reply = await client.request(event as 'room:join', payload as { room: string });
  if (reply === 'cut') return { code: 'cut', retryAfterMs: 0 };
  if (!reply.ok) return { code: reply.error.code, retryAfterMs: reply.error.retryAfterMs ?? 0 };
  onData?.(reply.data as never);
  return { code: 'ok', retryAfterMs: 0 };
}

const ownRoom = ({ publicRooms, privateRooms }: Loot, random: Random): string =>
  random.pick(publicRooms.length + privateRooms.length > 0 ? [...publicRooms, ...privateRooms] : [newRoomId()]);
const privateRoom = ({ privateRooms }: Loot, random: Random): string =>
  random.pick(privateRooms.length > 0 ? privateRooms : [`p-${newId()}`]);

function send(client: WireClient, loot: Loot, room: string, text: string): Promise<Outcome> {
  const clientMsgId = (newId() + newId()).slice(0, LIMITS.clientMsgIdCharsMax);
  return ask(client, 'message:send', { room, clientMsgId, text }, ({ seq }: { seq: number }) => {
    loot.messages.push({ room, seq });
    if (loot.messages.length > MESSAGES_MAX) loot.messages.shift();
  });
}

const sanction =
  (event: string, fields: object = {}): Attack =>
  (client, loot, random) =>
    ask(client, event, {
      room: ownRoom(loot, random),
      user: newUser(),
      clientMsgId: newId(),
      reason: reason(random),
      ...fields,
    });

/** `room:ban`, then `room:unban`: the sanction is removed, but the entries stay. */
const banAndLift: Attack = async (client, loot, random) => {
  const [room, user] = [ownRoom(loot, random), newUser()];
  const banned = await ask(client, 'room:ban', { room, user, clientMsgId: newId(), reason: reason(random) });
  if (banned.code !== 'ok') return banned;
  return ask(client, 'room:unban', { room, user, clientMsgId: newId(), reason: reason(random) });
};

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'largest messages': (client, loot, random) =>
    send(client, loot, ownRoom(loot, random), wide(LIMITS.textCodePointsMax)),
  'escaped messages': (client, loot, random) =>
    send(client, loot, ownRoom(loot, random), escaped(LIMITS.textCodePointsMax)),
  'shortest messages': (client, loot, random) => send(client, loot, ownRoom(loot, random), 'x'),
  'public rooms': (client, loot) => {
    const room = newRoomId();
    return ask(client, 'room:create', { room, title: wide(LIMITS.titleCharsMax) }, () => loot.publicRooms.push(room));
  },
  'private rooms': (client, loot) =>
    ask(
      client,
      'room:create',
      { visibility: 'private', title: wide(LIMITS.titleCharsMax) },
      ({ room }: { room: string }) => loot.privateRooms.push(room),
    ),
  'joins of new rooms': async (client) => {
    const room = newRoomId();
    const joined = await ask(client, 'room:join', { room });
    await ask(client, 'room:leave', { room });
    return joined;
  },
  invitations: (client, loot, random) =>
    ask(client, 'room:invite', { room: privateRoom(loot, random), user: newUser() }),
  roles: (client, loot, random) =>
    ask(client, 'room:role', { room: ownRoom(loot, random), user: newUser(), clientMsgId: newId(), role: 'moderator' }),
  bans: sanction('room:ban'),
  mutes: sanction('room:mute', { forMs: LIMITS.sanctionMsMax }),
  kicks: sanction('room:kick', { forMs: LIMITS.sanctionMsMax }),
  'bans that are lifted': banAndLift,
  'titles and topics': (client, loot, random) =>
    ask(client, 'room:update', {
      room: ownRoom(loot, random),
      clientMsgId: newId(),
      title: wide(LIMITS.titleCharsMax),
      topic: random.pick([wide, escaped])(LIMITS.topicCharsMax),
    }),
  reports: (client, loot, random) =>
    ask(client, 'message:report', {
      ...(loot.messages.length > 0 ? random.pick(loot.messages) : { room: newRoomId(), seq: 1 }),
      reason: reason(random),
    }),
  statuses: (client, _, random) =>
    ask(client, 'presence:set', {
      status: random.pick(['online', 'away', 'dnd']),
      text: wide(LIMITS.statusTextCharsMax),
    }),
  watches: (client) => ask(client, 'presence:watch', { room: newRoomId() }),
  'rooms that are deleted': async (client, loot, random) => {
    if (loot.publicRooms.length === 0) return (ATTACKS['public rooms'] as Attack)(client, loot, random);
    return ask(client, 'room:delete', { room: loot.publicRooms.shift() });
  },
};
