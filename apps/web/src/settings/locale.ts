/** The locale for formatting times: the language with the chosen 12- or 24-hour clock. */
import { useWords } from '../i18n/index.ts';
import type { Preferences } from './preferences.ts';
import { usePreferences } from './use-preferences.ts';

const CLOCKS = { '12': '-u-hc-h12', '24': '-u-hc-h23', system: '' } as const;

export const localeOf = (language: string, timeFormat: Preferences['timeFormat']): string =>
  `${language}${CLOCKS[timeFormat]}`;

export const useLocale = (): string => localeOf(useWords().language, usePreferences().timeFormat);
