import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import { FakeConversation } from '../server/fake-conversation.ts';
import { type Page, RoomView } from './room-view.ts';

const USERS = ['ann', 'bob', 'cyd'] as const;
type Act = { kind: 'send'; reply: boolean } | { kind: 'edit' | 'delete' } | { kind: 'react' | 'pin'; active: boolean };

/** A room with a log that the test writes. It follows the same rules as the server. */
class Room {
  readonly entries: Entry[] = [];
  readonly conversation = new FakeConversation(this.entries);

  get head(): number {
    return this.entries.length;
  }

  append(from: string, type: string, more: Partial<Entry>): Entry {
    const seq = this.head + 1;
    const n = (this.entries.at(-1)?.n ?? 0) + (type === 'text' ? 1 : 0);
    const entry: Entry = {
      room: 'r',
      epoch: 'e',
      seq,
      ts: 1_000 + seq,
      n,
      type,
      from: { id: from, name: from },
      ...more,
    };
    this.entries.push(entry);
    if (type === 'message.delete') this.conversation.erase((more.data as { seq: number }).seq);
    return entry;
  }

  /** @returns undefined if the act is not possible or changes nothing */
  act(user: string, act: Act, nth: number): Entry | undefined {
    const messages = this.entries.filter(({ type, seq }) => type === 'text' && !this.conversation.isDeleted(seq));
    const target = messages[nth % Math.max(1, messages.length)];
    if (act.kind === 'send') {
      const root = act.reply && target !== undefined && target.thread === undefined ? { thread: target.seq } : {};
      return this.append(user, 'text', { text: `text ${this.head}`, mentions: ['bob'], ...root });
    }
    if (target === undefined) return undefined;
    const { seq } = target;
    const data = {
      edit: { seq, text: `edit ${this.head}` },
      delete: { seq },
      react: { seq, emoji: '👍', active: 'active' in act && act.active },
      pin: { seq, active: 'active' in act && act.active },
    }[act.kind];
    const type = `message.${act.kind}`;
    return this.conversation.isSo(user, type, data) ? undefined : this.append(user, type, { data });
  }

  read(user: string, limit: number, of: (entry: Entry) => boolean = () => true): Page {
    const chosen = this.entries.filter(of).slice(-limit);
    return { epoch: 'e', head: this.head, messages: chosen.map((entry) => this.conversation.asNow(entry, user)) };
  }

  messages(user: string, limit: number): Page {
    return this.read(user, limit, ({ type }) => type === 'text');
  }
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), reply: fc.boolean() }) },
  fc.record({ kind: fc.constantFrom('edit' as const, 'delete' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('react' as const, 'pin' as const), active: fc.boolean() }),
  },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ user: fc.constantFrom(...USERS), act, nth: fc.nat(50) }) },
  fc.record({ lateBy: fc.nat(3), older: fc.boolean() }),
  fc.record({ rejoin: fc.integer({ min: 1, max: 30 }) }),
);

test('reads, joins and entries in any order give the same view as a fresh read', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 2, max: 40 }), (steps, messagesMax) => {
      const room = new Room();
      const view = new RoomView({ user: 'ann', messagesMax });
      view.joined(room.read('ann', 50));
      /** Answers that arrive after a number of further entries. */
      const late: Array<{ dueAt: number; page: Page; older: boolean }> = [];
      const arrive = () => {
        for (const { page, older } of late.filter(({ dueAt }) => dueAt <= room.head)) {
          const first = page.messages[0]?.seq;
          assert.deepEqual(view.read(page, older ? first : undefined), []);
        }
        late.splice(0, late.length, ...late.filter(({ dueAt }) => dueAt > room.head));
      };
      for (const one of steps) {
        if ('act' in one) {
          const entry = room.act(one.user, one.act, one.nth);
          if (entry !== undefined) view.received(entry);
        } else if ('rejoin' in one) view.joined(room.read('ann', one.rejoin));
        else late.push({ dueAt: room.head + one.lateBy, page: room.messages('ann', 20), older: one.older });
        arrive();
      }
      assert.deepEqual(view.compare(room.messages('ann', 20), false), []);
    }),
    { numRuns: 500 },
  );
});

test('an old page does not hide that newer messages were forgotten since', () => {
  const room = new Room();
  const view = new RoomView({ user: 'ann', messagesMax: 2 });
  view.joined(room.read('ann', 50));
  const send = () => view.received(room.append('ann', 'text', { text: 'x' }));
  send();
  const page = room.messages('ann', 20);
  for (let count = 0; count < 3; count++) send();
  assert.deepEqual(view.read(page, 1), []);
  assert.deepEqual(view.compare(room.messages('ann', 20), false), []);
});

suite('reports differences', () => {
  /** A room with one of everything, and a view of it. */
  function viewed() {
    const room = new Room();
    const view = new RoomView({ user: 'ann' });
    view.joined(room.read('ann', 50));
    const live = (user: string, type: string, more: Partial<Entry>) => view.received(room.append(user, type, more));
    live('ann', 'text', { text: 'root', mentions: ['bob'] });
    live('bob', 'text', { text: 'reply', thread: 1 });
    live('ann', 'message.edit', { data: { seq: 1, text: 'edited', mentions: ['cyd'] } });
    for (const user of USERS) live(user, 'message.react', { data: { seq: 1, emoji: '👍', active: true } });
    live('ann', 'message.pin', { data: { seq: 1, active: true } });
    live('bob', 'text', { text: 'deleted', thread: 1 });
    live('bob', 'message.delete', { data: { seq: 8 } });
    return { view, page: room.messages('ann', 50) };
  }

  const changed = (change: (root: Entry, page: Page & { messages: Entry[] }) => unknown) => {
    const { view, page } = viewed();
    const copy = structuredClone(page) as Page & { messages: Entry[] };
    change(copy.messages[0] as Entry, copy);
    return view.compare(copy, true).join('; ');
  };
  const reaction = (root: Entry) => (root.reactions ?? [])[0] as { count: number; mine: boolean; users: string[] };

  test('none for a correct read', () =>
    assert.equal(
      changed(() => {}),
      '',
    ));
  const faults: Array<[string, Parameters<typeof changed>[0], RegExp]> = [
    ['a text', (root) => Object.assign(root, { text: 'root' }), /message 1: the text differs/],
    ['mentions', (root) => Object.assign(root, { mentions: ['bob'] }), /mentions is \["cyd"\], not \["bob"\]/],
    ['an edit', (root) => void delete root.edited, /edited is 1003, not none/],
    ['a pin', (root) => void delete root.pinned, /pinned is true, not false/],
    [
      'the number of replies',
      (root) => Object.assign(root, { replies: { n: 2, seq: 2, ts: 1_002 } }),
      /number of replies is 1, not 2/,
    ],
    ['the newest reply', (root) => Object.assign(root, { replies: { n: 1, seq: 8, ts: 1_008 } }), /the newest reply/],
    ['the count of a reaction', (root) => void reaction(root).count++, /count is 3, not 4/],
    ['the own reaction', (root) => Object.assign(reaction(root), { mine: false }), /mine is true, not false/],
    [
      'the users of a reaction',
      (root) => Object.assign(reaction(root), { users: ['ann', 'cyd', 'bob'] }),
      /users are ann,bob,cyd/,
    ],
    ['too few users', (root) => void reaction(root).users.pop(), /2 users are named, not 3/],
    ['a reaction that is missing', (root) => void delete root.reactions, /reaction 👍: not there/],
    ['a deletion', (_, page) => void delete page.messages[2]?.deleted, /message 8: deleted is/],
    [
      'a deleted text',
      (_, page) => Object.assign(page.messages[2] as Entry, { text: 'deleted' }),
      /message 8: the text/,
    ],
    ['a thread', (_, page) => void delete page.messages[1]?.thread, /message 2: the thread is 1, not none/],
    ['a message that is missing', (_, page) => void page.messages.splice(1, 1), /2 is in the view and not in the read/],
    ['the head', (_, page) => void page.head++, /the view ends at 9, the read at 10/],
  ];
  for (const [what, change, expected] of faults) test(what, () => assert.match(changed(change), expected));

  test('a message that the view does not have', () => {
    const { page } = viewed();
    const view = new RoomView({ user: 'ann' });
    view.joined({ ...page, head: 0, messages: [] });
    view.received({ ...(page.messages[0] as Entry), seq: 9 });
    assert.match(view.compare(page, true).join(), /message 1 is in the read and not in the view/);
  });

  test('a read during the run whose answer comes late', () => {
    const room = new Room();
    const view = new RoomView({ user: 'ann' });
    view.joined(room.read('ann', 50));
    view.received(room.append('ann', 'text', { text: 'a' }));
    const page = structuredClone(room.messages('ann', 50)) as Page & { messages: Entry[] };
    view.received(room.append('ann', 'message.edit', { data: { seq: 1, text: 'b' } }));
    assert.deepEqual(view.read(structuredClone(page)), []);
    Object.assign(page.messages[0] as Entry, { pinned: true });
    assert.match(view.read(page).join(), /message 1: pinned is false, not true/);
  });
});

test('the users of a large reaction are unknown after one of the first has left', () => {
  const room = new Room();
  const view = new RoomView({ user: 'u3' });
  view.joined(room.read('u3', 50));
  view.received(room.append('ann', 'text', { text: 'a' }));
  const react = (user: string, active: boolean) =>
    view.received(room.append(user, 'message.react', { data: { seq: 1, emoji: '👍', active } }));
  for (let index = 0; index < 12; index++) react(`u${index}`, true);
  assert.deepEqual(view.compare(room.messages('u3', 50), true), []);
  react('u3', false);
  assert.equal(view.get(1)?.reactions?.get('👍')?.users, undefined);
  assert.deepEqual(view.compare(room.messages('u3', 50), true), []);
});
