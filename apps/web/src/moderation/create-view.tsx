import { isRoomId } from '@maru/client';
import { LIMITS } from '@maru/protocol/limits';
import { useState } from 'preact/hooks';
import { useSection, useWords } from '../i18n/index.ts';
import { normalizeRoom } from '../model/route.ts';
import { Field, Outcome, textOf } from './fields.tsx';
import type { ModerationDialogProps } from './target.ts';
import { useAct } from './use-act.ts';

type Kind = 'private' | 'public' | 'direct';

/**
 * Creates a room that the user then owns, or opens the direct room with one person, and shows it.
 */
export function CreateView({
  client,
  names,
  ownId,
  onGoToRoom,
  onClose,
}: Pick<ModerationDialogProps, 'client' | 'names' | 'ownId' | 'onGoToRoom' | 'onClose'>) {
  const { t } = useWords();
  const words = useSection('moderation');
  const { state, run } = useAct({ conflict: words.failExists });
  const [visibility, setVisibility] = useState<Kind>('private');
  const [isBadName, setBadName] = useState(false);

  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const title = textOf(form, 'title');
    const room = normalizeRoom(textOf(form, 'room'));
    if (visibility === 'public' && !isRoomId(room)) return setBadName(true);
    const titled = title === '' ? {} : { title };
    const wanted = {
      private: { visibility: 'private', ...titled },
      public: { visibility: 'public', room, ...titled },
      direct: { visibility: 'direct', user: textOf(form, 'user') },
    } as const;
    void run(async () => {
      const made = await client.moderation.createRoom(wanted[visibility]);
      onClose();
      onGoToRoom(made.room);
    });
  };

  return (
    <form class="sheet-form" noValidate onSubmit={submit}>
      <fieldset class="choices">
        <legend>{words.kind}</legend>
        {(['private', 'public', 'direct'] as const).map((kind) => (
          <label key={kind} class="choice">
            <input
              type="radio"
              name="visibility"
              value={kind}
              checked={visibility === kind}
              onChange={() => setVisibility(kind)}
            />
            {{ private: words.privateRoom, public: words.publicRoom, direct: words.directRoom }[kind]}
          </label>
        ))}
      </fieldset>
      {visibility === 'direct' ? (
        <PersonField names={names} ownId={ownId} />
      ) : (
        <Field id="create-title" label={words.title}>
          <input id="create-title" name="title" dir="auto" maxLength={LIMITS.titleCharsMax} />
        </Field>
      )}
      {visibility === 'public' && (
        <Field id="create-room" label={words.roomName}>
          <input
            id="create-room"
            name="room"
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            aria-invalid={isBadName}
            aria-describedby="create-room-hint"
            onInput={() => setBadName(false)}
          />
          <p id="create-room-hint" class={isBadName ? 'field-error' : 'hint'}>
            {isBadName && `${t.roomInvalid} `}
            {t.roomHint}
          </p>
        </Field>
      )}
      <div class="sheet-submit">
        <button type="submit" class="primary-button" data-testid="create-submit" disabled={state.kind === 'busy'}>
          {visibility === 'direct' ? words.openDirect : words.create}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}

/** Suggests people of the rooms that were open. Other people can be entered by id. */
function PersonField({ names, ownId }: Pick<ModerationDialogProps, 'names' | 'ownId'>) {
  const words = useSection('moderation');
  return (
    <Field id="create-user" label={words.inviteId}>
      <input
        id="create-user"
        name="user"
        list="create-people"
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
        required
        aria-describedby="create-user-hint"
      />
      <datalist id="create-people">
        {[...names].map(([id, name]) => id !== ownId && <option key={id} value={id} label={name} />)}
      </datalist>
      <p id="create-user-hint" class="hint">
        {words.inviteHint}
      </p>
    </Field>
  );
}
