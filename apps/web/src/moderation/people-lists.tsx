/** Lists of the people in a room who have a role, and of banned and muted people. */
import type { Ban } from '@maru/protocol/events';
import { untilText } from '../chat/until-text.ts';
import { useSection } from '../i18n/index.ts';
import { MoreIcon } from '../icons.tsx';
import { nameOf } from '../model/names.ts';
import { useLocale } from '../settings/locale.ts';
import { ListFrame, Outcome } from './fields.tsx';
import type { ViewProps } from './target.ts';
import { useAct, usePages } from './use-act.ts';

const PAGE_ITEMS = 50;

export function PeopleList({ client, store, details, names, ownId, onTarget }: ViewProps) {
  const { roles } = useSection('conversation');
  const words = useSection('moderation');
  const pages = usePages(async (cursor) => {
    const page = await client.moderation.members(store.room, { limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) });
    return { items: page.members, cursor: page.cursor };
  });
  const mayAct = (user: string) => details.role !== 'member' || user === ownId;
  return (
    <ListFrame pages={pages} empty={words.noneYet}>
      {pages.items.map(({ user, role }) => (
        <li key={user}>
          <span class="sheet-item">
            <bdi class="sheet-name">{nameOf(names, user)}</bdi>
            <span class="hint">{roles[role]}</span>
          </span>
          {mayAct(user) && (
            <button
              type="button"
              class="icon-button"
              aria-label={words.manage(nameOf(names, user))}
              onClick={() => onTarget({ view: 'person', user: { id: user, name: nameOf(names, user) } })}
            >
              <MoreIcon />
            </button>
          )}
        </li>
      ))}
    </ListFrame>
  );
}

export function BansList({ client, store, names }: ViewProps) {
  const locale = useLocale();
  const words = useSection('moderation');
  const { state, run } = useAct();
  const pages = usePages(async (cursor) => {
    const page = await client.moderation.bans(store.room, { limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) });
    return { items: page.bans, cursor: page.cursor };
  });
  const lift = ({ user, kind }: Ban) =>
    void run(() =>
      kind === 'ban' ? client.moderation.unban(store.room, user) : client.moderation.unmute(store.room, user),
    ).then(pages.reload);
  return (
    <>
      <ListFrame pages={pages} empty={words.noBans}>
        {pages.items.map((ban) => (
          <li key={`${ban.kind} ${ban.user}`} data-testid="ban">
            <span class="sheet-item">
              <bdi class="sheet-name">{nameOf(names, ban.user)}</bdi>
              <span class="hint">
                {ban.kind === 'ban' ? words.banned : words.muted}{' '}
                {ban.untilTs ? words.until(untilText(ban.untilTs, 0, locale)) : words.noEnd}
                {' · '}
                {words.by(nameOf(names, ban.by))}
                {ban.reason && `: ${ban.reason}`}
              </span>
            </span>
            <button
              type="button"
              class="quiet-button"
              data-testid="lift"
              aria-label={words.liftOf(nameOf(names, ban.user))}
              onClick={() => lift(ban)}
            >
              {words.lift}
            </button>
          </li>
        ))}
      </ListFrame>
      <Outcome state={state} done="" />
    </>
  );
}
