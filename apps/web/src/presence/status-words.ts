import type { Status } from '@maru/protocol/events';

/** The name of each status in the catalogue. */
export const STATUS_WORDS = {
  online: 'statusOnline',
  away: 'statusAway',
  dnd: 'statusDnd',
  invisible: 'statusInvisible',
} as const satisfies Record<Status, string>;
