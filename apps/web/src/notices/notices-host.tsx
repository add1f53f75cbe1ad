import { useLazyPart } from '../lazy.ts';
import type { NoticesProps } from './notices-part.tsx';

const load = () => import('./notices-part.tsx').then(({ Notices }) => Notices);

/** Loads the notices part after the room list. */
export function NoticesHost(props: NoticesProps) {
  const part = useLazyPart(load, ['notices'], true, true);
  return part.kind === 'ready' ? <part.part {...props} /> : null;
}
