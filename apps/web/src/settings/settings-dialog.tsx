/** The settings of this device. Each change applies at once. */
import { useSection } from '../i18n/index.ts';
import { LANGUAGE_CODES, LANGUAGES } from '../i18n/languages.ts';
import { Sheet } from '../sheet.tsx';
import { SelectRow, ToggleRow } from './fields.tsx';
import { NoticeSettings } from './notice-settings.tsx';
import { choicesOf, type Preferences } from './preferences.ts';
import './settings.css';
import { usePreferenceStore, usePreferences } from './use-preferences.ts';

export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const words = useSection('settings');
  return (
    <Sheet id="settings-dialog" title={words.title} closeLabel={words.close} onClose={onClose}>
      <Appearance />
      <Writing />
      <NoticeSettings />
      <Presence />
      <p class="hint settings-note">{words.stored}</p>
    </Sheet>
  );
}

function Appearance() {
  const words = useSection('settings');
  const store = usePreferenceStore();
  const { theme, density, language, timeFormat } = usePreferences();
  return (
    <section class="settings" aria-labelledby="settings-appearance">
      <h3 id="settings-appearance">{words.appearance}</h3>
      <SelectRow
        name="theme"
        label={words.theme}
        value={theme}
        options={choicesOf('theme').map((value) => ({ value, label: words.themes[value] }))}
        onChoose={(value) => store.set({ theme: value })}
      />
      <SelectRow
        name="density"
        label={words.density}
        value={density}
        options={choicesOf('density').map((value) => ({ value, label: words.densities[value] }))}
        onChoose={(value) => store.set({ density: value })}
      />
      <SelectRow
        name="language"
        label={words.language}
        value={language}
        options={[
          { value: 'system' as Preferences['language'], label: words.languageSystem },
          ...LANGUAGE_CODES.map((code) => ({ value: code, label: LANGUAGES[code].name, lang: code })),
        ]}
        onChoose={(value) => store.set({ language: value })}
      />
      <SelectRow
        name="timeFormat"
        label={words.timeFormat}
        value={timeFormat}
        options={choicesOf('timeFormat').map((value) => ({ value, label: words.timeFormats[value] }))}
        onChoose={(value) => store.set({ timeFormat: value })}
      />
    </section>
  );
}

function Writing() {
  const words = useSection('settings');
  const store = usePreferenceStore();
  const { enterSends } = usePreferences();
  return (
    <section class="settings" aria-labelledby="settings-writing">
      <h3 id="settings-writing">{words.writing}</h3>
      <ToggleRow
        name="enterSends"
        label={words.enterSends}
        hint={words.enterSendsHint}
        isOn={enterSends}
        onChange={(isOn) => store.set({ enterSends: isOn })}
      />
    </section>
  );
}

function Presence() {
  const words = useSection('settings');
  const store = usePreferenceStore();
  const { awayAfterMin } = usePreferences();
  return (
    <section class="settings" aria-labelledby="settings-presence">
      <h3 id="settings-presence">{words.presence}</h3>
      <SelectRow
        name="awayAfterMin"
        label={words.awayAfterMin}
        hint={words.awayHint}
        value={awayAfterMin}
        options={[...choicesOf('awayAfterMin')]
          .sort((a, b) => a - b)
          .map((value) => ({ value, label: words.awayAfterMins[value] }))}
        onChoose={(value) => store.set({ awayAfterMin: value })}
      />
    </section>
  );
}
