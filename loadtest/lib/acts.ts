/**
 * Acts of a client besides plain messages: it edits and deletes its own messages, reacts, replies
 * with a mention, and reads. Pure, except for the client's requests.
 */
import type { CarefulClient } from '@maru/testkit/client/careful-client';

const EMOJI = ['👍', '❤️', '👩‍👩‍👧‍👦'] as const;
/** Acts have one of the newest messages as target. */
const CHOICE_MAX = 20;
const EDIT = 0.25;
const DELETE = 0.1;
const REACT = 0.35;
const REPLY = 0.15;

/**
 * Performs one act. Without a suitable message, it sends one. `number`: unique for the client, like
 * that of a message. `random`: from 0 to 1.
 */
export function actOnce(
  client: CarefulClient,
  room: string,
  number: number,
  compose: (nowMs: number) => string,
  random: () => number = Math.random,
): Promise<void> {
  const messages = [];
  for (const message of client.conversation(room)?.view.newest() ?? []) {
    if (message.deleted === undefined) messages.push(message);
    if (messages.length >= CHOICE_MAX) break;
  }
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const own = pick(messages.filter(({ from }) => from === client.userId));
  const any = pick(messages);
  const choice = random();
  if (choice < EDIT && own !== undefined)
    return client.act(room, number, { event: 'message:edit', data: { seq: own.seq, text: compose(Date.now()) } });
  if (choice >= EDIT && choice < EDIT + DELETE && own !== undefined)
    return client.act(room, number, { event: 'message:delete', data: { seq: own.seq } });
  if (choice < EDIT + DELETE + REACT && any !== undefined) {
    const [mine] = [...(any.reactions ?? [])].filter(([, reaction]) => reaction.mine);
    const reaction =
      mine === undefined ? { emoji: pick(EMOJI) ?? '👍', active: true } : { emoji: mine[0], active: false };
    return client.act(room, number, { event: 'message:react', data: { seq: any.seq, ...reaction } });
  }
  const root = pick(messages.filter(({ thread }) => thread === undefined));
  if (choice < EDIT + DELETE + REACT + REPLY && root !== undefined)
    return client.send(room, number, compose, { thread: root.seq, mentions: [root.from] });
  return any === undefined ? client.send(room, number, compose) : client.read(room);
}
