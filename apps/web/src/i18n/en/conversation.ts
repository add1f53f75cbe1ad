/** Threads, and the forms about messages. */
import type { Role } from '@maru/protocol/events';
import { pluralsOf } from '../plural.ts';

const plural = pluralsOf<'one'>('en');

export const words = {
  thread: 'Thread',
  closeThread: 'Close thread',
  replies: 'Replies',
  olderReplies: 'Load older replies',
  noRoot: 'This message is no longer here.',
  replyLabel: 'Reply in the thread',
  replyPlaceholder: 'Write a reply',

  otherEmoji: 'Another emoji',
  reply: 'Reply in a thread',
  openThread: 'Show the thread',
  edit: 'Edit',
  editLabel: 'New text of the message',
  editHint: 'Enter saves, Escape cancels',
  editHintCtrl: 'Ctrl+Enter saves, Escape cancels',
  editTooLong: 'This is too long.',
  cancel: 'Cancel',
  save: 'Save',
  pin: 'Pin',
  unpin: 'Unpin',
  copyText: 'Copy text',
  copyLink: 'Copy link',
  report: 'Report…',
  remove: 'Delete',
  manage: (name: string) => `Remove or restrict ${name}…`,
  reactors: 'Who reacted',
  others: (count: number) => plural(count, { one: 'and # more', other: 'and # more' }),

  profileOf: (name: string) => `Profile of ${name}`,
  yourId: 'Your user id',
  userId: 'User id',
  copyId: 'Copy user id',
  notHere: 'not in this room now',
  roles: { owner: 'Owner', moderator: 'Moderator', member: 'Member' } as Record<Role, string>,
  roleHere: (role: string) => `${role} of this room`,
  mention: 'Mention',
  ownRole: 'Give up my role…',

  gone: 'This message is no longer here.',
  notAllowed: 'Your role does not allow this.',

  aboutTitle: 'Pins and notifications',
  pins: 'Pinned messages',
  noPins: 'Nothing is pinned.',
  showInRoom: 'Show in the room',
  unpinOf: (name: string) => `Unpin the message of ${name}`,
  showOf: (name: string) => `Show in the room: the message of ${name}`,
  loading: 'Loading…',

  notify: 'Count in my list of rooms',
  notifyOff: 'Not in my list',
  notifyAll: 'All messages',
  notifyMentions: 'Mentions only',
  notifyNone: 'In the list, without numbers',
  saved: 'Saved.',
  listFull: 'Your list of rooms is full.',
};
