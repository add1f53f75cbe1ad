import type { Status } from '@maru/protocol/events';

/** The catalogue key of each status. */
export const STATUS_WORDS = {
  online: 'statusOnline',
  away: 'statusAway',
  dnd: 'statusDnd',
  invisible: 'statusInvisible',
} as const satisfies Record<Status, string>;
