import { isRoomId } from '@maru/client';
import { LIMITS } from '@maru/protocol/limits';
import { useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { normalizeRoom } from '../model/route.ts';
import { Field, Outcome, textOf } from './fields.tsx';
import type { ModerationDialogProps } from './target.ts';
import { useAct, useModerationWords } from './use-act.ts';

/** Makes a room, which the user then owns, and goes there. */
export function CreateView({
  client,
  onGoToRoom,
  onClose,
}: Pick<ModerationDialogProps, 'client' | 'onGoToRoom' | 'onClose'>) {
  const { t } = useWords();
  const words = useModerationWords();
  const { state, run } = useAct({ conflict: words.failExists });
  const [visibility, setVisibility] = useState<'public' | 'private'>('private');
  const [isBadName, setBadName] = useState(false);

  const submit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const title = textOf(form, 'title');
    const room = normalizeRoom(textOf(form, 'room'));
    if (visibility === 'public' && !isRoomId(room)) return setBadName(true);
    const id = visibility === 'public' ? { room } : {};
    void run(async () => {
      const made = await client.moderation.createRoom({ visibility, ...id, ...(title === '' ? {} : { title }) });
      onClose();
      onGoToRoom(made.room);
    });
  };

  return (
    <form class="sheet-form" noValidate onSubmit={submit}>
      <fieldset class="choices">
        <legend>{words.kind}</legend>
        {(['private', 'public'] as const).map((kind) => (
          <label key={kind} class="choice">
            <input
              type="radio"
              name="visibility"
              value={kind}
              checked={visibility === kind}
              onChange={() => setVisibility(kind)}
            />
            {kind === 'private' ? words.privateRoom : words.publicRoom}
          </label>
        ))}
      </fieldset>
      <Field id="create-title" label={words.title}>
        <input id="create-title" name="title" dir="auto" maxLength={LIMITS.titleCharsMax} />
      </Field>
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
          {words.create}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}
