import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingMessage, OutgoingState } from '@maru/client';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import * as timelines from './timeline.ts';
import { emptyTimeline, LOADED_ENTRIES_MAX, TAIL_ENTRIES_MAX, type Timeline } from './timeline.ts';

const ME = 'me';
const reading = { ownId: ME, isReading: true };
const away = { ownId: ME, isReading: false };

const entry = (seq: number, more: Partial<Entry> = {}): Entry => ({
  room: 'lobby',
  epoch: 'e1',
  seq,
  ts: seq * 1_000,
  n: seq,
  type: 'text',
  from: { id: 'bot', name: 'Bot' },
  clientMsgId: `m${seq}`,
  text: `text ${seq}`,
  ...more,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
const mine = (clientMsgId: string, state: OutgoingState): OutgoingMessage => ({
  room: 'lobby',
  clientMsgId,
  text: 'mine',
  queuedAtMs: 0,
  state,
});
const sending: OutgoingState = { kind: 'sending' };
const failed: OutgoingState = { kind: 'failed', error: { code: 'forbidden', message: '', retryable: false } };
const stored = (seq: number): OutgoingState => ({ kind: 'stored', position: { epoch: 'e1', seq } });
const seqs = (timeline: Timeline) => timeline.entries.map(({ seq }) => seq);
const waiting = (timeline: Timeline) =>
  timeline.outgoing.map(({ clientMsgId, state }) => `${clientMsgId} ${state.kind}`);

describe('a timeline', () => {
  it('keeps the newest while one reads along, and more while one does not', () => {
    const all = range(1, LOADED_ENTRIES_MAX + 10);
    assert.equal(timelines.append(emptyTimeline, all, reading).entries.length, TAIL_ENTRIES_MAX);
    const kept = timelines.append(emptyTimeline, all, away);
    assert.equal(kept.entries.length, LOADED_ENTRIES_MAX);
    assert.equal(timelines.readToEnd(kept).entries.length, TAIL_ENTRIES_MAX);
    assert.equal(timelines.readToEnd(kept).entries.at(-1)?.seq, LOADED_ENTRIES_MAX + 10);
  });

  it('counts unread messages of others from where reading stopped, and keeps the line when reading goes on', () => {
    let timeline = timelines.append(emptyTimeline, range(1, 3), reading);
    assert.equal(timeline.unreadFrom, null);
    timeline = timelines.append(timeline, [entry(4, { from: { id: ME, name: 'Me' } }), entry(5)], away);
    timeline = timelines.append(timeline, [entry(6), entry(7, { type: 'room.mute' })], away);
    assert.deepEqual([timeline.unreadFrom, timeline.unreadCount], [5, 2]);
    timeline = timelines.readToEnd(timeline);
    assert.deepEqual([timeline.unreadFrom, timeline.unreadCount], [5, 0]);
    timeline = timelines.append(timeline, [entry(8)], away);
    assert.deepEqual([timeline.unreadFrom, timeline.unreadCount], [8, 1]);
  });

  it('shows an own message once, whichever of its answer and its entry comes first', () => {
    const own = entry(1, { from: { id: ME, name: 'Me' }, clientMsgId: 'a' });
    const begun = timelines.noteOutgoing(emptyTimeline, mine('a', sending));
    const ackFirst = timelines.noteOutgoing(begun, mine('a', stored(1)));
    assert.deepEqual(waiting(ackFirst), ['a stored'], 'it stays until the entry is there');
    assert.deepEqual(waiting(timelines.append(ackFirst, [own], reading)), []);
    const entryFirst = timelines.append(begun, [own], reading);
    assert.deepEqual(waiting(entryFirst), []);
    assert.deepEqual(waiting(timelines.noteOutgoing(entryFirst, mine('a', stored(1)))), []);
  });

  it('does not take the message of another person for an own one with the same id', () => {
    const begun = timelines.noteOutgoing(emptyTimeline, mine('a', sending));
    assert.deepEqual(waiting(timelines.append(begun, [entry(1, { clientMsgId: 'a' })], reading)), ['a sending']);
  });

  it('leaves a failed message in its place, and puts it last when it is tried again', () => {
    let timeline = timelines.noteOutgoing(emptyTimeline, mine('a', sending));
    timeline = timelines.noteOutgoing(timeline, mine('b', sending));
    timeline = timelines.noteOutgoing(timeline, mine('a', failed));
    assert.deepEqual(waiting(timeline), ['a failed', 'b sending']);
    timeline = timelines.noteOutgoing(timeline, mine('a', sending));
    assert.deepEqual(waiting(timeline), ['b sending', 'a sending']);
    assert.deepEqual(waiting(timelines.dropOutgoing(timeline, 'b')), ['a sending']);
  });

  it('takes an older page only where it continues what is there', () => {
    const timeline = timelines.append(emptyTimeline, range(10, 12), reading);
    assert.deepEqual(seqs(timelines.prepend(timeline, { messages: range(7, 9), first: 1 })), [7, 8, 9, 10, 11, 12]);
    assert.deepEqual(seqs(timelines.prepend(timeline, { messages: range(6, 8), first: 1 })), [10, 11, 12]);
    assert.deepEqual(seqs(timelines.prepend(timeline, { messages: range(8, 11), first: 1 })), [8, 9, 10, 11, 12]);
    assert.equal(timelines.olderState(timelines.prepend(timeline, { messages: [], first: 10 })), 'oldest-kept');
  });

  it('knows whether there is more above', () => {
    assert.equal(timelines.olderState(emptyTimeline), 'beginning');
    assert.equal(timelines.olderState(timelines.append(emptyTimeline, range(1, 2), reading)), 'beginning');
    assert.equal(timelines.olderState(timelines.append(emptyTimeline, range(5, 6), reading)), 'more');
    const full = timelines.append(emptyTimeline, range(5, LOADED_ENTRIES_MAX + 4), away);
    assert.equal(timelines.olderState(full), 'capped');
  });

  it('begins anew after a gap, and says why', () => {
    const before = timelines.noteOutgoing(timelines.append(emptyTimeline, range(1, 3), away), mine('a', sending));
    const after = timelines.append(timelines.breakOff(before, 'gap'), range(90, 91), reading);
    assert.deepEqual([seqs(after), after.notice, after.unreadFrom], [[90, 91], 'gap', null]);
    assert.deepEqual(waiting(after), ['a sending'], 'what is being sent has not been lost');
  });

  it('takes back what a rollback took', () => {
    const timeline = timelines.append(emptyTimeline, range(1, 5), away);
    assert.deepEqual(seqs(timelines.rollBack(timeline, 3)), [1, 2, 3]);
    assert.equal(timelines.rollBack(timeline, 0).notice, 'rolled-back');
  });

  it('is one ascending slice without holes, whatever is loaded in whatever order', () => {
    const act = fc.record({ kind: fc.constantFrom('append', 'older', 'read'), size: fc.integer({ min: 1, max: 700 }) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        let head = 5_000;
        let timeline = emptyTimeline;
        for (const { kind, size } of acts) {
          const oldest = timeline.entries[0]?.seq ?? head + 1;
          if (kind === 'append') {
            timeline = timelines.append(timeline, range(head + 1, head + size), away);
            head += size;
          } else if (kind === 'older' && timelines.olderState(timeline) === 'more') {
            timeline = timelines.prepend(timeline, {
              messages: range(Math.max(1, oldest - 100), oldest - 1),
              first: 1,
            });
          } else if (kind === 'read') timeline = timelines.readToEnd(timeline);
          assert.ok(timeline.entries.length < LOADED_ENTRIES_MAX + 100);
          for (const [i, { seq }] of timeline.entries.entries()) {
            assert.equal(seq, (timeline.entries[0]?.seq ?? 0) + i);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
