import type { Sections } from '../catalogue.ts';
import { pluralsOf } from '../plural.ts';

const plural = pluralsOf('ko');

export const words: Sections['notices'] = {
  inRoom: (name, room) => `${room} 방의 ${name}님`,
  invited: (name) => `${name}님이 방에 초대했습니다`,
  newMessage: '새 메시지',
  mentioned: '나를 부른 메시지가 있습니다',
  many: (count, rooms) => `${plural(rooms, { other: '방 #곳' })}에 ${plural(count, { other: '새 메시지 #개' })}`,
};
