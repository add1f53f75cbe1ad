/** Language, theme, and sign-out of the console. */
import { useSection } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { LeaveIcon } from '../icons.tsx';
import { AppearanceSwitches } from '../settings/appearance-switches.tsx';

/** `onLeave`: null while no user is signed in. */
export function ConsoleSwitches({ onLeave }: { onLeave: (() => void) | null }) {
  const words = useSection('console');
  return (
    <AppearanceSwitches>
      {onLeave !== null && (
        <IconButton data-testid="leave-console" label={words.leave} onClick={onLeave}>
          <LeaveIcon />
        </IconButton>
      )}
    </AppearanceSwitches>
  );
}
