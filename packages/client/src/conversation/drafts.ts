/** Texts that the user has begun to write in one room. */
import type { DraftOf } from './types.ts';

const keyOf = (of: DraftOf): string => (of === 'room' ? of : JSON.stringify(of));

export class Drafts {
  readonly #texts = new Map<string, string>();

  get(of: DraftOf): string {
    return this.#texts.get(keyOf(of)) ?? '';
  }

  set(of: DraftOf, text: string): void {
    if (text === '') this.#texts.delete(keyOf(of));
    else this.#texts.set(keyOf(of), text);
  }
}
