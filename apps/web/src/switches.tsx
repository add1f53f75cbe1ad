/** Switches for language and theme, and a button for all settings. */
import { useContext } from 'preact/hooks';
import { useWords } from './i18n/index.ts';
import { IconButton } from './icon-button.tsx';
import { GearIcon } from './icons.tsx';
import { AppearanceSwitches } from './settings/appearance-switches.tsx';
import { OpenSettingsContext } from './settings/settings-host.tsx';

export function Switches() {
  const { t } = useWords();
  return (
    <AppearanceSwitches>
      <IconButton
        data-testid="settings-button"
        label={t.settings}
        title={`${t.settings} (Ctrl+,)`}
        aria-keyshortcuts="Control+, Meta+,"
        aria-haspopup="dialog"
        onClick={useContext(OpenSettingsContext)}
      >
        <GearIcon />
      </IconButton>
    </AppearanceSwitches>
  );
}
