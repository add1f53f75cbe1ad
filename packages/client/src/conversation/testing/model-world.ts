/** The model of a room, a server that is a list of entries, and a network between them. */
import assert from 'node:assert/strict';
import type { Entry, MessagesData } from '@maru/protocol/events';
import { isInWindow, type ModelInput, type Read, type RoomModel, type WindowLimits } from '../model-state.ts';
import { neededReads, newModel, stepModel, windowSeqs } from '../room-model.ts';
import { checkModel } from './model-check.ts';
import { RoomLog } from './room-log.ts';

const OWN = 'u0';
const PAGE = 4;
const USERS = 14;
/** Small, so that the window is often full. */
const LIMITS: WindowLimits = { max: 12, before: 3, after: 5, rest: 2, wanted: 6 };

/** Some actions are more frequent. */
export const DOINGS = [
  ...Array<'act'>(12).fill('act'),
  ...Array<'deliver'>(8).fill('deliver'),
  ...Array<'ask'>(5).fill('ask'),
  ...Array<'answer'>(5).fill('answer'),
  ...(['crowd', 'older', 'newer', 'jump', 'thread', 'close-thread', 'pins', 'close-pins'] as const),
  ...(['look', 'unread', 'date', 'give-up', 'fail', 'reconnect', 'resume', 'history', 'gap', 'rollback'] as const),
] as const;
type Doing = (typeof DOINGS)[number];
export type Step = readonly [doing: Doing, a: number, b: number];

interface Asked {
  read: Read;
  generation: number;
  /** The server's data at the time of the request, or of an earlier shared read. */
  data: MessagesData | null;
}

export class World {
  readonly log = new RoomLog();
  #model: RoomModel = newModel(OWN, LIMITS);
  #live: Entry[] = [];
  /** Entries up to here were delivered. */
  #position = 0;
  #asked: Asked[] = [];
  #shared: { read: string; data: MessagesData } | null = null;
  #texts = 0;
  /** The texts of each message, including its edits. */
  readonly #textsOf = new Map<number, string[]>();

  /** The first join: the newest entries. */
  begin(): void {
    this.#deliver(this.log.history(this.log.head - PAGE, OWN), this.log.head);
  }

  do([doing, a, b]: Step): void {
    this.#doings[doing](a, b);
  }

  readonly #doings: Record<Doing, (a: number, b: number) => void> = {
    act: (a, b) => {
      for (let i = 0; i <= a % 3; i++) this.#act(Math.floor(a / 3) + i * 7, b + i * 11);
    },
    crowd: (a) => this.#crowd(a),
    deliver: (a) => {
      this.#deliver(this.#live.splice(0, 1 + (a % 4)));
    },
    ask: (a, b) => {
      const read = pick(neededReads(this.#model), a)?.read;
      if (read !== undefined) this.#ask(read, b);
    },
    answer: (a) => this.#answer(a),
    older: (_, b) => {
      const { window } = this.#model;
      if (window?.hasOlder) this.#ask({ kind: 'older', seq: window.from }, b);
    },
    newer: (_, b) => {
      const to = this.#model.window?.to ?? null;
      if (to !== null) this.#ask({ kind: 'newer', seq: to }, b);
    },
    look: (a) => {
      const at = a % 3 === 0 ? null : (pick(windowSeqs(this.#model), a) ?? null);
      this.#step({ type: 'look', at, isAtEnd: a % 4 === 0 });
    },
    unread: (a) => this.#step({ type: 'jump', to: { after: this.#anyMessage(a) - 1 } }),
    date: (a) => {
      const ts = this.log.find(this.#anyMessage(a))?.ts ?? 0;
      this.#step({ type: 'jump', to: { at: ts + (a % 3) - 1 } });
    },
    'give-up': (a) => {
      const [failed] = this.#asked.splice(a % Math.max(1, this.#asked.length), 1);
      if (failed !== undefined) this.#step({ type: 'failed', generation: failed.generation, read: failed.read });
    },
    jump: (a, b) => this.#step({ type: 'jump', to: a % 3 === 0 ? 'newest' : this.#anyMessage(b) }),
    thread: (a) => this.#step({ type: 'open-thread', root: this.#anyMessage(a) }),
    'close-thread': (a) => {
      const root = pick([...this.#model.threads.keys()], a);
      if (root !== undefined) this.#step({ type: 'close-thread', root });
    },
    pins: () => this.#step({ type: 'open-pins' }),
    'close-pins': () => this.#step({ type: 'close-pins' }),
    fail: (a) => {
      const [failed] = this.#asked.splice(a % Math.max(1, this.#asked.length), 1);
      if (failed !== undefined) this.#step({ type: 'failed', generation: failed.generation });
    },
    reconnect: () => {
      for (const { generation } of this.#asked.splice(0)) this.#step({ type: 'failed', generation });
      this.#catchUp();
    },
    resume: () => this.#catchUp(),
    history: () => {
      this.#live = [];
      this.#deliver(this.log.history(this.#position, OWN), this.log.head);
    },
    gap: () => {
      this.#live = [];
      this.#step({ type: 'gap' });
      this.begin();
    },
    rollback: (a) => {
      const head = Math.max(1, this.log.head - (a % 9));
      this.log.rollBack(head);
      this.#position = Math.min(this.#position, head);
      this.#step({ type: 'rollback', epoch: this.log.epoch, head });
      this.#catchUp();
    },
  };

  #deliver(entries: readonly Entry[], readAt?: number): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#position = last.seq;
    this.#step({ type: 'entries', entries, readAt });
  }

  /** Like a resume: the original entries, without texts that were erased since. */
  #catchUp(): void {
    this.#live = [];
    this.#deliver(this.log.appended(this.#position));
  }

  #act(a: number, b: number): void {
    const user = `u${b % USERS}`;
    const seq = this.#anyMessage(Math.floor(b / USERS));
    const text = `<${++this.#texts}>`;
    const root = this.log.find(seq)?.thread ?? seq;
    const kind = this.log.isDeleted(seq) ? 0 : a % 10;
    if (kind <= 1) this.#append(user, 'text', { text, ...(a % 20 === 0 ? { mentions: [OWN] } : {}) });
    else if (kind <= 3) this.#append(user, 'text', this.log.isDeleted(root) ? { text } : { text, thread: root });
    else if (kind === 4) this.#append(user, 'message.edit', { data: { seq, text } });
    else if (kind === 5) this.#append(user, 'message.delete', { data: { seq } });
    else if (kind === 6) this.#append(user, 'x.unknown', { data: { seq } });
    else this.#toggle(user, seq, { isPin: kind === 7, emoji: a % 3 === 0 ? '🙂' : '👍' });
  }

  /** More users react than a reaction lists, or some of them remove their reaction. */
  #crowd(a: number): void {
    const seq = this.#anyMessage(a);
    if (this.log.isDeleted(seq)) return;
    for (let i = 0; i < USERS; i++) this.#toggle(`u${(i * 5 + a) % USERS}`, seq, { isPin: false, emoji: '👍' });
    for (let i = 0; i < a % 3; i++) this.#toggle(`u${(i * 3) % USERS}`, seq, { isPin: false, emoji: '👍' });
  }

  #toggle(user: string, seq: number, { isPin, emoji }: { isPin: boolean; emoji: string }): void {
    const now = this.log.read({ around: seq, limit: 1 }, user).messages.find((one) => one.seq === seq);
    const isMine = now?.reactions?.find((one) => one.emoji === emoji)?.mine === true;
    if (isPin) this.#append(user, 'message.pin', { data: { seq, active: now?.pinned !== true } });
    else this.#append(user, 'message.react', { data: { seq, emoji, active: !isMine } });
  }

  #append(user: string, type: string, content: Partial<Entry>): void {
    const entry = this.log.append(user, type, content);
    const { seq = entry.seq, text = content.text } = (content.data ?? {}) as { seq?: number; text?: string };
    if (text !== undefined) this.#textsOf.set(seq, [...(this.#textsOf.get(seq) ?? []), text]);
    this.#live.push(entry);
  }

  /** The newest messages are chosen more often. */
  #anyMessage(random: number): number {
    const range = random % 3 === 0 ? this.log.head : Math.min(this.log.head, 6);
    for (let seq = this.log.head - (random % Math.max(1, range)); seq > 0; seq--)
      if (this.log.find(seq) !== undefined) return seq;
    return 1;
  }

  #ask(read: Read, when: number): void {
    const key = JSON.stringify(read);
    const data = this.#read(read);
    const shared = this.#shared?.read === key && when % 2 === 0 ? this.#shared.data : null;
    this.#shared = { read: key, data };
    this.#step({ type: 'asked' });
    this.#asked.push({ read, generation: this.#model.generation, data: when % 3 === 0 ? null : (shared ?? data) });
  }

  #answer(which: number): void {
    const [asked] = this.#asked.splice(which % Math.max(1, this.#asked.length), 1);
    if (asked === undefined) return;
    const { read, generation } = asked;
    this.#step({ type: 'answered', generation, read, data: asked.data ?? this.#read(read) });
  }

  #read(read: Read): MessagesData {
    switch (read.kind) {
      case 'newest':
        return this.log.read({ limit: PAGE }, OWN);
      case 'around':
        return this.log.read({ around: read.seq, limit: PAGE }, OWN);
      case 'at':
        return this.log.read({ at: read.ts, limit: PAGE }, OWN);
      case 'one':
        return this.log.read({ around: read.seq, limit: 1 }, OWN);
      case 'older':
        return this.log.read({ before: read.seq, limit: PAGE }, OWN);
      case 'newer':
        return this.log.read({ after: read.seq, limit: PAGE }, OWN);
      case 'pins':
        return this.log.read({ pinned: true, limit: PAGE, ...before(read.before) }, OWN);
      case 'thread':
        return this.log.read({ thread: read.root, limit: PAGE, ...before(read.before) }, OWN);
    }
  }

  #step(input: ModelInput): void {
    const before = this.#model;
    this.#model = stepModel(before, input);
    this.#checkErased();
    this.#checkWindow(before, input);
  }

  /** The window is bounded, and nothing next to the reading position disappears. */
  #checkWindow(before: RoomModel, input: ModelInput): void {
    const seqs = windowSeqs(this.#model);
    assert.ok(seqs.length <= LIMITS.max, `${seqs.length} messages`);
    const { place } = this.#model;
    if (place !== before.place && place !== null) assert.ok(seqs.includes(place.seq), `no ${place.seq} after a jump`);
    const isPage = input.type === 'answered' && (input.read.kind === 'older' || input.read.kind === 'newer');
    if (before.focus === null || !(isPage || input.type === 'entries')) return;
    const near = windowSeqs(before)
      .filter((seq) => seq >= Number(before.focus))
      .slice(0, LIMITS.before);
    for (const seq of near) assert.ok(isInWindow(this.#model, seq), `${seq} disappeared next to ${before.focus}`);
  }

  /** After the deletion was delivered, the text is nowhere in the model. */
  #checkErased(): void {
    const position = this.#position;
    const held = JSON.stringify([[...this.#model.messages.values()], this.#model.recent]);
    for (const entry of this.#deletions) if (entry.seq <= position) assert.ok(!held.includes(entry.text), entry.text);
  }

  get #deletions(): Array<{ seq: number; text: string }> {
    return this.log.appended(0).flatMap(({ type, seq, data }) => {
      const target = (data as { seq: number } | undefined)?.seq ?? 0;
      const texts = type === 'message.delete' ? (this.#textsOf.get(target) ?? []) : [];
      return texts.map((text) => ({ seq, text }));
    });
  }

  /** Delivers the rest and answers every read. */
  heal(): void {
    this.#catchUp();
    for (let i = 0; i < 500; i++) {
      if (this.#asked.length > 0) this.#answer(0);
      else {
        const read = neededReads(this.#model)[0]?.read;
        if (read === undefined) return;
        this.#ask(read, 0);
      }
    }
    assert.fail('reads are needed for ever');
  }

  check(): void {
    checkModel(this.#model, this.log.read({ limit: 100_000 }, OWN).messages);
  }
}

const before = (seq: number | null) => (seq === null ? {} : { before: seq });

const pick = <T>(list: readonly T[], random: number): T | undefined => list[random % Math.max(1, list.length)];
