import { isRoomId } from '@maru/client';
import { enterAsGuest } from '@maru/client/http';
import { useState } from 'preact/hooks';
import { useAuthConfig } from './account/use-auth-config.ts';
import logo from './assets/logo.svg';
import { wordsOfError } from './i18n/errors.ts';
import { useWords } from './i18n/index.ts';
import { useLazyPart } from './lazy.ts';
import { nameProblem } from './model/name-check.ts';
import { normalizeRoom } from './model/route.ts';
import type { Session } from './session/device.ts';
import { SignedIn } from './session/signed-in.tsx';
import { StayField } from './session/stay-field.tsx';
import { Switches } from './switches.tsx';

const loadWays = () => import('./account/ways.tsx').then(({ AccountWays }) => AccountWays);
const ACCOUNT_WORDS = ['account'] as const;

export interface SignInProps {
  /** Set if the user is already signed in and only chooses a room. */
  session: Session | null;
  room: string;
  problem: string | null;
  /** Called when the user starts to fill in the form. */
  onWrite: () => void;
  /** `isTyped`: the user typed the name of the room. */
  onEnter: (session: Session, room: string, isTyped: boolean) => void;
  onForget: () => void;
}

export function SignIn({ session, room: firstRoom, problem, onWrite, onEnter, onForget }: SignInProps) {
  const { t } = useWords();
  const [name, setName] = useState('');
  const [room, setRoom] = useState(firstRoom);
  const [isTyped, setTyped] = useState(false);
  const [stays, setStays] = useState(false);
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
    if (session !== null) return onEnter(session, chosen, isTyped);
    setBusy(true);
    const result = await enterAsGuest({}, name.trim());
    setBusy(false);
    if (result.ok) onEnter({ ...result.data, stays }, chosen, isTyped);
    else if (result.error.isUnreachable) setFailure(t.errorNetwork);
    else if (result.error.code === 'not_found') setFailure(t.errorGuestsOff);
    else setFailure(wordsOfError(t, result.error.code));
  };

  const config = useAuthConfig();
  const hasAccounts = session === null && config !== null && (config.ldap || config.oidc !== null);
  const ways = useLazyPart(loadWays, ACCOUNT_WORDS, hasAccounts, true);
  const alert = failure ?? problem;
  const asGuest = session !== null || config === null || config.guests;
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
          {hasAccounts && ways.kind === 'ready' && config !== null && (
            <ways.part
              {...{ config, room: chosen, isTyped, isBadRoom, stays }}
              onEnter={(entered) => onEnter(entered, chosen, isTyped)}
              onFailure={setFailure}
            />
          )}
          {session === null ? (
            asGuest && (
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
            )
          ) : (
            <SignedIn {...{ session, isBusy }} onBusy={setBusy} onSignOut={onForget} />
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
              onInput={(event) => {
                setRoom(event.currentTarget.value);
                setTyped(true);
              }}
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
          {session === null && <StayField stays={stays} onChange={setStays} />}
          {asGuest && (
            <button type="submit" class="primary-button" data-testid="enter-button" disabled={isBusy}>
              {isBusy && session === null ? t.entering : t.enter}
            </button>
          )}
          {session === null && asGuest && <p class="hint guest-note">{t.guestNote}</p>}
        </form>
      </main>
    </div>
  );
}
