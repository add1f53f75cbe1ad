/**
 * A small conversation in English and Korean, for pictures of the web client and for tests of its
 * views.
 */
import { connect } from '../support/client.ts';
import { createGuest, type Guest, newId } from '../support/tokens.ts';

export interface Conversation {
  room: string;
  people: Guest[];
  /** The message with a thread. */
  root: number;
  /** Sends one more message. */
  say(who: number, text: string): Promise<number>;
  leave(): void;
}

const NAMES = ['김하늘', 'Jonas Weber', '이서연', 'Amara Okafor'];

/** Author (index in `NAMES`) and text of each message. */
const MESSAGES: Array<[number, string]> = [
  [0, '안녕하세요! 봄 카탈로그 시안을 올려 두었어요.'],
  [0, '오늘 오후까지 의견을 주시면 **내일 인쇄소에 보낼 수 있어요**.'],
  [1, 'Looks lovely. The green on page 3 is a little pale on my screen. Could we try `#33693a`?'],
  [2, '저도 같은 생각이에요. 표지 글자도 조금만 더 굵으면 좋겠어요.'],
  [
    3,
    'Three small things before it goes out:\n\n- page 2: the price of the oolong is missing\n' +
      '- page 5: that photo is from last year\n- back cover: the new phone number',
  ],
  [2, '> page 5: that photo is from last year\n\n어제 찍은 사진이 있어요. 오늘 안에 바꿔 둘게요.'],
  [1, 'The printer needs the file with bleed, see https://example.com/print/bleed for their template.'],
  [0, '모두 고마워요! 초록색은 바꾸었고, 표지는 두 가지로 준비해 볼게요.'],
];
/** The message with a thread, and the replies. */
const ROOT = 4;
const REPLIES: Array<[number, string]> = [
  [0, '우롱차 가격은 18,000원이 맞나요?'],
  [3, 'Yes, and 32,000 for two.'],
];
/** Author, target and emoji of each reaction. */
const REACTIONS: Array<[number, number, string]> = [
  [1, 0, '🌿'],
  [2, 0, '🌿'],
  [3, 0, '🌿'],
  [0, 2, '👍'],
  [3, 7, '🎉'],
];

/** Creates the room, its people and their messages. The people stay online until `leave`. */
export async function makeConversation(endpoint: string, room: string): Promise<Conversation> {
  const people = await Promise.all(NAMES.map((name) => createGuest(endpoint, name)));
  const clients = await Promise.all(people.map(({ token }) => connect(endpoint, { token })));
  const clientOf = (who: number) => {
    const client = clients[who];
    if (client === undefined) throw new Error(`there is no person ${who}`);
    return client;
  };
  const owner = clientOf(0);
  await owner.ok('room:create', { room, visibility: 'public', title: 'Spring catalogue' });
  await owner.ok('room:update', { room, clientMsgId: newId(), topic: '봄 카탈로그 · to the printer on Friday' });
  for (const client of clients) await client.ok('room:join', { room });

  const say = async (who: number, text: string, thread?: number): Promise<number> => {
    const reply = thread === undefined ? {} : { thread };
    const { seq } = await clientOf(who).ok('message:send', { room, clientMsgId: newId(), text, ...reply });
    return seq;
  };
  const seqs: number[] = [];
  for (const [who, text] of MESSAGES) seqs.push(await say(who, text));
  const seqOf = (index: number): number => seqs[index] ?? 0;
  const root = seqOf(ROOT);
  for (const [who, text] of REPLIES) await say(who, text, root);
  for (const [who, index, emoji] of REACTIONS)
    await clientOf(who).ok('message:react', { room, seq: seqOf(index), clientMsgId: newId(), emoji, active: true });
  await owner.ok('message:pin', { room, seq: root, clientMsgId: newId(), active: true });
  return {
    ...{ room, people, root, say },
    leave() {
      for (const client of clients) client.close();
    },
  };
}
