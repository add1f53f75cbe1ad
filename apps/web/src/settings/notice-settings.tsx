/**
 * Notification settings of this device. The browser's permission is requested only when the user
 * turns notifications on.
 */
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { playSound } from '../notices/sound.ts';
import { SelectRow, ToggleRow } from './fields.tsx';
import { choicesOf } from './preferences.ts';
import { usePreferenceStore, usePreferences } from './use-preferences.ts';

const isSupported = () => 'Notification' in globalThis && isSecureContext;

export function NoticeSettings() {
  const words = useSection('settings');
  const store = usePreferenceStore();
  const { desktopNotices, notifyAbout, noticesShowText, sound } = usePreferences();
  const [permission, setPermission] = useState(() => (isSupported() ? Notification.permission : 'denied'));
  const turn = (isOn: boolean) => {
    if (!isOn || permission === 'granted') return store.set({ desktopNotices: isOn });
    void Notification.requestPermission().then((answer) => {
      setPermission(answer);
      if (answer === 'granted') store.set({ desktopNotices: true });
    });
  };
  const problem = !isSupported() ? words.noticesMissing : permission === 'denied' ? words.noticesBlocked : null;
  return (
    <section class="settings" aria-labelledby="settings-notices">
      <h3 id="settings-notices">{words.notices}</h3>
      <ToggleRow
        name="desktopNotices"
        label={words.desktopNotices}
        hint={problem ?? undefined}
        isOn={desktopNotices && permission === 'granted'}
        isDisabled={permission === 'denied'}
        onChange={turn}
      />
      <ToggleRow
        name="noticesShowText"
        label={words.noticesShowText}
        isOn={noticesShowText}
        isDisabled={permission === 'denied'}
        onChange={(isOn) => store.set({ noticesShowText: isOn })}
      />
      <ToggleRow name="sound" label={words.sound} isOn={sound} onChange={(isOn) => store.set({ sound: isOn })}>
        <button type="button" class="quiet-button" data-testid="sound-test" onClick={playSound}>
          {words.soundTest}
        </button>
      </ToggleRow>
      <SelectRow
        name="notifyAbout"
        label={words.notifyAbout}
        hint={words.notifyAboutHint}
        value={notifyAbout}
        options={choicesOf('notifyAbout').map((value) => ({ value, label: words.notifyAbouts[value] }))}
        onChoose={(value) => store.set({ notifyAbout: value })}
      />
    </section>
  );
}
