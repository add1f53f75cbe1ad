/** Grants or removes a role of a user in a room. */
import type { Role } from '@maru/protocol/events';
import { useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';

/** In private and direct rooms, members decide about roles. Administrators have no rights there. */
const isPublic = (room: string): boolean => !/^[pd]-/.test(room);

const ROLES: readonly Role[] = ['member', 'moderator', 'owner'];

/** `rooms`: suggestions from the user's list. Any other room can be typed. */
export function RoleForm({ api, user, rooms }: { api: AdminApi; user: string; rooms: readonly string[] }) {
  const words = useSection('console');
  const ask = useAsk();
  const [room, setRoom] = useState('');
  const [role, setRole] = useState<Role>('moderator');
  const [done, setDone] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    setDone('');
    const target = room.trim();
    ask({
      title: words.roleTitle(user, words.roomRoles[role], target),
      detail: words.roleDetails[role],
      act: words.setRole,
      run: () => api.setRole(target, user, role),
      problems: { conflict: words.roleConflict, not_found: words.roleNotFound },
      onDone: () => setDone(words.roleDone(words.roomRoles[role], target)),
    });
  };
  return (
    <form class="filters" data-testid="role-form" aria-label={words.setRole} onSubmit={submit}>
      <label class="console-field">
        <span>{words.room}</span>
        <input
          data-testid="role-room"
          list="rooms-of-user"
          autoComplete="off"
          spellcheck={false}
          aria-describedby="role-hint"
          required
          value={room}
          onInput={(event) => setRoom(event.currentTarget.value)}
        />
        <datalist id="rooms-of-user">
          {rooms.filter(isPublic).map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label class="console-field">
        <span>{words.roomRole}</span>
        <select data-testid="role-choice" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {words.roomRoles[one]}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="quiet-button" data-testid="set-role" disabled={room.trim() === ''}>
        {words.setRole}
      </button>
      <p class="hint" id="role-hint">
        {words.roleHint}
      </p>
      <p role="status">{done}</p>
    </form>
  );
}
