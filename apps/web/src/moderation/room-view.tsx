/** Settings and lists of a room. Each section is shown only if the own role allows its acts. */

import { type ActName, mayDo, type RoomSettings } from '@maru/client';
import { LIMITS } from '@maru/protocol/limits';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { Field, Outcome, Section, textOf } from './fields.tsx';
import { BansList, PeopleList } from './people-lists.tsx';
import { ReportsList } from './reports-list.tsx';
import type { ViewProps } from './target.ts';
import { useAct } from './use-act.ts';

const SLOW_MODES_S: readonly number[] = [0, 5, 10, 30, 60, 300, 900, 3_600];

export function RoomView(props: ViewProps & { section: 'people' | 'quit' | null }) {
  const { details, store, client, section, onClose } = props;
  const words = useSection('moderation');
  const allows = (act: ActName) => mayDo(act, { ownRole: details.role, visibility: details.visibility });
  const isPrivate = details.visibility === 'private';
  return (
    <>
      {allows('update') && (
        <Section title={words.settings} testId="section-settings" isOpen={section === null}>
          <SettingsForm {...props} />
        </Section>
      )}
      {allows('reports') && (
        <Section title={words.reports} testId="section-reports">
          <ReportsList {...props} />
        </Section>
      )}
      {allows('bans') && (
        <Section title={words.bans} testId="section-bans">
          <BansList {...props} />
        </Section>
      )}
      {(allows('update') || isPrivate) && (
        <Section title={isPrivate ? words.members : words.people} testId="section-people" isOpen={section === 'people'}>
          {allows('invite') && <InviteForm {...props} />}
          <PeopleList {...props} />
        </Section>
      )}
      {allows('quit') && (
        <Section title={words.leaveRoom} testId="section-quit" isOpen={section === 'quit'}>
          <Confirmed
            detail={words.leaveDetail}
            label={words.leaveForGood}
            act={() => client.moderation.quit(store.room)}
            onClose={onClose}
          />
        </Section>
      )}
      {allows('delete') && (
        <Section title={words.deleteRoom} testId="section-delete">
          <Confirmed
            detail={words.deleteDetail}
            label={words.deleteForGood}
            act={() => client.moderation.deleteRoom(store.room)}
            onClose={onClose}
          />
        </Section>
      )}
    </>
  );
}

function SettingsForm({ client, store, details }: ViewProps) {
  const words = useSection('moderation');
  const { state, run } = useAct();
  const pauses = SLOW_MODES_S.includes(details.slowModeS) ? SLOW_MODES_S : [...SLOW_MODES_S, details.slowModeS];
  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wanted = {
      title: textOf(form, 'title'),
      topic: textOf(form, 'topic'),
      readOnly: textOf(form, 'readOnly') !== '',
      slowModeS: Number(textOf(form, 'slowModeS')),
    };
    const changed = Object.entries(wanted).filter(([name, value]) => details[name as keyof typeof wanted] !== value);
    const settings = Object.fromEntries(changed) as RoomSettings;
    void run(async () => {
      if (changed.length > 0) await client.moderation.updateRoom(store.room, settings);
    });
  };
  return (
    <form class="sheet-form" onSubmit={submit}>
      <Field id="room-title" label={words.title}>
        <input id="room-title" name="title" dir="auto" maxLength={LIMITS.titleCharsMax} defaultValue={details.title} />
      </Field>
      <Field id="room-topic" label={words.topic}>
        <input id="room-topic" name="topic" dir="auto" maxLength={LIMITS.topicCharsMax} defaultValue={details.topic} />
      </Field>
      <Field id="room-slow" label={words.slowMode}>
        <select id="room-slow" name="slowModeS" defaultValue={String(details.slowModeS)}>
          {pauses.map((seconds) => (
            <option key={seconds} value={seconds} selected={seconds === details.slowModeS}>
              {seconds === 0 ? words.slowOff : words.slowPause(seconds)}
            </option>
          ))}
        </select>
      </Field>
      <label class="choice">
        <input type="checkbox" name="readOnly" defaultChecked={details.readOnly} />
        {words.readOnly}
      </label>
      <div class="sheet-submit">
        <button type="submit" class="primary-button" data-testid="settings-save" disabled={state.kind === 'busy'}>
          {words.save}
        </button>
        <Outcome state={state} done={words.saved} />
      </div>
    </form>
  );
}

function InviteForm({ client, store }: ViewProps) {
  const words = useSection('moderation');
  const { state, run } = useAct();
  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const user = textOf(form, 'user');
    if (user === '') return;
    void run(() => client.moderation.invite(store.room, user)).then((isDone) => isDone && form.reset());
  };
  return (
    <form class="sheet-form" onSubmit={submit}>
      <div class="field">
        <label for="invite-user">{words.inviteId}</label>
        <div class="sheet-row">
          <input
            id="invite-user"
            name="user"
            data-testid="invite-user"
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            maxLength={LIMITS.userIdCharsMax}
            aria-describedby="invite-hint"
          />
          <button type="submit" class="quiet-button" data-testid="invite-submit" disabled={state.kind === 'busy'}>
            {words.inviteSend}
          </button>
        </div>
        <p id="invite-hint" class="hint">
          {words.inviteHint}
        </p>
      </div>
      <Outcome state={state} done={words.invited} />
    </form>
  );
}

interface ConfirmedProps {
  detail: string;
  label: string;
  act: () => Promise<unknown>;
  onClose: () => void;
}

/** An act that cannot be undone. The user confirms it with a second press. */
function Confirmed({ detail, label, act, onClose }: ConfirmedProps) {
  const words = useSection('moderation');
  const { state, run } = useAct();
  const [isAsked, setAsked] = useState(false);
  const confirm = () => void run(act).then((isDone) => isDone && onClose());
  return (
    <div class="sheet-form">
      <p>{detail}</p>
      <div class="sheet-submit">
        {isAsked ? (
          <>
            <button
              type="button"
              class="danger-button"
              data-testid="confirm"
              disabled={state.kind === 'busy'}
              onClick={confirm}
            >
              {label}
            </button>
            <button type="button" class="quiet-button" onClick={() => setAsked(false)}>
              {words.keep}
            </button>
          </>
        ) : (
          <button type="button" class="quiet-button" data-testid="ask" onClick={() => setAsked(true)}>
            {label}…
          </button>
        )}
        <Outcome state={state} done="" />
      </div>
    </div>
  );
}
