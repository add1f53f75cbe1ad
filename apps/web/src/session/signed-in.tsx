/** Shows the signed-in user and the sign-out. It asks before it deletes unsent messages. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { sentenceOf } from '../i18n/sentence.ts';
import type { Session } from './device.ts';

const loadKept = () => import('./kept.ts');

export function SignedIn({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const { t } = useWords();
  const [kept, setKept] = useState<number | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const out = useRef<HTMLButtonElement>(null);
  // The safe answer has the focus.
  const stay = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (kept !== null) stay.current?.focus();
  }, [kept]);
  const signOut = () => {
    setFailed(false);
    loadKept().then(
      ({ countKept, forgetKept }) => {
        const count = countKept(session.user.id);
        if (count > 0 && kept === null) return setKept(count);
        forgetKept(session.user.id);
        onSignOut();
      },
      () => setFailed(true),
    );
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
        <button type="button" class="link-button" data-testid="sign-out" ref={out} onClick={signOut}>
          {session.end === undefined ? t.useAnotherName : t.signOutEverywhere}
        </button>
      </p>
      {hasFailed && <p class="field-error">{t.dialogFailed}</p>}
      {kept !== null && (
        <div class="alert kept-question" role="alert" data-testid="kept-question">
          <p>{t.keptAtSignOut(kept)}</p>
          <button type="button" class="quiet-button" ref={stay} onClick={keep}>
            {t.staySignedIn}
          </button>{' '}
          <button type="button" class="quiet-button" data-testid="sign-out-anyway" onClick={signOut}>
            {t.signOutAnyway}
          </button>
        </div>
      )}
    </>
  );
}
