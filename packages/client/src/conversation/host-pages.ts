/** The pages that the host requested, and the error of the last failed request for each part. */
import type { ErrorBody } from '@maru/protocol/errors';
import type { Read } from './model-state.ts';
import { isPlacing, sameRead } from './window.ts';

/** An end of the shown part of the room, a jump to another part, or the root of a thread. */
export type Part = 'older' | 'newer' | 'jump' | number;

function partOf(read: Read): Part | null {
  if (isPlacing(read)) return 'jump';
  if (read.kind === 'older' || read.kind === 'newer') return read.kind;
  return read.kind === 'thread' ? read.root : null;
}

export class HostPages {
  readonly #wanted = new Map<Part, Read>();
  readonly #errors = new Map<Part, ErrorBody>();

  get wanted(): Read[] {
    return [...this.#wanted.values()];
  }

  /** False if a page of this part is already being read. */
  want(read: Read): boolean {
    const part = partOf(read);
    if (part === null || this.#wanted.has(part)) return false;
    this.#wanted.set(part, read);
    this.#errors.delete(part);
    return true;
  }

  ended(read: Read, error: ErrorBody | null): void {
    const part = partOf(read);
    if (part === null) return;
    if (sameRead(this.#wanted.get(part) ?? null, read)) this.#wanted.delete(part);
    if (error === null) this.#errors.delete(part);
    else this.#errors.set(part, error);
  }

  isLoading(part: Part): boolean {
    return this.#wanted.has(part);
  }

  error(part: Part): ErrorBody | null {
    return this.#errors.get(part) ?? null;
  }

  forgetError(part: Part): void {
    this.#errors.delete(part);
  }

  /** After a new connection, failed requests may succeed. */
  forgetErrors(): void {
    this.#errors.clear();
  }

  clear(): void {
    this.#wanted.clear();
    this.#errors.clear();
  }
}
