import type { Sections } from '../catalogue.ts';

export const words: Sections['settings'] = {
  title: '설정',
  close: '닫기',
  stored: '바꾸면 바로 적용되고 이 기기에 저장됩니다.',

  appearance: '화면',
  theme: '색',
  themes: { system: '시스템 설정에 맞춤', light: '밝게', dark: '어둡게' },
  density: '간격',
  densities: { comfortable: '여유롭게', compact: '촘촘하게' },
  language: '언어',
  languageSystem: '브라우저 설정에 맞춤',
  timeFormat: '시간 표시',
  timeFormats: { system: '언어에 맞춤', '12': '12시간제', '24': '24시간제' },

  writing: '글쓰기',
  enterSends: 'Enter로 메시지 보내기',
  enterSendsHint: '끄면 Enter는 줄을 바꾸고, Ctrl+Enter 또는 ⌘+Enter로 보냅니다.',

  notices: '알림',
  desktopNotices: '데스크톱 알림 보기',
  noticesBlocked: '브라우저가 이 페이지의 알림을 막고 있습니다. 브라우저 설정에서 허용해 주세요.',
  noticesMissing: '이 브라우저에서는 이 페이지의 알림을 볼 수 없습니다.',
  notifyAbout: '알릴 메시지',
  notifyAbouts: { direct: '다이렉트 메시지와 나를 부른 메시지', all: '모든 메시지' },
  notifyAboutHint: '방마다 정한 알림이 먼저 적용됩니다. 방 위쪽의 종 모양 버튼에서 바꿀 수 있습니다.',
  noticesShowText: '메시지 내용 보이기',
  sound: '소리 내기',
  soundTest: '들어 보기',

  presence: '상태',
  awayAfterMin: '자리 비움으로 표시',
  awayAfterMins: { 0: '자동으로 바꾸지 않음', 5: '5분 뒤', 10: '10분 뒤', 30: '30분 뒤' },
  awayHint: '이 페이지의 모든 탭에서 키, 클릭, 터치가 없는 시간입니다.',
};
