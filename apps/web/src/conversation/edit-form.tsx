/** The form in which the user edits the text of an own message. */
import { textProblem } from '@maru/client';
import type { Message } from '@maru/client/conversation';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useDraft } from '../chat/use-draft.ts';
import { SuggestionList, useSuggestions } from '../chat/use-suggestions.tsx';
import { useSection } from '../i18n/index.ts';
import { isSendKey } from '../model/enter-key.ts';
import { keptMentions } from '../model/mentions.ts';
import type { Names } from '../model/names.ts';
import { usePreferences } from '../settings/use-preferences.ts';
import './conversation.css';
import type { EditActs } from './editing.ts';

export interface EditFormProps {
  message: Message;
  names: Names;
  ownId: string;
  edit: EditActs;
}

export function EditForm({ message, names, ownId, edit }: EditFormProps) {
  const words = useSection('conversation');
  const { enterSends } = usePreferences();
  const readDraft = () => edit.draft(message);
  const onDraft = (next: string) => edit.setDraft(message, next);
  const [text, change, restored] = useDraft({ draft: readDraft(), readDraft, onDraft });
  const field = useRef<HTMLTextAreaElement>(null);
  const suggestions = useSuggestions({
    names,
    ownId,
    field,
    listId: 'edit-mentions',
    mayMentionRoom: false,
    onText: change,
    owner: edit,
    restored: restored.current === message.text ? '' : restored.current,
  });
  // Before the next key press, which belongs to this field. A later effect would also move the
  // caret.
  useLayoutEffect(() => {
    const box = field.current;
    // A new render may have replaced the row that had the focus.
    const isLost = document.activeElement === document.body;
    if (box === null || !(edit.takesFocus() || isLost)) return;
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }, [edit]);
  const problem = textProblem(text);
  const save = () => {
    if (problem !== null) return;
    const mentioned = [...keptMentions(message, text, names), ...suggestions.mentionsIn(text)];
    suggestions.forget();
    edit.save(message, text, [...new Set(mentioned)]);
  };
  const cancel = () => {
    suggestions.forget();
    edit.cancel();
  };
  return (
    <form
      class="edit-form"
      data-testid="edit-form"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return;
        // Otherwise Escape would also close the thread.
        event.stopPropagation();
        event.preventDefault();
        cancel();
      }}
    >
      <SuggestionList suggestions={suggestions} />
      <textarea
        ref={field}
        id="edit-text"
        data-testid="edit-input"
        dir="auto"
        rows={Math.min(8, text.split('\n').length)}
        aria-label={words.editLabel}
        aria-describedby="edit-hint"
        aria-invalid={problem === 'too_long'}
        {...suggestions.aria}
        value={text}
        onInput={(event) => {
          change(event.currentTarget.value);
          suggestions.onCaret();
        }}
        onSelect={suggestions.onCaret}
        onBlur={suggestions.close}
        onKeyDown={(event) => {
          if (suggestions.onKey(event)) {
            // Escape closed only the suggestions.
            event.stopPropagation();
            return;
          }
          if (!isSendKey(event, enterSends)) return;
          event.preventDefault();
          save();
        }}
      />
      <div class="edit-foot">
        <p id="edit-hint" class={problem === 'too_long' ? 'field-error' : 'hint'}>
          {problem === 'too_long' ? words.editTooLong : enterSends ? words.editHint : words.editHintCtrl}
        </p>
        <button type="button" class="quiet-button" data-testid="edit-cancel" onClick={cancel}>
          {words.cancel}
        </button>
        <button type="submit" class="quiet-button" data-testid="edit-submit" disabled={problem !== null}>
          {words.save}
        </button>
      </div>
    </form>
  );
}
