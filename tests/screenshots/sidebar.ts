/** Further rooms for the room list of a signed-in user. */
import { connect } from '../support/client.ts';
import { newId } from '../support/tokens.ts';
import type { Conversation } from './conversation.ts';

export interface Reader {
  token: string;
  user: { id: string };
}

interface Other {
  title: string;
  /** Without it, the room is private, and the server chooses the id. */
  id?: string;
  /**
   * Author (index among the people) and text of each message. The first author creates the room.
   */
  said: Array<[who: number, text: string]>;
  /** The last message mentions the reader. */
  mentions?: true;
  /** The reader has read everything. */
  isRead?: true;
}

const OTHERS: readonly Other[] = [
  { title: '공지사항', id: 'notices', said: [[0, '금요일은 오후 네 시에 문을 닫습니다.']], isRead: true },
  {
    title: 'Deliveries',
    said: [
      [3, 'The van is late today.'],
      [1, 'Two boxes are missing from the order.'],
      [3, '@Mina Park could you call the depot?'],
    ],
    mentions: true,
  },
  { title: 'Tea room', id: 'tea', said: [[2, '새 우롱차가 들어왔어요.']], isRead: true },
];
/** Direct messages to the reader. */
const DIRECT: Array<[who: number, text: string, isRead: boolean]> = [
  [2, '표지 시안 두 가지를 보냈어요.', false],
  [1, 'Thanks, that helps!', true],
];

/** Creates the rooms, which the reader follows. Returns a public one. */
export async function fillSidebar(endpoint: string, { people, room }: Conversation, reader: Reader): Promise<string> {
  const clients = await Promise.all(people.map(({ token }) => connect(endpoint, { token })));
  const own = await connect(endpoint, { token: reader.token });
  const clientOf = (who: number) => clients[who] ?? own;
  const { id } = reader.user;
  const markRead = async (where: string, seq: number) => {
    await own.ok('room:read', { room: where, seq });
  };
  await own.ok('room:follow', { room, active: true, notify: 'all' });
  let quiet = '';
  for (const { title, id: name, said, mentions, isRead } of OTHERS) {
    const owner = clientOf(said[0]?.[0] ?? 0);
    const { room: made } = await owner.ok(
      'room:create',
      // Several conversations in one cluster need unique ids.
      name === undefined ? { visibility: 'private', title } : { room: room.replace('spring', name), title },
    );
    if (name === undefined) for (const user of [id, ...idsOf(people)]) await invite(owner, made, user);
    else await own.ok('room:follow', { room: made, active: true, notify: 'all' });
    let last = 0;
    for (const [index, [who, text]] of said.entries()) {
      const isMention = mentions === true && index === said.length - 1;
      const about = { room: made, clientMsgId: newId(), text, ...(isMention ? { mentions: [id] } : {}) };
      last = (await clientOf(who).ok('message:send', about)).seq;
    }
    if (isRead === true) await markRead(made, last);
    if (name !== undefined) quiet = made;
  }
  for (const [who, text, isRead] of DIRECT) {
    const { room: direct } = await clientOf(who).ok('room:create', { visibility: 'direct', user: id });
    const { seq } = await clientOf(who).ok('message:send', { room: direct, clientMsgId: newId(), text });
    if (isRead) await markRead(direct, seq);
  }
  for (const client of [...clients, own]) client.close();
  return quiet;
}

const idsOf = (people: Conversation['people']) => people.map(({ user }) => user.id);

/** An owner is already a member. */
async function invite(owner: Awaited<ReturnType<typeof connect>>, room: string, user: string): Promise<void> {
  await owner.request('room:invite', { room, user });
}
