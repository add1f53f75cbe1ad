/** The pages that the host asked for, and why the last one of each part failed. */
import type { ErrorBody } from '@maru/protocol/errors';
import type { Read } from './model-state.ts';

/** The shown part of the room (null), or the root of a thread. */
export type Part = number | null;

const partOf = (read: Read): Part => (read.kind === 'thread' ? read.root : null);

export class HostPages {
  readonly #wanted = new Map<Part, Read>();
  readonly #errors = new Map<Part, ErrorBody>();

  get wanted(): Read[] {
    return [...this.#wanted.values()];
  }

  /** False: a page of this part is being read. */
  want(read: Read): boolean {
    const part = partOf(read);
    if (this.#wanted.has(part)) return false;
    this.#wanted.set(part, read);
    this.#errors.delete(part);
    return true;
  }

  ended(read: Read, error: ErrorBody | null): void {
    if (read.kind === 'one' || read.kind === 'pins') return;
    const part = partOf(read);
    this.#wanted.delete(part);
    if (error === null) this.#errors.delete(part);
    else this.#errors.set(part, error);
  }

  isLoading(part: Part): boolean {
    return this.#wanted.has(part);
  }

  error(part: Part): ErrorBody | null {
    return this.#errors.get(part) ?? null;
  }

  clear(): void {
    this.#wanted.clear();
    this.#errors.clear();
  }
}
