import { useMemo } from 'preact/hooks';
import { localeOf } from '../settings/locale.ts';
import { usePreferences } from '../settings/use-preferences.ts';
import type { Formats } from './message-row.tsx';

export function useFormats(language: string): Formats {
  const { timeFormat } = usePreferences();
  return useMemo(() => {
    const locale = localeOf(language, timeFormat);
    return {
      time: new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }),
      // Always 24 hours: the margin has no room for AM and PM.
      short: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
      full: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' }),
    };
  }, [language, timeFormat]);
}
