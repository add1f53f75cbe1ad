import type { Sections } from '../catalogue.ts';

export const words: Sections['presence'] = {
  title: '내 상태',
  close: '닫기',
  online: '접속 중',
  onlineHint: '이 기기를 쓰지 않으면 자리 비움으로 바뀝니다.',
  away: '자리 비움',
  awayHint: '다른 상태를 고를 때까지 유지됩니다.',
  dnd: '방해 금지',
  dndHint: '이 기기에서 알림과 소리가 나지 않습니다.',
  invisible: '숨김',
  invisibleHint: '다른 사람에게 접속한 것이 보이지 않습니다.',
  text: '이름 옆에 보일 글',
  textPlaceholder: '예: 3시까지 회의 중 🗓️',
  tooLong: (max) => `${max}자까지 쓸 수 있습니다.`,
  unsafe: '제어 문자는 쓸 수 없습니다.',
  save: '저장',
  clear: '글 지우기',
};
