/** The dialog of acts. */
import { pluralsOf } from '../plural.ts';

const plural = pluralsOf<'one'>('en');

export const words = {
  close: 'Close',
  save: 'Save',
  saved: 'Saved.',
  keep: 'Keep it',
  cancel: 'Cancel',
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
      ? plural(seconds / 3_600, { one: 'One message in # hour', other: 'One message in # hours' })
      : seconds % 60 === 0
        ? plural(seconds / 60, { one: 'One message in # minute', other: 'One message in # minutes' })
        : plural(seconds, { one: 'One message in # second', other: 'One message in # seconds' }),

  invite: 'Invite',
  inviteId: 'User id',
  inviteHint: 'They find it under their own name in the list of people.',
  inviteSend: 'Invite',
  invited: 'Invited. They can enter by the address of this room.',

  people: 'People with a role',
  members: 'Members',
  noneYet: 'No one yet.',
  manage: (name: string) => `Actions for ${name}`,

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
  minutes: (count: number) => plural(count, { one: '# minute', other: '# minutes' }),
  hours: (count: number) => plural(count, { one: '# hour', other: '# hours' }),
  days: (count: number) => plural(count, { one: '# day', other: '# days' }),
  reason: 'Reason (others can read it)',
  applyTo: {
    kick: (name: string) => `Remove ${name}`,
    mute: (name: string) => `Mute ${name}`,
    ban: (name: string) => `Ban ${name}`,
  },
  role: 'Role',
  setRole: 'Set role',

  nothingAllowed: 'Your role allows nothing here: this person has the same role or a higher one.',
  reportTitle: (name: string) => `Report the message of ${name}`,
  reportReason: 'What is wrong with it?',
  reportSend: 'Report',
  reported: 'Thank you. The moderators of this room see your report.',

  eraseTitle: (name: string) => `Delete the message of ${name}`,
  eraseDetail: 'The text is deleted for everyone. This cannot be undone.',
  eraseReason: 'Reason, if you want to give one (others can read it)',
  erase: 'Delete for everyone',
  goneMessage: 'This message is no longer here.',

  createTitle: 'New room',
  kind: 'Who may enter',
  publicRoom: 'Public: everyone, by its name',
  privateRoom: 'Private: by invitation only',
  directRoom: 'Direct: messages with one person',
  openDirect: 'Write',
  roomName: 'Name in the address',
  create: 'Create',

  failForbidden: 'Your role does not allow this.',
  failNotFound: 'There is no such person, message or room.',
  failConflict: 'This is not possible now: it is done already, a ban is in the way, or the room needs an owner.',
  failExists: 'There is a room of this name.',
};
