import { isRoomId } from '@maru/client';
import { useState } from 'preact/hooks';
import logo from './assets/logo.svg';
import { wordsOfError } from './i18n/errors.ts';
import { useWords } from './i18n/index.ts';
import { nameProblem } from './model/name-check.ts';
import { normalizeRoom } from './model/route.ts';
import { enterAsGuest, type Session } from './session/api.ts';
import { Switches } from './switches.tsx';

export interface SignInProps {
  /** A user who is already signed in only chooses a room. */
  session: Session | null;
  room: string;
  problem: string | null;
  /** The user begins to fill in the form. */
  onWrite: () => void;
  onEnter: (session: Session, room: string) => void;
  onForget: () => void;
}

export function SignIn({ session, room: firstRoom, problem, onWrite, onEnter, onForget }: SignInProps) {
  const { t } = useWords();
  const [name, setName] = useState('');
  const [room, setRoom] = useState(firstRoom);
  const [isBusy, setBusy] = useState(false);
  const [wasTried, setTried] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const badName = session === null ? nameProblem(name) : null;
  const chosen = normalizeRoom(room);
  const isBadRoom = !isRoomId(chosen);
  const nameError = wasTried && badName !== null ? t[badName] : null;
  const roomError = isBadRoom && (wasTried || room !== '') ? t.roomInvalid : null;

  const submit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    setFailure(null);
    const form = event.currentTarget as HTMLFormElement;
    if (badName !== null || isBadRoom) {
      form.querySelector<HTMLInputElement>(badName !== null ? '#name-input' : '#room-input')?.focus();
      return;
    }
    if (session !== null) return onEnter(session, chosen);
    setBusy(true);
    const result = await enterAsGuest(name.trim());
    setBusy(false);
    if (result.ok) onEnter(result.data, chosen);
    else if (result.code === 'network') setFailure(t.errorNetwork);
    else if (result.code === 'not_found') setFailure(t.errorGuestsOff);
    else setFailure(wordsOfError(t, result.code));
  };

  const alert = failure ?? problem;
  return (
    <div class="sign-in">
      <header class="sign-in-top">
        <Switches />
      </header>
      <main class="sign-in-main">
        <form class="card" noValidate onFocusIn={onWrite} onSubmit={(event) => void submit(event)}>
          <div class="brand">
            <img src={logo} alt="" width="44" height="44" />
            <div>
              <h1>
                Maru <span lang="ko">마루</span>
              </h1>
              <p class="tagline">{t.appTagline}</p>
            </div>
          </div>
          {alert !== null && (
            <p class="alert" role="alert" data-testid="sign-in-error">
              {alert}
            </p>
          )}
          {session === null ? (
            <div class="field">
              <label for="name-input">{t.nameLabel}</label>
              <input
                id="name-input"
                data-testid="name-input"
                dir="auto"
                autoComplete="nickname"
                placeholder={t.namePlaceholder}
                value={name}
                aria-invalid={nameError !== null}
                aria-describedby={nameError === null ? undefined : 'name-error'}
                onInput={(event) => setName(event.currentTarget.value)}
              />
              {nameError !== null && (
                <p class="field-error" id="name-error">
                  {nameError}
                </p>
              )}
            </div>
          ) : (
            <p class="signed-in">
              <span>
                {t.signedInAs}{' '}
                <strong>
                  <bdi>{session.user.name}</bdi>
                </strong>
              </span>
              <button type="button" class="link-button" onClick={onForget}>
                {t.useAnotherName}
              </button>
            </p>
          )}
          <div class="field">
            <label for="room-input">{t.roomLabel}</label>
            <input
              id="room-input"
              data-testid="room-input"
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              value={room}
              aria-invalid={roomError !== null}
              aria-describedby={roomError === null ? 'room-hint' : 'room-error room-hint'}
              onInput={(event) => setRoom(event.currentTarget.value)}
            />
            {roomError !== null && (
              <p class="field-error" id="room-error">
                {roomError}
              </p>
            )}
            <p class="hint" id="room-hint">
              {t.roomHint}
            </p>
          </div>
          <button type="submit" class="primary-button" data-testid="enter-button" disabled={isBusy}>
            {isBusy ? t.entering : t.enter}
          </button>
          {session === null && <p class="hint guest-note">{t.guestNote}</p>}
        </form>
      </main>
    </div>
  );
}
