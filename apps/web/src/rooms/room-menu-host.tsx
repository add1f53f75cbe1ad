import { useWords } from '../i18n/index.ts';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { OpenMenu, RoomMenuProps } from './room-menu-props.ts';

const load = () => import('./room-menu.tsx').then(({ RoomMenu }) => RoomMenu);

/** Loads the room menu when one first opens. */
export function RoomMenuHost({
  menu,
  ...props
}: Omit<RoomMenuProps, keyof OpenMenu | 'name'> & { menu: OpenMenu | null }) {
  const { t } = useWords();
  const lazy = useLazyPart(load, ['rooms'], menu !== null);
  if (menu === null || lazy.kind === 'none') return null;
  const { row } = menu;
  const name = row.kind === 'private' && row.name === row.room ? t.privateRoom : row.name;
  if (lazy.kind === 'ready') return <lazy.part key={row.room} {...props} {...menu} name={name} />;
  return <LoadFailed retry={lazy.retry} onClose={props.onClose} />;
}
