import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useWords } from './i18n/index.ts';
import { MoonIcon, SunIcon } from './icons.tsx';
import type { Theme } from './session/theme.ts';

export interface Preferences {
  theme: Theme;
  switchLanguage: () => void;
  switchTheme: () => void;
}

export const PreferencesContext = createContext<Preferences>({
  theme: 'light',
  switchLanguage: () => {},
  switchTheme: () => {},
});

/**
 * Switches for language and theme. Each language is named in itself, so that its readers find it.
 */
export function Switches() {
  const { language, t } = useWords();
  const { theme, switchLanguage, switchTheme } = useContext(PreferencesContext);
  return (
    <div class="switches">
      <button
        type="button"
        class="quiet-button"
        data-testid="language-switch"
        lang={language === 'ko' ? 'en' : 'ko'}
        title={t.switchLanguage}
        onClick={switchLanguage}
      >
        {t.otherLanguage}
      </button>
      <button
        type="button"
        class="icon-button"
        data-testid="theme-switch"
        aria-label={theme === 'dark' ? t.themeLight : t.themeDark}
        title={theme === 'dark' ? t.themeLight : t.themeDark}
        onClick={switchTheme}
      >
        {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
      </button>
    </div>
  );
}
