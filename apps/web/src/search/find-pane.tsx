/** The search pane beside the room: the query, the hits, and a way to jump to a day. */

import type { ChatClient } from '@maru/client';
import { createSearch, type Search } from '@maru/client/search';
import { useEffect, useRef } from 'preact/hooks';
import { useWatched } from '../hooks.ts';
import { useSection } from '../i18n/index.ts';
import { CloseIcon } from '../icons.tsx';
import { DayForm } from './day-form.tsx';
import { Filters } from './filters.tsx';
import type { FindMemory } from './find.ts';
import type { FindPaneProps } from './find-props.ts';
import { HitList } from './hit-list.tsx';
import './search.css';
import { IconButton } from '../icon-button.tsx';

function searchOf(client: ChatClient, memory: FindMemory): Search {
  memory.search ??= createSearch({ client });
  return memory.search;
}

export function FindPane(props: FindPaneProps) {
  const { client, find, onClose } = props;
  const words = useSection('search');
  const search = searchOf(client, find.memory);
  const view = useWatched(search);
  const field = useRef<HTMLInputElement>(null);
  const isOff = view.state.kind === 'off';
  // Focus the field each time the reader opens the search, but not when the room changes.
  useEffect(() => {
    if (find.memory.asked === find.asked) return;
    find.memory.asked = find.asked;
    field.current?.focus();
    field.current?.select();
  }, [find]);
  return (
    <search
      class="find"
      data-testid="find"
      aria-label={words.title}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.isComposing) return;
        event.preventDefault();
        find.close();
      }}
    >
      <div class="pane-head">
        <h2>{words.title}</h2>
        {onClose !== null && (
          <IconButton data-testid="find-close" label={words.close} onClick={onClose}>
            <CloseIcon />
          </IconButton>
        )}
      </div>
      <form class="find-form" onSubmit={(event) => event.preventDefault()}>
        {isOff ? (
          <p class="hint" data-testid="find-off">
            {words.off}
          </p>
        ) : (
          <>
            <input
              ref={field}
              type="search"
              data-testid="find-input"
              aria-label={words.label}
              placeholder={words.placeholder}
              autoComplete="off"
              spellcheck={false}
              enterkeyhint="search"
              maxLength={QUERY_CHARS_MAX}
              dir="auto"
              value={view.query.text}
              onInput={(event) => search.set({ text: event.currentTarget.value })}
              onKeyDown={toFirstHit}
            />
            <Filters {...props} search={search} query={view.query} />
          </>
        )}
      </form>
      <DayForm onDay={props.onDay} />
      {!isOff && <HitList {...props} search={search} view={view} />}
    </search>
  );
}

/** The limit in the protocol. */
const QUERY_CHARS_MAX = 256;

function toFirstHit(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' || event.isComposing) return;
  const hit = document.querySelector<HTMLElement>('.hit[tabindex="0"]');
  if (hit === null) return;
  event.preventDefault();
  hit.focus();
}
