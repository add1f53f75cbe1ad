import { useWords } from '../i18n/index.ts';
import { LazyDialog } from '../lazy-dialog.tsx';
import type { OpenMenu, RoomMenuProps } from './room-menu-props.ts';

const load = () => import('./room-menu.tsx').then(({ RoomMenu }) => RoomMenu);

/** Loads the room menu when one first opens. */
export function RoomMenuHost({
  menu,
  ...props
}: Omit<RoomMenuProps, keyof OpenMenu | 'name'> & { menu: OpenMenu | null }) {
  const { t } = useWords();
  const row = menu?.row;
  const name = row?.kind === 'private' && row.name === row.room ? t.privateRoom : row?.name;
  const given = menu && { ...props, ...menu, name: name ?? '' };
  return <LazyDialog key={row?.room} load={load} words={['rooms']} given={given} />;
}
