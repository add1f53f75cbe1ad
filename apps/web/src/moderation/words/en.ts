/** The English words of the dialog of acts. They load with it. */
import type { Role } from '@maru/protocol/events';

const plural = (count: number, one: string, many: string): string => (count === 1 ? `1 ${one}` : `${count} ${many}`);

export const en = {
  close: 'Close',
  save: 'Save',
  saved: 'Saved.',
  keep: 'Keep it',
  loading: 'Loading…',
  loadFailed: 'This could not be loaded.',
  again: 'Try again',
  more: 'Show more',

  settings: 'Title and rules',
  title: 'Title',
  topic: 'Topic',
  readOnly: 'Read-only: only moderators and owners write',
  slowMode: 'Slow mode',
  slowOff: 'Off',
  slowPause: (seconds: number) =>
    seconds % 3_600 === 0
      ? `One message in ${plural(seconds / 3_600, 'hour', 'hours')}`
      : seconds % 60 === 0
        ? `One message in ${plural(seconds / 60, 'minute', 'minutes')}`
        : `One message in ${plural(seconds, 'second', 'seconds')}`,

  invite: 'Invite',
  inviteId: 'User id',
  inviteHint: 'They find it under their own name in the list of people.',
  inviteSend: 'Invite',
  invited: 'Invited. They can enter by the address of this room.',
  yourId: 'Your user id',
  userId: 'User id',

  people: 'People with a role',
  members: 'Members',
  noneYet: 'No one yet.',
  manage: (name: string) => `Actions for ${name}`,
  roles: { owner: 'Owner', moderator: 'Moderator', member: 'Member' } as Record<Role, string>,

  bans: 'Bans and mutes',
  noBans: 'No one is banned or muted.',
  banned: 'Banned',
  muted: 'Muted',
  noEnd: 'for good',
  until: (time: string) => `until ${time}`,
  by: (name: string) => `by ${name}`,
  lift: 'Lift',
  liftOf: (name: string) => `Lift for ${name}`,

  reports: 'Reports',
  noReports: 'No open reports.',
  reportLine: (by: string, from: string) => `${by} reported a message of ${from}`,
  noQuote: 'The message is no longer kept.',
  showMessage: 'Show in the room',
  closeReport: 'Close report',

  leaveRoom: 'Leave the room',
  leaveDetail: 'You leave for good. You can only come back if somebody invites you.',
  leaveForGood: 'Leave for good',
  deleteRoom: 'Delete the room',
  deleteDetail: 'The room and all its messages are deleted for everyone. This cannot be undone.',
  deleteForGood: 'Delete for good',

  personTitle: (name: string) => `Actions for ${name}`,
  sanction: 'Remove or restrict',
  act: 'Act',
  kick: 'Remove from the room',
  mute: 'Mute: reads, but does not write',
  ban: 'Ban: neither reads nor writes',
  duration: 'For how long',
  minutes: (count: number) => plural(count, 'minute', 'minutes'),
  hours: (count: number) => plural(count, 'hour', 'hours'),
  days: (count: number) => plural(count, 'day', 'days'),
  reason: 'Reason (others can read it)',
  apply: 'Do it',
  role: 'Role',
  setRole: 'Set role',

  reportTitle: 'Report this message',
  reportReason: 'What is wrong with it?',
  reportSend: 'Report',
  reported: 'Thank you. The moderators of this room see your report.',

  createTitle: 'New room',
  kind: 'Who may enter',
  publicRoom: 'Public: everyone, by its name',
  privateRoom: 'Private: by invitation only',
  roomName: 'Name in the address',
  create: 'Create',

  failForbidden: 'Your role does not allow this.',
  failNotFound: 'There is no such person, message or room.',
  failConflict: 'This is not possible now: it is done already, a ban is in the way, or the room needs an owner.',
  failExists: 'There is a room of this name.',
};

export type ModerationWords = typeof en;
