import type { Sections } from '../catalogue.ts';

export const words: Sections['account'] = {
  signInWith: (name) => `${name} 계정으로 로그인`,
  accountTitle: '회사 계정으로',
  usernameLabel: '계정 이름',
  passwordLabel: '비밀번호',
  signIn: '로그인',
  orAsGuest: '또는 손님으로:',
  accountMissing: '계정 이름과 비밀번호를 입력해 주세요.',
  passwordWrong: '계정 이름이나 비밀번호가 맞지 않습니다.',
  signInDown: '지금은 로그인할 수 없습니다. 잠시 뒤에 다시 시도해 주세요.',
  waitSeconds: (seconds) => `비밀번호가 여러 번 틀렸습니다. ${seconds}초 뒤에 다시 시도해 주세요.`,
};
