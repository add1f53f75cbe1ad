/** Shows the signed-in user and the sign-out. It asks before it deletes unsent messages. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { sentenceOf } from '../i18n/sentence.ts';
import type { Session } from './device.ts';

const loadKept = () => import('./kept.ts');

export interface SignedInProps {
  session: Session;
  /** The sign-out is in progress. Until it ends, other buttons are disabled. */
  isBusy: boolean;
  onBusy: (isBusy: boolean) => void;
  onSignOut: () => void;
}

export function SignedIn({ session, isBusy, onBusy, onSignOut }: SignedInProps) {
  const { t } = useWords();
  const [kept, setKept] = useState<number | null>(null);
  const [failure, setFailure] = useState<'load' | 'others' | null>(null);
  const out = useRef<HTMLButtonElement>(null);
  // The safe answer has the focus.
  const stay = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (kept !== null) stay.current?.focus();
  }, [kept]);
  /** False if another tab has signed out during the request. */
  const isShown = useRef(true);
  useEffect(
    () => () => {
      isShown.current = false;
    },
    [],
  );
  /** `isAlone`: other devices stay signed in. */
  const signOut = async (isAlone: boolean) => {
    if (isBusy) return;
    onBusy(true);
    setFailure(null);
    const parts = await loadKept().catch(() => null);
    const count = parts?.countKept(session.user.id) ?? 0;
    const asks = count > 0 && kept === null;
    const isDone = parts === null || asks || isAlone || session.end === undefined || (await session.end());
    onBusy(false);
    if (!isShown.current) return;
    if (parts === null) return setFailure('load');
    if (asks) return setKept(count);
    if (!isDone) return setFailure('others');
    parts.forgetKept(session.user.id);
    onSignOut();
  };
  const keep = () => {
    if (isBusy) return;
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
          onClick={() => void signOut(false)}
        >
          {session.end === undefined ? t.useAnotherName : t.signOutEverywhere}
        </button>
      </p>
      {isBusy && (
        <p class="hint" role="status" data-testid="sign-out-busy">
          {t.signingOut}
        </p>
      )}
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
          <button type="button" class="quiet-button" ref={stay} aria-disabled={isBusy} onClick={keep}>
            {t.staySignedIn}
          </button>{' '}
          <button
            type="button"
            class="quiet-button"
            data-testid="sign-out-anyway"
            aria-disabled={isBusy}
            onClick={() => void signOut(false)}
          >
            {t.signOutAnyway}
          </button>
        </div>
      )}
    </>
  );
}
