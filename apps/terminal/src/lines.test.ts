import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConversationView, Message } from '@maru/client/conversation';
import stringWidth from 'string-width';
import { fitted, linesOf, wrapped } from './lines.ts';

const message = (seq: number, text: string, more: Partial<Message> = {}): Message => ({
  seq,
  ts: seq,
  n: seq,
  from: { id: 'mina', name: 'Mina' },
  clientMsgId: null,
  text,
  edited: null,
  deleted: null,
  mentions: [],
  reactions: [],
  thread: null,
  replies: null,
  pinned: false,
  pending: [],
  canUndo: false,
  ...more,
});

const options = { width: 40, ownId: 'jun', timeOf: () => '09:41', dayOf: () => 'Sunday' };
const viewOf = (messages: Message[]) =>
  ({ messages, outgoing: [], hasNewer: false, unreadLine: null }) as unknown as ConversationView;

test('lines with wide characters fit into the columns, and no text is lost', () => {
  const text = '가나다라마바사 '.repeat(12) + 'x'.repeat(90);
  const lines = wrapped(text, 40);
  for (const line of lines) assert(stringWidth(line) <= 40, line);
  assert.equal(
    lines
      .map((line) => line.trim())
      .join('')
      .replaceAll(' ', ''),
    text.replaceAll(' ', ''),
  );
  assert(stringWidth(fitted('가나다라마바사', 8)) <= 8);
  assert.equal(fitted('abc', 8), 'abc');
});

test('a line shows who wrote what, and what happened to the message', () => {
  const lines = linesOf(
    viewOf([
      message(1, 'tea?', { edited: { ts: 2 }, replies: { n: 2, seq: 3, ts: 3 } }),
      message(2, '', { deleted: { ts: 2, by: 'mina' } }),
      message(3, 'for you', { mentions: ['jun'] }),
      message(4, 'a\u001b[2J', { from: { id: 'x', name: 'e\u001bvil' } }),
    ]),
    options,
  );
  assert.deepEqual(
    lines.map(({ text, tone }) => [text.trim(), tone]),
    [
      ['── Sunday ──', 'dim'],
      ['09:41 Mina: tea? [edited · 2', 'plain'],
      ['replies]', 'plain'],
      ['09:41 Mina: (deleted)', 'dim'],
      ['09:41 Mina: for you', 'mark'],
      ['09:41 evil: a[2J', 'plain'],
    ],
  );
});
