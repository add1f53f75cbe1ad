import type { Sections } from '../catalogue.ts';
import { pluralsOf } from '../plural.ts';

const plural = pluralsOf('ko');

export const words: Sections['rooms'] = {
  markRead: '읽음으로 표시',
  follow: '이 방 구독하기',
  unfollow: '구독 그만두기',
  copyLink: '방 링크 복사',
  invite: '사람 초대…',
  settings: '제목, 주제, 설정…',
  quit: '완전히 나가기…',
  notify: '알림',
  notifyAll: '모든 메시지',
  notifyMentions: '나를 부를 때만',
  notifyNone: '없음',

  title: '모든 방',
  detail: '누구나 읽고 쓸 수 있는 공개 방입니다.',
  search: '이름, 제목, 주제로 찾기 (초성도 됩니다)',
  loading: '불러오는 중…',
  lookedAt: (count) => plural(count, { other: '방 #개를 살펴보았습니다' }),
  found: (count) => plural(count, { other: '방 #개를 찾았습니다' }),
  noneFound: '맞는 방이 없습니다.',
  none: '아직 공개 방이 없습니다.',
  tooMany: (count) => `처음 ${count}개의 방에서만 찾습니다. 정확한 이름으로 바로 갈 수도 있습니다.`,
  more: '방 더 보기',
  failed: '방 목록을 불러오지 못했습니다.',
  retry: '다시 시도',
  open: '열기',
  join: '들어가기',
  openRoom: (name) => `${name} 방 열기`,
  joinRoom: (name) => `${name} 방에 들어가기`,
  joinHint: '내 목록에 방을 둡니다.',
  inList: '내 목록에 있음',
  create: '새 방',
  online: (count) => plural(count, { other: '#명 접속' }),
  joinFailed: '방을 내 목록에 넣지 못했습니다.',
};
