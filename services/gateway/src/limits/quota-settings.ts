/** Settings of the quotas of each user over the whole cluster. */
import { LIMITS } from '@maru/protocol';
import { asInteger } from '@maru/service-kit';

export const QUOTA_FIELDS = {
  userMessagesPerSecond: {
    env: 'MARU_USER_MESSAGES_PER_SECOND',
    doc: 'messages of one user per second, over the whole cluster',
    parse: asInteger(1, 100_000),
    fallback: LIMITS.userMessagesPerSecond as number,
  },
  userMessagesBurst: {
    env: 'MARU_USER_MESSAGES_BURST',
    doc: 'burst of messages of one user',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.userMessagesBurst as number,
  },
  userJoinsPerSecond: {
    env: 'MARU_USER_JOINS_PER_SECOND',
    doc: 'joins of one user per second, over the whole cluster; each node adds an eighth',
    parse: asInteger(1, 100_000),
    fallback: LIMITS.userJoinsPerSecond as number,
  },
  userJoinsBurst: {
    env: 'MARU_USER_JOINS_BURST',
    doc: 'burst of joins of one user; each node adds an eighth',
    parse: asInteger(8, 1_000_000),
    fallback: LIMITS.userJoinsBurst as number,
  },
  userTypingPerSecond: {
    env: 'MARU_USER_TYPING_PER_SECOND',
    doc: 'typing events of one user per second, over the whole cluster; each node adds an eighth',
    parse: asInteger(1, 100_000),
    fallback: LIMITS.userTypingPerSecond as number,
  },
  userTypingBurst: {
    env: 'MARU_USER_TYPING_BURST',
    doc: 'burst of typing events of one user; each node adds an eighth',
    parse: asInteger(8, 1_000_000),
    fallback: LIMITS.userTypingBurst as number,
  },
  userBytesPerHour: {
    env: 'MARU_USER_BYTES_PER_HOUR',
    doc: 'bytes that one user stores an hour; none: 2,500,000 × MARU_USER_MESSAGES_PER_SECOND',
    parse: asInteger(100_000, 1_000_000_000_000),
    fallback: undefined,
  },
  guestBytesPerHour: {
    env: 'MARU_GUEST_BYTES_PER_HOUR',
    doc: 'bytes that one guest stores an hour; none: 100,000 × MARU_USER_MESSAGES_PER_SECOND',
    parse: asInteger(100_000, 1_000_000_000_000),
    fallback: undefined,
  },
  userRoomsMax: {
    env: 'MARU_USER_ROOMS_MAX',
    doc: 'public rooms that one user has made, by creating them or sending the first message',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.userRoomsMax as number,
  },
  guestRoomsMax: {
    env: 'MARU_GUEST_ROOMS_MAX',
    doc: 'public rooms that one guest has made',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.guestRoomsMax as number,
  },
  userRoomsPerHour: {
    env: 'MARU_USER_ROOMS_PER_HOUR',
    doc: 'rooms that one user makes an hour',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.userRoomsPerHour as number,
  },
  guestRoomsPerHour: {
    env: 'MARU_GUEST_ROOMS_PER_HOUR',
    doc: 'rooms that one guest makes an hour',
    parse: asInteger(1, 1_000_000),
    fallback: LIMITS.guestRoomsPerHour as number,
  },
} as const;
