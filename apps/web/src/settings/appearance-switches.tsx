/**
 * Switches for language and theme. Each language is named in itself, so that its speakers recognize
 * it.
 */
import type { ComponentChildren } from 'preact';
import { useMedia } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { LANGUAGES, nextLanguage } from '../i18n/languages.ts';
import { IconButton } from '../icon-button.tsx';
import { MoonIcon, SunIcon } from '../icons.tsx';
import { DARK_SYSTEM } from '../session/theme.ts';
import { usePreferenceStore, usePreferences } from './use-preferences.ts';

export function AppearanceSwitches({ children }: { children?: ComponentChildren }) {
  const { language, t } = useWords();
  const store = usePreferenceStore();
  const { theme } = usePreferences();
  const isSystemDark = useMedia(DARK_SYSTEM);
  const isDark = theme === 'system' ? isSystemDark : theme === 'dark';
  const next = nextLanguage(language);
  const themeWords = isDark ? t.themeLight : t.themeDark;
  return (
    <div class="switches">
      <button
        type="button"
        class="quiet-button"
        data-testid="language-switch"
        lang={next}
        title={t.switchLanguage(new Intl.DisplayNames(language, { type: 'language' }).of(next) ?? next)}
        onClick={() => store.set({ language: next })}
      >
        {LANGUAGES[next].name}
      </button>
      <IconButton
        data-testid="theme-switch"
        label={themeWords}
        onClick={() => store.set({ theme: isDark ? 'light' : 'dark' })}
      >
        {isDark ? <SunIcon /> : <MoonIcon />}
      </IconButton>
      {children}
    </div>
  );
}
