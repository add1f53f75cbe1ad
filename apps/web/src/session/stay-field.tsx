/** The checkbox to stay signed in, with its consequence for unsent messages. */
import { useWords } from '../i18n/index.ts';

/** Tabs need Web Locks to share the storage safely. Plain HTTP does not have them. */
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
