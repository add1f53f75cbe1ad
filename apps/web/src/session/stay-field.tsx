/** The choice to stay signed in, and what it means for what is not sent yet. */
import { useWords } from '../i18n/index.ts';

/** Tabs share the device's storage safely only with Web Locks, which plain HTTP does not have. */
const keepsOnDevice = (): boolean => 'locks' in navigator;

export function StayField({ stays, onChange }: { stays: boolean; onChange: (stays: boolean) => void }) {
  const { t } = useWords();
  return (
    <div class="stay">
      <label class="stay-label">
        <input
          type="checkbox"
          data-testid="stay-input"
          aria-describedby="stay-hint"
          checked={stays}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{t.stay}</span>
      </label>
      <p class="hint" id="stay-hint" aria-live="polite">
        {!stays ? t.stayOff : keepsOnDevice() ? t.stayOn : t.stayOnSignIn}
      </p>
    </div>
  );
}
