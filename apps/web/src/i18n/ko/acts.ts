import type { ActWords } from '../../model/act-line.ts';

const ROLE_WORDS = { owner: '방장으로', moderator: '관리자로', member: '일반 회원으로' } as const;
const until = (time: string | null): string => (time === null ? '' : ` ${time}까지`);

export const words: ActWords = {
  actKick: ({ by, user, until: time }) => `${by}님이 ${user}님을${until(time)} 내보냈습니다`,
  actBan: ({ by, user, until: time }) => `${by}님이 ${user}님을${until(time)} 차단했습니다`,
  actMute: ({ by, user, until: time }) => `${by}님이 ${user}님의 말하기를${until(time)} 막았습니다`,
  actUnban: ({ by, user }) => `${by}님이 ${user}님의 차단을 풀었습니다`,
  actUnmute: ({ by, user }) => `${by}님이 ${user}님의 말하기 제한을 풀었습니다`,
  actInvite: ({ by, user }) => `${by}님이 ${user}님을 초대했습니다`,
  actLeave: ({ user }) => `${user}님이 방에서 완전히 나갔습니다`,
  actRole: ({ by, user, role }) => `${by}님이 ${user}님을 ${ROLE_WORDS[role]} 지정했습니다`,
  actTitle: ({ by, title }) => (title === '' ? `${by}님이 제목을 지웠습니다` : `${by}님이 제목을 정했습니다: ${title}`),
  actTopic: ({ by, topic }) => (topic === '' ? `${by}님이 주제를 지웠습니다` : `${by}님이 주제를 정했습니다: ${topic}`),
  actReadOnly: ({ by, active }) =>
    active ? `${by}님이 방을 읽기 전용으로 바꾸었습니다` : `${by}님이 누구나 쓸 수 있게 바꾸었습니다`,
  actSlowMode: ({ by, seconds }) =>
    seconds === 0 ? `${by}님이 천천히 모드를 껐습니다` : `${by}님이 천천히 모드를 켰습니다: ${seconds}초에 한 번`,
  actClosed: ({ by, active }) => (active ? `${by}님이 방을 닫았습니다` : `${by}님이 방을 다시 열었습니다`),
  actWithReason: (act, reason) => `${act}: ${reason}`,
};
