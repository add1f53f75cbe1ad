/**
 * Judges one room while it runs, and once more against the final history: I1 to I4 and I7, with lives of the log. Pure: it knows nothing
 * of sockets or time. What members see is compared as it comes, so that an hour of it need not be kept; of each message only what
 * it was is remembered.
 *
 * I1 acknowledged ⇒ in history exactly once. I2 each member's log is a contiguous slice of history without doubles. I3 one order, and
 * sends of one connection, none of them refused, in the order sent. I4 nothing that nobody sent. I7 unacknowledged ⇒ at most once.
 * A log that was rolled back begins a new life at a base; what stood above the base is excused, and only that.
 */
import type { Entry, LogState, Position, Recovery } from '@maru/protocol';
import { judgeSends, type SendRecord } from './send-judge.ts';

/** What a client was answered about a room that it resumes. */
export type ResumeAnswer = LogState & Recovery;

export interface Attempt {
  user: string;
  /** One transport of one client: the order of its sends counts until one of them is refused. */
  connection: string;
  clientMsgId: string;
  text: string;
}

export interface RoomJudge {
  /** The member joined without a past: its log begins after `head`. */
  joined(member: string, state: { epoch: string; head: number }): void;
  /** The member came back and asked to go on after its position. */
  resumed(member: string, answer: ResumeAnswer): void;
  /** The member was told of a new life by `room:event`. */
  told(member: string, life: { epoch: string; head: number }): void;
  received(member: string, entry: Entry): void;
  position(member: string): Position | undefined;
  /** To be called before it is sent. Returns what the answer is to be told to. */
  sent(attempt: Attempt): { stored(data: { epoch: string; seq: number; duplicate: boolean }): void; refused(): void };
  /** The newest place that was acknowledged in the newest life. */
  readonly newest: Position | undefined;
  readonly violations: readonly string[];
  /** Holes that the server said it cannot close. */
  readonly gapsTold: number;
  readonly messages: number;
  /** Known once it has finished: acknowledged messages that went with an end of the log, and are not in history. */
  readonly lost: number;
  /** `mayLose`: whether one of the rollbacks may have taken what was acknowledged. */
  finish(end: { history: readonly Entry[]; rollbacks: number; mayLose?: boolean }): string[];
}

const VIOLATIONS_MAX = 50;
/** The contract closes holes up to here; our texts are far below its bound of bytes. */
const HOLE_ENTRIES_MAX = 1_000;

const keyOf = (user: string, clientMsgId: string | undefined) => `${user}\n${clientMsgId}`;
const contentOf = (entry: Entry) =>
  `${entry.type}\n${entry.from.id}\n${entry.from.name}\n${entry.clientMsgId}\n${entry.ts}\n${entry.text}`;

export function createRoomJudge(room: string): RoomJudge {
  const violations: string[] = [];
  const positions = new Map<string, Position>();
  /** Lives of the log in the order of their first sight, with the base that clients were told. */
  const lives: Array<{ epoch: string; base: number | undefined; entries: Map<number, string> }> = [];
  const texts = new Map<string, string>();
  const sends: SendRecord[] = [];
  let newest: Position | undefined;
  let gapsTold = 0;
  let lost = 0;

  const accuse = (violation: string) => {
    if (violations.length < VIOLATIONS_MAX) violations.push(`${violation} (${room})`);
  };
  const lifeOf = (epoch: string) => {
    let life = lives.find((known) => known.epoch === epoch);
    if (life === undefined) {
      life = { epoch, base: undefined, entries: new Map() };
      lives.push(life);
    }
    return life;
  };

  const judgeEntry = (member: string, entry: Entry) => {
    const { entries } = lifeOf(entry.epoch);
    const content = contentOf(entry);
    const known = entries.get(entry.seq);
    if (known === undefined) {
      entries.set(entry.seq, content);
      const text = texts.get(keyOf(entry.from.id, entry.clientMsgId));
      if (text === undefined) accuse(`I4: ${member} got ${entry.seq}, which nobody sent`);
      else if (text !== entry.text) accuse(`I4: the text of ${entry.seq} is not what was sent`);
    } else if (known !== content) accuse(`I3: ${member} got another ${entry.seq} than somebody before`);
  };

  return {
    get newest() {
      return newest;
    },
    violations,
    get gapsTold() {
      return gapsTold;
    },
    get messages() {
      return texts.size;
    },
    get lost() {
      return lost;
    },
    position: (member) => positions.get(member),

    joined(member, { epoch, head }) {
      lifeOf(epoch);
      positions.set(member, { epoch, seq: head });
    },

    resumed(member, answer) {
      const asked = positions.get(member);
      if (asked === undefined) return accuse(`I2: ${member} was answered a resume that it did not ask for`);
      const { epoch, head, first } = answer;
      lifeOf(epoch);
      if (answer.recovered) {
        if (epoch !== asked.epoch) accuse(`I2: ${member} was recovered from another life without being told`);
        if (head < asked.seq) accuse(`I2: ${member} was recovered at ${head}, before its own ${asked.seq}`);
        return;
      }
      const just =
        answer.reason === 'epoch'
          ? epoch !== asked.epoch || asked.seq > head
          : answer.reason === 'trimmed'
            ? first > asked.seq + 1
            : answer.reason === 'too_far' && head - asked.seq > HOLE_ENTRIES_MAX;
      if (!just) accuse(`I2: ${member} at ${asked.seq} was not recovered (${answer.reason}), with the head at ${head}`);
      gapsTold++;
      positions.set(member, { epoch, seq: head });
    },

    told(member, { epoch, head }) {
      const life = lifeOf(epoch);
      if (life.base !== undefined && life.base !== head)
        accuse(`I3: the base of one life was told as ${life.base} and ${head}`);
      life.base = head;
      const position = positions.get(member);
      if (position === undefined) return accuse(`I2: ${member} was told of a life before it had joined`);
      if (position.epoch !== epoch) positions.set(member, { epoch, seq: Math.min(position.seq, head) });
    },

    received(member, entry) {
      const position = positions.get(member);
      if (position === undefined) return accuse(`I2: ${member} got ${entry.seq} before it had joined`);
      if (entry.epoch !== position.epoch)
        accuse(`I2: ${member} got ${entry.seq} of another life without having been told`);
      else if (entry.seq <= position.seq) accuse(`I2: ${member} got ${entry.seq} again or late, after ${position.seq}`);
      else if (entry.seq > position.seq + 1) accuse(`I2: ${member} missed ${position.seq + 1} to ${entry.seq - 1}`);
      judgeEntry(member, entry);
      positions.set(member, { epoch: entry.epoch, seq: Math.max(entry.seq, position.seq) });
    },

    sent({ user, connection, clientMsgId, text }) {
      const key = keyOf(user, clientMsgId);
      texts.set(key, text);
      const record: SendRecord = { key, connection, outcome: 'unknown' };
      sends.push(record);
      return {
        stored({ epoch, seq, duplicate }) {
          const life = lives.indexOf(lifeOf(epoch));
          record.outcome = { life, seq, duplicate };
          const known = newest === undefined ? -1 : lives.findIndex((other) => other.epoch === newest?.epoch);
          if (life > known || (life === known && seq > (newest?.seq ?? 0))) newest = { epoch, seq };
        },
        refused() {
          record.outcome = 'refused';
        },
      };
    },

    finish({ history, rollbacks, mayLose = true }) {
      judgeHistory(history);
      const survivedUpTo = boundsOfSurvival(history);
      lives.forEach(({ entries }, index) => {
        for (const [seq, content] of entries) {
          if (seq > (survivedUpTo[index] ?? 0)) continue;
          const stored = history[seq - (history[0]?.seq ?? 1)];
          if (stored === undefined) accuse(`I4: ${seq} was delivered and is not in history`);
          else if (contentOf(stored) !== content) accuse(`I3: another ${seq} was delivered than history holds`);
        }
      });
      const judged = judgeSends({ sends, history, survivedUpTo, keyOf });
      for (const violation of judged.violations) accuse(violation);
      lost = judged.lost;
      if (lost > 0 && !mayLose) accuse(`I1: ${lost} acknowledged messages went with the end of the log`);
      const last = history.at(-1);
      for (const [member, { epoch, seq }] of positions)
        if (last !== undefined && (seq !== last.seq || epoch !== last.epoch))
          accuse(`I5: ${member} ends at ${seq} of ${epoch}, history at ${last.seq} of ${last.epoch}`);
      if (lives.length - 1 > rollbacks)
        accuse(`I1: the log began ${lives.length - 1} new lives, and was rolled back ${rollbacks} times`);
      return violations;
    },
  };

  function judgeHistory(history: readonly Entry[]): void {
    const seen = new Map<string, number>();
    const epoch = history.at(-1)?.epoch;
    history.forEach((entry, index) => {
      const previous = history[index - 1];
      if (previous !== undefined && entry.seq !== previous.seq + 1)
        accuse(`I2: history goes from ${previous.seq} to ${entry.seq}`);
      if (previous !== undefined && entry.ts < previous.ts) accuse(`I3: the time falls at ${entry.seq}`);
      if (entry.epoch !== epoch) accuse(`I3: history holds ${entry.seq} in a life that is over`);
      const key = keyOf(entry.from.id, entry.clientMsgId);
      const earlier = seen.get(key);
      if (earlier !== undefined) accuse(`I7: one message is stored as ${earlier} and ${entry.seq}`);
      seen.set(key, entry.seq);
      const text = texts.get(key);
      if (text === undefined) accuse(`I4: nobody sent ${entry.seq}`);
      else if (text !== entry.text) accuse(`I4: the text of ${entry.seq} is not what was sent`);
    });
  }

  /** For each life the highest seq of it that must be in the final history: the lowest base of the lives after it. */
  function boundsOfSurvival(history: readonly Entry[]): number[] {
    const bounds = lives.map(() => Number.POSITIVE_INFINITY);
    for (let index = lives.length - 1; index > 0; index--) {
      const life = lives[index];
      // Everybody was away when it began: what the life before shares with history tells where it did at the earliest.
      const base = life?.base ?? sharedUpTo(lives[index - 1]?.entries, history);
      bounds[index - 1] = Math.min(bounds[index] ?? 0, base);
    }
    return bounds;
  }
}

function sharedUpTo(entries: Map<number, string> | undefined, history: readonly Entry[]): number {
  let shared = 0;
  for (const entry of history) if (entries?.get(entry.seq) === contentOf(entry)) shared = entry.seq;
  return shared;
}
