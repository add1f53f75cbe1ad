/** An entry of the directory. Attribute names are case-insensitive. */
import type { Entry as FoundEntry } from 'ldapts';

export class Entry {
  readonly dn: string;
  readonly #values = new Map<string, Array<string | Buffer>>();

  constructor({ dn, ...attributes }: FoundEntry) {
    this.dn = dn;
    for (const [name, value] of Object.entries(attributes)) this.#values.set(name.toLowerCase(), [value].flat());
  }

  /** The text values of an attribute. */
  texts(attribute: string): string[] {
    return this.#all(attribute).filter((value): value is string => typeof value === 'string');
  }

  buffers(attribute: string): Buffer[] {
    return this.#all(attribute).filter((value): value is Buffer => typeof value !== 'string');
  }

  #all(attribute: string): Array<string | Buffer> {
    return this.#values.get(attribute.toLowerCase()) ?? [];
  }
}
