/** Shows the signed-in user and the sign-out. It asks before it deletes unsent messages. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { sentenceOf } from '../i18n/sentence.ts';
import type { Session } from './device.ts';

const loadKept = () => import('./kept.ts');

export function SignedIn({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const { t } = useWords();
  const [kept, setKept] = useState<number | null>(null);
  const [failure, setFailure] = useState<'load' | 'others' | null>(null);
  const [isBusy, setBusy] = useState(false);
  const out = useRef<HTMLButtonElement>(null);
  // The safe answer has the focus.
  const stay = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (kept !== null) stay.current?.focus();
  }, [kept]);
  /** `isAlone`: other devices stay signed in. */
  const signOut = async (isAlone: boolean) => {
    setFailure(null);
    const parts = await loadKept().catch(() => null);
    if (parts === null) return setFailure('load');
    const count = parts.countKept(session.user.id);
    if (count > 0 && kept === null) return setKept(count);
    setBusy(true);
    const isDone = isAlone || session.end === undefined || (await session.end());
    setBusy(false);
    if (!isDone) return setFailure('others');
    parts.forgetKept(session.user.id);
    onSignOut();
  };
  const keep = () => {
    setKept(null);
    out.current?.focus();
  };
  return (
    <>
      <p class="signed-in">
        <span>
          {sentenceOf(
            t.signedInAs,
            <strong>
              <bdi>{session.user.name}</bdi>
            </strong>,
          )}
        </span>
        <button
          type="button"
          class="link-button"
          data-testid="sign-out"
          ref={out}
          aria-disabled={isBusy}
          onClick={() => void (isBusy || signOut(false))}
        >
          {session.end === undefined ? t.useAnotherName : t.signOutEverywhere}
        </button>
      </p>
      {failure === 'load' && <p class="field-error">{t.dialogFailed}</p>}
      {failure === 'others' && (
        <div class="alert kept-question" role="alert" data-testid="sign-out-failed">
          <p>{t.signOutFailed}</p>
          <button type="button" class="quiet-button" data-testid="sign-out-here" onClick={() => void signOut(true)}>
            {t.signOutHere}
          </button>
        </div>
      )}
      {kept !== null && (
        <div class="alert kept-question" role="alert" data-testid="kept-question">
          <p>{t.keptAtSignOut(kept)}</p>
          <button type="button" class="quiet-button" ref={stay} onClick={keep}>
            {t.staySignedIn}
          </button>{' '}
          <button type="button" class="quiet-button" data-testid="sign-out-anyway" onClick={() => void signOut(false)}>
            {t.signOutAnyway}
          </button>
        </div>
      )}
    </>
  );
}
