/** I4 and I7: every entry of a room was sent by a client, and exists once. Pure. */
import type { Entry } from '@maru/protocol/events';
import { type Content, type SentContent, sentContent, shapeOf, wordsOf } from './content.ts';
import { keyOf } from './send-checker.ts';

export class ContentChecker {
  readonly #sent = new Map<string, SentContent>();

  /** Number of sent messages and acts. */
  get size(): number {
    return this.#sent.size;
  }

  /** `key`: the result of `keyOf`. */
  sent(key: string, content: Content): void {
    this.#sent.set(key, sentContent(content));
  }

  /** The text and mentions of a sent message. Undefined if it was not sent. */
  wordsSent(entry: Entry): { text: string; mentions: string[] } | undefined {
    const words = this.#sentOf(entry)?.words;
    if (words === undefined) return undefined;
    const [text, mentions] = JSON.parse(words) as [string, string[]];
    return { text, mentions };
  }

  /** Compares everything except the words. The caller checks acts on rooms. */
  check(entry: Entry, ifNotSent: string): string[] {
    if (entry.type !== 'text' && !entry.type.startsWith('message.')) return [];
    const sent = this.#sentOf(entry);
    if (sent === undefined) return [`I4: ${ifNotSent}`];
    return sent.shape === shapeOf(entry) ? [] : [`I4: ${entry.seq} is not what was sent`];
  }

  /** Compares the words of an entry in its original form. Erased entries have none. */
  checkWords(entry: Entry): string[] {
    if (entry.type !== 'text' && entry.type !== 'message.edit') return [];
    const [sent, words] = [this.#sentOf(entry), wordsOf(entry)];
    const isAsSent = sent === undefined || words === undefined || sent.words === words;
    return isAsSent ? [] : [`I4: the text of ${entry.seq} is not what was sent`];
  }

  checkHistory(history: readonly Entry[]): string[] {
    const violations: string[] = [];
    const seen = new Map<string, number>();
    const epoch = history.at(-1)?.epoch;
    history.forEach((entry, index) => {
      const previous = history[index - 1];
      const { seq, ts, n, type, from, clientMsgId } = entry;
      if (previous !== undefined && seq !== previous.seq + 1)
        violations.push(`I2: history goes from ${previous.seq} to ${seq}`);
      if (previous !== undefined && ts < previous.ts) violations.push(`I3: ts decreases at ${seq}`);
      if (entry.epoch !== epoch) violations.push(`I3: history has ${seq} under an old epoch`);
      const due = (previous?.n ?? 0) + (type === 'text' ? 1 : 0);
      if (n !== due && (previous !== undefined || seq === 1)) violations.push(`I8: n of ${seq} is ${n}, not ${due}`);
      if (clientMsgId !== undefined) {
        const key = keyOf(from.id, clientMsgId);
        const earlier = seen.get(key);
        if (earlier !== undefined) violations.push(`I7: one message is stored as ${earlier} and ${seq}`);
        seen.set(key, seq);
      }
      violations.push(...this.check(entry, `${seq} was not sent`));
      // A history shows the current text of a message, which the model compares.
      if (entry.edited === undefined && entry.deleted === undefined) violations.push(...this.checkWords(entry));
    });
    return violations;
  }

  #sentOf({ from, clientMsgId }: Entry): SentContent | undefined {
    return this.#sent.get(keyOf(from.id, clientMsgId));
  }
}
