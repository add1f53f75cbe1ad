import type { LanguagePack } from '../catalogue.ts';
import { words } from './main.ts';

export const pack: LanguagePack = {
  main: words,
  sections: {
    account: () => import('./account.ts').then((module) => module.words),
    console: () => import('./console.ts').then((module) => module.words),
    conversation: () => import('./conversation.ts').then((module) => module.words),
    emoji: () => import('./emoji.ts').then((module) => module.words),
    moderation: () => import('./moderation.ts').then((module) => module.words),
    notices: () => import('./notices.ts').then((module) => module.words),
    presence: () => import('./presence.ts').then((module) => module.words),
    rooms: () => import('./rooms.ts').then((module) => module.words),
    search: () => import('./search.ts').then((module) => module.words),
    settings: () => import('./settings.ts').then((module) => module.words),
    shortcuts: () => import('./shortcuts.ts').then((module) => module.words),
  },
};
