/** The hits, newest first, or the reason why there are none. */
import type { Hit, Search, SearchView } from '@maru/client/search';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { Sections } from '../i18n/catalogue.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { pathOf } from '../model/route.ts';
import { useLocale } from '../settings/locale.ts';
import { plainParts } from '../text/markup.ts';
import type { FindPaneProps } from './find-props.ts';

/** The next page loads at this distance from the end of the list. */
const AHEAD_PX = 400;

type HitListProps = Pick<FindPaneProps, 'find' | 'nameOfRoom' | 'onOpen'> & { search: Search; view: SearchView };

const keyOf = ({ room, seq }: Hit): string => `${room} ${seq}`;

export function HitList(props: HitListProps) {
  const { find, search, view } = props;
  const words = useSection('search');
  const scroller = useRef<HTMLDivElement>(null);
  const { memory } = find;
  // Restore the scroll position after another room was shown.
  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = memory.scrollTop;
  }, [memory]);
  const onScroll = () => {
    const box = scroller.current;
    if (box === null) return;
    memory.scrollTop = box.scrollTop;
    if (view.more.error === null && box.scrollHeight - box.scrollTop - box.clientHeight < AHEAD_PX) search.more();
  };
  const { hits, state } = view;
  return (
    <div class="find-results" ref={scroller} onScroll={onScroll} aria-busy={state.kind === 'searching'}>
      <p class="find-status hint" role="status" data-testid="find-status">
        {statusOf(view, words)}
      </p>
      {state.kind === 'failed' && <Failure search={search} state={state} />}
      {state.kind === 'idle' && <Hint lines={[words.hint, words.hintMore]} />}
      {state.kind === 'ready' && hits.length === 0 && <Hint lines={[words.nothingHint]} />}
      {hits.length > 0 && <Hits {...props} />}
      {view.isFull && <p class="find-note hint">{words.full}</p>}
      {view.hasMore && state.kind === 'ready' && <More search={search} view={view} />}
    </div>
  );
}

function statusOf({ state, hits, hasMore }: SearchView, words: Sections['search']): string {
  if (state.kind === 'searching') return words.searching;
  if (state.kind !== 'ready') return '';
  if (hits.length === 0) return words.nothing;
  return hasMore ? words.foundMore(hits.length) : words.found(hits.length);
}

const Hint = ({ lines }: { lines: string[] }) => (
  <div class="find-note hint">
    {lines.map((line) => (
      <p key={line}>{line}</p>
    ))}
  </div>
);

function Failure({ search, state }: { search: Search; state: Extract<SearchView['state'], { kind: 'failed' }> }) {
  const { t } = useWords();
  const words = useSection('search');
  const { code, retryable } = state.error;
  const text = code === 'unavailable' ? words.unavailable : code === 'invalid' ? words.invalid : wordsOfError(t, code);
  return (
    <div class="find-note" role="alert" data-testid="find-problem">
      <p class="field-error">{text}</p>
      {retryable && (
        <button type="button" class="quiet-button" data-testid="find-retry" onClick={search.retry}>
          {words.again}
        </button>
      )}
    </div>
  );
}

function More({ search, view }: { search: Search; view: SearchView }) {
  const words = useSection('search');
  const { isLoading, error } = view.more;
  return (
    <div class="find-note">
      {error !== null && (
        <p class="field-error" role="alert">
          {words.moreFailed}
        </p>
      )}
      <button type="button" class="quiet-button" data-testid="find-more" disabled={isLoading} onClick={search.more}>
        {isLoading ? words.loading : error === null ? words.more : words.again}
      </button>
    </div>
  );
}

function Hits({ find, view, nameOfRoom, onOpen }: HitListProps) {
  const words = useSection('search');
  const locale = useLocale();
  const time = useMemo(() => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }), [locale]);
  const { hits } = view;
  const { opened } = find.memory;
  // One Tab stop. Arrow keys move between hits.
  const stop = hits.some((hit) => keyOf(hit) === opened) ? opened : keyOf(hits[0] as Hit);
  const open = (hit: Hit) => {
    find.memory.opened = keyOf(hit);
    onOpen(hit);
  };
  return (
    <ol class="hits" aria-label={words.results} data-testid="hits" onKeyDown={onHitKey}>
      {hits.map((hit) => {
        const key = keyOf(hit);
        return (
          <li key={key}>
            <a
              class="hit"
              href={pathOf(hit)}
              data-testid="hit"
              data-room={hit.room}
              data-seq={hit.seq}
              aria-current={key === opened ? 'true' : undefined}
              tabIndex={key === stop ? 0 : -1}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                open(hit);
              }}
            >
              <span class="hit-head">
                <span class="hit-author">
                  <bdi>{hit.from.name}</bdi>
                </span>
                <span class="hit-room">
                  <bdi>{nameOfRoom(hit.room)}</bdi>
                </span>
                <time dateTime={new Date(hit.ts).toISOString()}>{time.format(hit.ts)}</time>
              </span>
              <span class="hit-text" dir="auto">
                {plainParts(hit.snippet).map((part, i) =>
                  part.isMarked ? <mark key={i}>{part.text}</mark> : part.text,
                )}
              </span>
            </a>
          </li>
        );
      })}
    </ol>
  );
}

function onHitKey(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement;
  const hits = [...list.querySelectorAll<HTMLElement>('.hit')];
  const at = hits.indexOf(document.activeElement as HTMLElement);
  if (at === -1) return;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: hits.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = hits[to] ?? (to < 0 ? document.querySelector<HTMLElement>('[data-testid="find-input"]') : null);
  next?.focus();
}
