/**
 * Names of stored texts in an area: one slot for each tab, with one text of each kind for each
 * user. The name contains the version of the format, so versions do not change each other's texts.
 */
import { KEPT_VERSION } from '../kept.ts';
import type { TextArea } from './browser-parts.ts';

export const KINDS = ['outbox', 'drafts'] as const;
export type Kind = (typeof KINDS)[number];

export interface Slot {
  version: string;
  kind: string;
  user: string;
  /** The id of the tab that owns it. */
  tab: string;
}

const PREFIX = 'maru.kept.';
/** Contains no dots, which separate the parts of a key. */
const encoded = (user: string): string => encodeURIComponent(user).replaceAll('.', '%2E');

export const keyOf = (kind: Kind, user: string, tab: string): string =>
  `${PREFIX}${KEPT_VERSION}.${kind}.${encoded(user)}.${tab}`;

function slotOf(key: string): Slot | null {
  if (!key.startsWith(PREFIX)) return null;
  const [version = '', kind = '', user = '', tab = ''] = key.slice(PREFIX.length).split('.');
  return { version, kind, user, tab };
}

export interface FoundSlot extends Slot {
  key: string;
}

/** The slots of a user in an area, in all versions. Without `user`, those of all users. */
export function slotsIn(area: TextArea, user?: string): FoundSlot[] {
  const keys = Array.from({ length: area.length }, (_, i) => area.key(i) ?? '');
  return keys.flatMap((key) => {
    const slot = slotOf(key);
    return slot !== null && (user === undefined || slot.user === encoded(user)) ? [{ ...slot, key }] : [];
  });
}

const GUEST_PREFIX = 'guest-';

export const isOtherGuest = (slot: Slot, user: string): boolean =>
  slot.user.startsWith(GUEST_PREFIX) && slot.user !== encoded(user);

export const isCurrent = ({ version }: Slot): boolean => version === String(KEPT_VERSION);

/** Number of messages and acts in a stored outbox. */
export function countItems(value: string | null): number {
  try {
    const { items } = JSON.parse(value ?? '{}') as { items?: unknown };
    return Array.isArray(items) ? items.length : 0;
  } catch {
    return 0;
  }
}
