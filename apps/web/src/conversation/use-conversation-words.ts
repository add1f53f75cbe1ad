import { useWords } from '../i18n/index.ts';
import { type ConversationWords, en } from './words/en.ts';
import { ko } from './words/ko.ts';

const WORDS: Record<'en' | 'ko', ConversationWords> = { en, ko };

/** The words of the parts that load when they are first needed. */
export const useConversationWords = (): ConversationWords => WORDS[useWords().language];
