import type { Sections } from '../catalogue.ts';

export const words: Sections['moderation'] = {
  close: '닫기',
  save: '저장',
  saved: '저장했습니다.',
  keep: '그대로 두기',
  cancel: '취소',
  loading: '불러오는 중…',
  loadFailed: '불러오지 못했습니다.',
  again: '다시 시도',
  more: '더 보기',

  settings: '제목과 규칙',
  title: '제목',
  topic: '주제',
  readOnly: '읽기 전용: 관리자와 방장만 쓸 수 있습니다',
  slowMode: '천천히 모드',
  slowOff: '끔',
  slowPause: (seconds) =>
    seconds % 3_600 === 0
      ? `${seconds / 3_600}시간에 한 번`
      : seconds % 60 === 0
        ? `${seconds / 60}분에 한 번`
        : `${seconds}초에 한 번`,

  invite: '초대',
  inviteId: '사용자 ID',
  inviteHint: '상대방의 사람 목록에서 자기 이름을 누르면 볼 수 있습니다.',
  inviteSend: '초대하기',
  invited: '초대했습니다. 이 방의 주소로 들어올 수 있습니다.',

  people: '역할이 있는 사람',
  members: '회원',
  noneYet: '아직 없습니다.',
  manage: (name) => `${name}님에 대한 작업`,

  bans: '차단과 말하기 제한',
  noBans: '차단되거나 제한된 사람이 없습니다.',
  banned: '차단',
  muted: '말하기 제한',
  noEnd: '기한 없음',
  until: (time) => `${time}까지`,
  by: (name) => `${name}님이 설정`,
  lift: '풀기',
  liftOf: (name) => `${name}님의 제한 풀기`,

  reports: '신고',
  noReports: '처리할 신고가 없습니다.',
  reportLine: (by, from) => `${by}님이 ${from}님의 메시지를 신고했습니다`,
  noQuote: '이 메시지는 더 이상 보관되지 않습니다.',
  showMessage: '방에서 보기',
  closeReport: '신고 닫기',

  leaveRoom: '방에서 완전히 나가기',
  leaveDetail: '완전히 나가며, 다시 초대를 받아야 들어올 수 있습니다.',
  leaveForGood: '완전히 나가기',
  deleteRoom: '방 삭제',
  deleteDetail: '방과 모든 메시지가 모두에게서 삭제됩니다. 되돌릴 수 없습니다.',
  deleteForGood: '완전히 삭제',

  personTitle: (name) => `${name}님에 대한 작업`,
  sanction: '내보내기와 제한',
  act: '작업',
  kick: '방에서 내보내기',
  mute: '말하기 제한: 읽을 수만 있습니다',
  ban: '차단: 읽지도 쓰지도 못합니다',
  duration: '기간',
  minutes: (count) => `${count}분`,
  hours: (count) => `${count}시간`,
  days: (count) => `${count}일`,
  reason: '이유 (다른 사람도 볼 수 있습니다)',
  applyTo: {
    kick: (name) => `${name}님 내보내기`,
    mute: (name) => `${name}님 말하기 제한`,
    ban: (name) => `${name}님 차단`,
  },
  role: '역할',
  setRole: '역할 지정',

  nothingAllowed: '역할이 같거나 더 높은 사람이라 할 수 있는 작업이 없습니다.',
  reportTitle: (name) => `${name}님의 메시지 신고`,
  reportReason: '무엇이 문제인가요?',
  reportSend: '신고하기',
  reported: '고맙습니다. 이 방의 관리자가 신고를 확인합니다.',

  eraseTitle: (name) => `${name}님의 메시지 삭제`,
  eraseDetail: '모두에게서 내용이 삭제됩니다. 되돌릴 수 없습니다.',
  eraseReason: '이유 (쓰지 않아도 되며, 다른 사람도 볼 수 있습니다)',
  erase: '모두에게서 삭제',
  goneMessage: '이 메시지는 더 이상 없습니다.',

  createTitle: '새 방',
  kind: '들어올 수 있는 사람',
  publicRoom: '공개: 이름을 아는 누구나',
  privateRoom: '비공개: 초대받은 사람만',
  directRoom: '1:1 대화: 한 사람과',
  openDirect: '대화하기',
  roomName: '주소에 쓰일 이름',
  create: '만들기',

  failForbidden: '지금 역할로는 할 수 없습니다.',
  failNotFound: '그런 사람이나 메시지, 방이 없습니다.',
  failConflict: '지금은 할 수 없습니다. 이미 처리되었거나, 차단되어 있거나, 방에 방장이 필요합니다.',
  failExists: '같은 이름의 방이 있습니다.',
};
