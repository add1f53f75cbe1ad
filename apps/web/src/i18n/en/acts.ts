import type { ActWords } from '../../model/act-line.ts';

const ROLE_WORDS = { owner: 'an owner', moderator: 'a moderator', member: 'a member' } as const;
const until = (time: string | null): string => (time === null ? '' : ` until ${time}`);

export const words: ActWords = {
  actKick: ({ by, user, until: time }) => `${by} removed ${user}${until(time)}`,
  actBan: ({ by, user, until: time }) => `${by} banned ${user}${until(time)}`,
  actMute: ({ by, user, until: time }) => `${by} muted ${user}${until(time)}`,
  actUnban: ({ by, user }) => `${by} lifted the ban of ${user}`,
  actUnmute: ({ by, user }) => `${by} lifted the mute of ${user}`,
  actInvite: ({ by, user }) => `${by} invited ${user}`,
  actLeave: ({ user }) => `${user} left the room for good`,
  actRole: ({ by, user, role }) => `${by} made ${user} ${ROLE_WORDS[role]}`,
  actTitle: ({ by, title }) => (title === '' ? `${by} removed the title` : `${by} set the title: ${title}`),
  actTopic: ({ by, topic }) => (topic === '' ? `${by} removed the topic` : `${by} set the topic: ${topic}`),
  actReadOnly: ({ by, active }) =>
    active ? `${by} made the room read-only` : `${by} opened the room for everyone to write`,
  actSlowMode: ({ by, seconds }) =>
    seconds === 0 ? `${by} ended slow mode` : `${by} set slow mode: one message in ${seconds} s`,
  actClosed: ({ by, active }) => (active ? `${by} closed the room` : `${by} opened the room again`),
  actWithReason: (act, reason) => `${act}: ${reason}`,
};
