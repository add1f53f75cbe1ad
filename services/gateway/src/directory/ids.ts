/**
 * The user id of an account: the value of one attribute. Pure. Active Directory stores objectGUID
 * as bytes. The id is its usual text form, such as 2fc34e2c-6d0c-4d0e-9a5e-0b2a3c4d5e6f.
 */
import { GUEST_ID_PREFIX, userId } from '@maru/protocol';
import { EqualityFilter, type Filter } from 'ldapts';
import type { Entry } from './entry.ts';

/** Attributes with binary values, spelled as servers spell them. */
export const BINARY_ATTRIBUTES = ['objectGUID'];
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Byte order of a GUID's text form: the first three parts are little-endian. */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

const isBinary = (attribute: string): boolean =>
  BINARY_ATTRIBUTES.some((name) => name.toLowerCase() === attribute.toLowerCase());

/** Undefined if the entry has no value, several values, or a value that is not a valid user id. */
export function idOf(entry: Entry, attribute: string): string | undefined {
  const values = isBinary(attribute) ? entry.buffers(attribute).flatMap(guidOf) : entry.texts(attribute);
  const { data: id } = userId.safeParse(values[0]);
  return values.length !== 1 || id === undefined || id.startsWith(GUEST_ID_PREFIX) ? undefined : id;
}

/** The filter that finds the entry with this id. Undefined if no entry can have it. */
export function filterOfId(id: string, attribute: string): Filter | undefined {
  if (!isBinary(attribute)) return new EqualityFilter({ attribute, value: id });
  if (!GUID.test(id)) return undefined;
  const spelled = Buffer.from(id.replaceAll('-', ''), 'hex');
  const value = Buffer.alloc(GUID_ORDER.length);
  for (const [at, from] of GUID_ORDER.entries()) value[from] = spelled[at] as number;
  return new EqualityFilter({ attribute, value });
}

function guidOf(bytes: Buffer): string[] {
  if (bytes.length !== GUID_ORDER.length) return [];
  const hex = Buffer.from(GUID_ORDER.map((from) => bytes[from] as number)).toString('hex');
  return [hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')];
}
