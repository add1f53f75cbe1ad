import type { Sections } from '../catalogue.ts';

export const words: Sections['emoji'] = {
  search: '이모지 찾기',
  searchHint: '예: 하트, smile',
  recent: '최근에 쓴 이모지',
  first: '이모지',
  found: '찾은 이모지',
  nothing: '이 이름의 이모지가 없습니다.',
  failed: '이모지를 불러오지 못했습니다. 연결을 확인하고 다시 시도해 주세요.',
};
