import { initialOf, tintOf } from '../model/person.ts';

export function Avatar({ id, name, isSmall = false }: { id: string; name: string; isSmall?: boolean }) {
  return (
    <span class={`avatar tint-${tintOf(id)}${isSmall ? ' avatar-small' : ''}`} aria-hidden="true">
      {initialOf(name)}
    </span>
  );
}
