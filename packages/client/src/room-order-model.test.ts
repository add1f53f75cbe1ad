/**
 * The ordering machine against a model: one log, one client, and a network that loses, duplicates
 * and breaks.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Entry } from '@maru/protocol/events';
import fc from 'fast-check';
import { newRoom, stepRoom } from './room-order.ts';
import type { RoomEffect, RoomInput, RoomState } from './room-state.ts';
import { entry, joined, page } from './testing/entries.ts';

type Act = 'post' | 'lose' | 'double' | 'read' | 'break' | 'resume' | 'resume-far' | 'rollback' | 'rollback-silent';

const PAGE_ENTRIES = 3;

class World {
  #epoch = 1;
  #log: Entry[] = [];
  #state: RoomState = stepRoom(newRoom(), { type: 'joined', data: joined([], 0, 'e1'), wanted: 50 }).state;
  #online = true;
  /** What a host shows if it follows `gap` and `rollback`. */
  #screen: Entry[] = [];
  #unanswered: RoomEffect | null = null;

  act(act: Act): void {
    switch (act) {
      case 'post':
      case 'double': {
        const next = this.#post();
        if (this.#online) this.#step({ type: 'entry', entry: next });
        if (this.#online && act === 'double') this.#step({ type: 'entry', entry: next });
        return;
      }
      case 'lose':
        this.#post();
        return;
      case 'read':
        if (this.#online) this.#answerRead();
        return;
      case 'break':
        this.#disconnect();
        return;
      case 'resume':
        this.#resume(false);
        return;
      case 'resume-far':
        this.#resume(true);
        return;
      case 'rollback':
      case 'rollback-silent':
        this.#rollBack(act === 'rollback');
        return;
    }
  }

  /**
   * Heals the network: one reconnect, one more entry, and every read is answered. Then the screen
   * must equal the log's end.
   */
  heal(): void {
    this.#disconnect();
    this.#resume(false);
    this.#step({ type: 'entry', entry: this.#post() });
    for (let i = 0; i < 500 && this.#unanswered !== null; i++) this.#answerRead();
    assert.equal(this.#state.phase, 'live');
    assert.deepEqual(this.#state.position, { epoch: `e${this.#epoch}`, seq: this.#log.length });
    const end = this.#log.slice(this.#log.length - this.#screen.length);
    assert.deepEqual(
      this.#screen.map(({ seq }) => seq),
      end.map(({ seq }) => seq),
    );
    assert.ok(this.#screen.length > 0);
    // The text distinguishes entries of different epochs with the same seq.
    assert.deepEqual(
      this.#screen.map(({ text }) => text),
      end.map(({ text }) => text),
    );
  }

  #step(input: RoomInput): void {
    const { state, effects } = stepRoom(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect.do === 'gap') this.#screen = [];
      else if (effect.do === 'rollback') this.#screen = this.#screen.filter(({ seq }) => seq <= effect.head);
      else if (effect.do === 'deliver') for (const next of effect.entries) this.#show(next);
      else this.#unanswered = effect;
    }
  }

  #show(next: Entry): void {
    const last = this.#screen.at(-1);
    if (last !== undefined) assert.equal(next.seq, last.seq + 1, 'contiguous');
    this.#screen.push(next);
  }

  #post(): Entry {
    const next = entry(this.#log.length + 1, `e${this.#epoch}`);
    this.#log = [...this.#log, next];
    return next;
  }

  #answerRead(): void {
    const effect = this.#unanswered;
    const epoch = `e${this.#epoch}`;
    this.#unanswered = null;
    if (effect?.do === 'read-after') {
      const { readId, position, missing } = effect;
      const limit = Math.min(PAGE_ENTRIES, missing ?? PAGE_ENTRIES);
      if (position.epoch !== epoch) {
        this.#step({ type: 'page-conflict', readId });
        return;
      }
      const rest = this.#log.filter(({ seq }) => seq > position.seq);
      const data = page(rest.slice(0, limit), { epoch, hasMore: rest.length > limit });
      this.#step({ type: 'page', readId, data });
    } else if (effect?.do === 'read-newest') {
      const data = page(this.#log.slice(-PAGE_ENTRIES), { epoch, hasMore: this.#log.length > PAGE_ENTRIES, first: 1 });
      this.#step({ type: 'page', readId: effect.readId, data });
    }
  }

  #disconnect(): void {
    this.#online = false;
    this.#unanswered = null;
    this.#step({ type: 'offline' });
  }

  #resume(far: boolean): void {
    const { position } = this.#state;
    if (this.#online) return;
    this.#online = true;
    if (position === null) return;
    const head = this.#log.length;
    const base = { epoch: `e${this.#epoch}`, head, n: head, first: 1 };
    if (position.epoch !== base.epoch || position.seq > head) {
      this.#step({ type: 'resumed', answer: { ...base, recovered: false, reason: 'epoch' } });
    } else if (far && head > position.seq) {
      this.#step({ type: 'resumed', answer: { ...base, recovered: false, reason: 'too_far' } });
    } else {
      this.#step({ type: 'resumed', answer: { ...base, recovered: true } });
      for (const missed of this.#log.slice(position.seq)) this.#step({ type: 'entry', entry: missed });
    }
  }

  #rollBack(isAnnounced: boolean): void {
    const state = this.#state;
    // A client cannot detect an unannounced rollback before an announced one. Servers announce each
    // rollback.
    const isKnown =
      state.position?.epoch === `e${this.#epoch}` || (state.phase === 'backfilling' && state.want.kind === 'newest');
    this.#epoch++;
    const epoch = `e${this.#epoch}`;
    const head = Math.floor(this.#log.length / 2);
    this.#log = this.#log.slice(0, head).map((old) => ({ ...old, epoch }));
    if (this.#online && isAnnounced && isKnown) this.#step({ type: 'epoch', epoch, head });
  }
}

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

it('delivers contiguous slices without duplicates, and everything at the end, for any sequence of events', () => {
  fc.assert(
    fc.property(acts, (script) => {
      const world = new World();
      for (const act of script) world.act(act);
      world.heal();
    }),
    { numRuns: 2_000 },
  );
});
