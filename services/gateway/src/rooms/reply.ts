/** Answers to requests. */
import type { Entry } from '@maru/protocol';

/** An answer, and work that must start after it was sent. */
export interface Reply<T> {
  data: T | Encoded<T>;
  afterwards?: () => void;
}

/** An answer in JSON. */
export class Encoded<T> {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }

  decode(): T {
    return JSON.parse(this.json) as T;
  }
}

/**
 * An answer with entries. They are stored as JSON, so they are not parsed and encoded again, which
 * would cost more than all other work for the answer.
 */
export function withMessages<T extends { messages: Entry[] }>(
  rest: Omit<T, 'messages'>,
  messages: readonly string[],
): Encoded<T> {
  const members = JSON.stringify(rest).slice(1, -1);
  return new Encoded(`{"messages":[${messages.join(',')}]${members === '' ? '' : ','}${members}}`);
}

export const encodeAnswer = (data: unknown): string => (data instanceof Encoded ? data.json : JSON.stringify(data));
