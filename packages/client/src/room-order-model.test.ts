import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import { newRoom, type RoomEffect, type RoomInput, stepRoom } from './room-order.ts';
import { entry, joined, page } from './testing/entries.ts';

/** A world of one log, one client and a network that loses, doubles and breaks; it answers reads as the contract says. */
type Act = 'post' | 'lose' | 'double' | 'read' | 'break' | 'resume' | 'resume-far' | 'rollback' | 'rollback-silent';

describe('the delivered entries of a room', () => {
  it('are contiguous slices without duplicates, and complete at the end, for any sequence of events', () => {
    const acts = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constant<Act>('post') },
        { weight: 3, arbitrary: fc.constant<Act>('lose') },
        { weight: 2, arbitrary: fc.constant<Act>('double') },
        { weight: 4, arbitrary: fc.constant<Act>('read') },
        { weight: 1, arbitrary: fc.constantFrom<Act>('break', 'resume', 'resume-far', 'rollback', 'rollback-silent') },
      ),
      { minLength: 1, maxLength: 120, size: 'max' },
    );
    fc.assert(
      fc.property(acts, (script) => {
        let epoch = 1;
        let log: Entry[] = [];
        let state = stepRoom(newRoom(), { type: 'joined', data: joined([], 0, 'e1') }).state;
        let online = true;
        /** What a host that follows the rules of `gap` and `rollback` has on its screen. */
        let screen: Entry[] = [];
        let unanswered: RoomEffect | null = null;

        const feed = (input: RoomInput) => {
          const step = stepRoom(state, input);
          state = step.state;
          for (const effect of step.effects) {
            if (effect.do === 'gap') screen = [];
            else if (effect.do === 'rollback') screen = screen.filter(({ seq }) => seq <= effect.head);
            else if (effect.do === 'deliver') {
              for (const next of effect.entries) {
                const last = screen.at(-1);
                if (last !== undefined) assert.equal(next.seq, last.seq + 1, 'contiguous');
                screen.push(next);
              }
            } else unanswered = effect;
          }
        };
        const answer = () => {
          const effect = unanswered;
          unanswered = null;
          if (effect?.do === 'read-after') {
            if (effect.position.epoch !== `e${epoch}`) return feed({ type: 'page-conflict', readId: effect.readId });
            const rest = log.filter(({ seq }) => seq > effect.position.seq);
            const messages = rest.slice(0, 3);
            feed({
              type: 'page',
              readId: effect.readId,
              data: page(messages, { epoch: `e${epoch}`, hasMore: rest.length > 3 }),
            });
          } else if (effect?.do === 'read-newest') {
            const messages = log.slice(-3);
            const data = page(messages, {
              epoch: `e${epoch}`,
              hasMore: log.length > 3,
              first: log.length === 0 ? 1 : 1,
            });
            feed({ type: 'page', readId: effect.readId, data });
          }
        };
        const resume = (far: boolean) => {
          if (online) return;
          online = true;
          const { position } = state;
          if (position === null) return;
          const head = log.length;
          const base = { epoch: `e${epoch}`, head, first: 1 };
          if (position.epoch !== base.epoch || position.seq > head) {
            feed({ type: 'resumed', answer: { ...base, recovered: false, reason: 'epoch' } });
          } else if (far && head > position.seq) {
            feed({ type: 'resumed', answer: { ...base, recovered: false, reason: 'too_far' } });
          } else {
            feed({ type: 'resumed', answer: { ...base, recovered: true } });
            for (const missed of log.slice(position.seq)) feed({ type: 'entry', entry: missed });
          }
        };
        const post = () => {
          log = [...log, entry(log.length + 1, `e${epoch}`)];
          return log.at(-1) as Entry;
        };

        for (const act of script) {
          if (act === 'post' || act === 'double') {
            const next = post();
            if (online) feed({ type: 'entry', entry: next });
            if (online && act === 'double') feed({ type: 'entry', entry: next });
          } else if (act === 'lose') post();
          else if (act === 'read') {
            if (online) answer();
          } else if (act === 'break') {
            online = false;
            unanswered = null;
            feed({ type: 'offline' });
          } else if (act === 'resume') resume(false);
          else if (act === 'resume-far') resume(true);
          else {
            // Two rollbacks in a row of which the first was never told cannot be seen by anyone; servers tell each.
            const isKnown =
              state.position?.epoch === `e${epoch}` || (state.phase === 'backfilling' && state.want.kind === 'newest');
            epoch++;
            const head = Math.floor(log.length / 2);
            log = log.slice(0, head).map((old) => ({ ...old, epoch: `e${epoch}` }));
            if (online && act === 'rollback' && isKnown) feed({ type: 'epoch', epoch: `e${epoch}`, head });
          }
        }
        // The weather clears: one reconnect, one more entry, and every read is answered.
        online = false;
        unanswered = null;
        feed({ type: 'offline' });
        resume(false);
        const last = post();
        feed({ type: 'entry', entry: last });
        for (let i = 0; i < 500 && unanswered !== null; i++) answer();

        assert.equal(state.phase, 'live');
        assert.deepEqual(state.position, { epoch: `e${epoch}`, seq: log.length });
        const kept = screen.map(({ seq }) => seq);
        assert.deepEqual(
          kept,
          log.slice(log.length - screen.length).map(({ seq }) => seq),
        );
        assert.ok(screen.length > 0);
        // Text tells lives apart where the number does not.
        const text = (of: Entry) => of.text;
        const survivors = screen.map(text);
        assert.deepEqual(survivors, log.slice(log.length - screen.length).map(text));
      }),
      { numRuns: 2_000 },
    );
  });
});
