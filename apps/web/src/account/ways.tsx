/** Sign-in with a company account: at a provider, or with a name and a password. */
import { type HttpError, signInWithPassword } from '@maru/client/http';
import type { AuthConfig } from '@maru/protocol/events';
import { useState } from 'preact/hooks';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { keepRenewed, type Session } from '../session/device.ts';
import { accountSession } from './account-session.ts';

export interface AccountWaysProps {
  config: AuthConfig;
  room: string;
  /** The user typed the name of the room. */
  isTyped: boolean;
  isBadRoom: boolean;
  /** The user stays signed in on this device. */
  stays: boolean;
  onEnter: (session: Session) => void;
  onFailure: (text: string | null) => void;
}

export function AccountWays({ config, room, isTyped, isBadRoom, stays, onEnter, onFailure }: AccountWaysProps) {
  const { t } = useWords();
  const words = useSection('account');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [isBusy, setBusy] = useState(false);

  const textOf = ({ code, isUnreachable, retryAfterMs = 0 }: HttpError): string => {
    if (isUnreachable) return t.errorNetwork;
    if (code === 'unauthenticated') return words.passwordWrong;
    if (code === 'forbidden') return t.signInForbidden;
    if (code === 'unavailable') return words.signInDown;
    return code === 'rate_limited' ? words.waitSeconds(Math.ceil(retryAfterMs / 1_000)) : wordsOfError(t, code);
  };
  const signIn = async () => {
    if (username.trim() === '' || password === '') return onFailure(words.accountMissing);
    if (isBadRoom) return onFailure(t.roomInvalid);
    onFailure(null);
    setBusy(true);
    const result = await signInWithPassword({}, { username: username.trim(), password });
    setBusy(false);
    if (!result.ok) return onFailure(textOf(result.error));
    setPassword('');
    onEnter(accountSession(result.data, stays, keepRenewed));
  };
  const { oidc } = config;
  const goToProvider = async () => {
    if (oidc === null) return;
    if (isBadRoom) return onFailure(t.roomInvalid);
    setBusy(true);
    try {
      const { goToProvider: go } = await import('./provider-session.ts');
      await go(oidc, { path: `/r/${room}`, typedRoom: isTyped ? room : null });
    } catch (error) {
      console.warn('the provider was not reached', error);
      setBusy(false);
      onFailure(t.errorNetwork);
    }
  };
  const submitOnEnter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    void signIn();
  };

  return (
    <>
      {oidc !== null && (
        <button
          type="button"
          class="primary-button"
          data-testid="provider-button"
          disabled={isBusy}
          onClick={() => void goToProvider()}
        >
          {words.signInWith(oidc.name)}
        </button>
      )}
      {config.ldap && (
        <fieldset class="account-fields">
          <legend>{words.accountTitle}</legend>
          <div class="field">
            <label for="username-input">{words.usernameLabel}</label>
            <input
              id="username-input"
              data-testid="username-input"
              autoComplete="username"
              autoCapitalize="none"
              spellcheck={false}
              value={username}
              onInput={(event) => setUsername(event.currentTarget.value)}
              onKeyDown={submitOnEnter}
            />
          </div>
          <div class="field">
            <label for="password-input">{words.passwordLabel}</label>
            <input
              id="password-input"
              data-testid="password-input"
              type="password"
              autoComplete="current-password"
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
              onKeyDown={submitOnEnter}
            />
          </div>
          <button
            type="button"
            class="primary-button"
            data-testid="account-button"
            disabled={isBusy}
            onClick={() => void signIn()}
          >
            {isBusy ? t.entering : words.signIn}
          </button>
        </fieldset>
      )}
      {config.guests && <p class="hint">{words.orAsGuest}</p>}
    </>
  );
}
