import type { Sections } from '../catalogue.ts';
import { pluralsOf } from '../plural.ts';

const plural = pluralsOf('ko');

export const words: Sections['search'] = {
  title: '검색',
  close: '검색 닫기',
  label: '메시지 검색',
  placeholder: '메시지 검색',
  scope: '범위',
  allRooms: '읽을 수 있는 모든 방',
  thisRoom: (room) => `${room}에서만`,
  filters: '필터 더 보기',
  author: '작성자',
  anyone: '모두',
  me: (name) => `${name} (나)`,
  fromDay: '시작일',
  toDay: '종료일',
  goToDay: '이 방에서 날짜로 이동',
  day: '날짜',
  go: '이동',

  hint: '모든 단어가 들어 있는 메시지를 찾습니다. 마지막 단어는 다 쓰지 않아도 됩니다.',
  hintMore: '이어진 단어는 "따옴표"로 묶고, 뺄 단어는 앞에 -를 붙이세요.',
  off: '검색에는 보관소가 필요한데 이 서버에는 없습니다. 날짜로 이동할 수는 있습니다.',
  searching: '찾는 중…',
  nothing: '찾은 메시지가 없습니다.',
  nothingHint: '단어를 줄이거나 바꿔 보거나, 모든 방에서 찾아 보세요.',
  found: (count) => plural(count, { other: '메시지 #개' }),
  foundMore: (count) => plural(count, { other: '최근 메시지 #개' }),
  full: '최근 것만 보입니다. 단어나 필터를 더하면 나머지도 찾을 수 있습니다.',
  more: '더 보기',
  loading: '불러오는 중…',
  unavailable: '지금은 검색이 응답하지 않습니다. 메시지는 안전하고 대화는 계속할 수 있습니다.',
  invalid: '찾을 수 없는 형식입니다. 단어를 입력하세요.',
  moreFailed: '더 불러오지 못했습니다.',
  again: '다시 시도',
  results: '찾은 메시지',
};
