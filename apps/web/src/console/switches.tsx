/** Language, theme, and sign-out of the console. */
import { useSection } from '../i18n/index.ts';
import { LeaveIcon } from '../icons.tsx';
import { AppearanceSwitches } from '../settings/appearance-switches.tsx';

/** `onLeave`: null while no user is signed in. */
export function ConsoleSwitches({ onLeave }: { onLeave: (() => void) | null }) {
  const words = useSection('console');
  return (
    <AppearanceSwitches>
      {onLeave !== null && (
        <button
          type="button"
          class="icon-button"
          data-testid="leave-console"
          aria-label={words.leave}
          title={words.leave}
          onClick={onLeave}
        >
          <LeaveIcon />
        </button>
      )}
    </AppearanceSwitches>
  );
}
