/** A message under many reactions. `tests/load/reactions-cost.ts` measures the same with 50,000. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../support/client.ts';
import { startGateways, tokenOf, WIDE_LIMITS } from '../support/gateways.ts';
import { EMOJI, fillRoom, medianMs } from '../support/reactions.ts';

const REACTIONS = 600;

const site = await startGateways({ environment: WIDE_LIMITS });
after(() => site.stop());
const url = site.gateways[0]?.url ?? '';

test('reads find the messages below many reactions, with their counts', async () => {
  const { room, empty, buried, reactions, users } = await fillRoom({ url, token: tokenOf, reactions: REACTIONS });
  const reader = await connect(url, { token: tokenOf('user-3') });
  const joined = await reader.ok('room:join', { room });
  assert.deepEqual(
    joined.messages.map(({ type }) => type),
    Array.from({ length: 50 }, () => 'message.react'),
  );
  assert.equal(joined.head, buried + reactions);
  assert.equal(joined.n, buried);
  for (const which of [{}, { around: buried }, { after: 0 }]) {
    const page = await reader.ok('messages:read', { room, ...which });
    assert.equal(page.head, joined.head);
    assert.deepEqual(
      page.messages.map(({ text }) => text),
      ['older 0', 'older 1', 'older 2', 'older 3', 'older 4', 'buried'],
    );
    const shown = page.messages.at(-1)?.reactions ?? [];
    assert.deepEqual(shown.map(({ emoji }) => emoji).toSorted(), EMOJI.toSorted());
    for (const { count, mine, users: first } of shown) {
      assert.deepEqual([count, mine, first.length], [users.length, true, 10]);
      assert(first.every((user) => users.includes(user)));
    }
  }
  const older = await reader.ok('messages:read', { room, before: buried, limit: 2 });
  assert.deepEqual(
    [older.messages.map(({ text }) => text), older.hasMore, older.hasNewer],
    [['older 3', 'older 4'], true, true],
  );
  // A 21st emoji is one too many.
  await reader.refused('conflict', 'message:react', { room, seq: buried, clientMsgId: 'x', emoji: '🎉', active: true });
  const join = (of: string) => ({ work: () => reader.ok('room:join', { room: of }) });
  assert.equal((await medianMs([join(empty), join(room)], 3)).length, 2);
  reader.close();
});
