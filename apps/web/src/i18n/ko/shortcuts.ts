import type { Sections } from '../catalogue.ts';

export const words: Sections['shortcuts'] = {
  title: '키보드 단축키',
  close: '닫기',
  or: '또는',

  page: '어디서나',
  find: '검색',
  settings: '설정',
  shortcuts: '이 목록',
  nextRegion: '화면의 다음 영역',
  previousRegion: '화면의 이전 영역',
  nextRoom: '다음 방',
  previousRoom: '이전 방',
  nextUnread: '새 메시지가 있는 다음 방',
  previousUnread: '새 메시지가 있는 이전 방',
  markAllRead: '모든 방을 읽음으로 표시',
  closeTop: '열려 있는 것 닫기',

  write: '메시지를 쓸 때',
  send: '보내기',
  newLine: '줄 바꾸기',
  editLast: '입력란이 비어 있으면 마지막 메시지 수정',
  mention: '사람 부르기',

  messages: '메시지 목록에서',
  otherMessage: '다른 메시지로 이동',
  otherControl: '메시지의 다른 버튼으로 이동',
  messageMenu: '메시지 메뉴 열기',
};
