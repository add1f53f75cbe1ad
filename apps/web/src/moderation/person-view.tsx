/** Acts on one person. Offers only those that the own role allows. */
import { type ActCase, mayDo } from '@maru/client';
import type { Role } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import { Outcome, textOf } from './fields.tsx';
import { roleOf } from './role-of.ts';
import { SanctionForm } from './sanction-form.tsx';
import type { PersonViewProps } from './target.ts';
import { useAct } from './use-act.ts';

/** The role of the person. It is read only if the own role may allow an act. */
function useTargetCase(props: PersonViewProps): { actCase: ActCase; isLoading: boolean } {
  const { details, ownId, user } = props;
  const [targetRole, setRole] = useState<Role | null>(null);
  const isSelf = user.id === ownId;
  const needsRole = details.role !== 'member' && !isSelf;
  useEffect(() => {
    if (!needsRole) return;
    let isWanted = true;
    // If the role cannot be read, assume a member. The server decides anyway.
    const found = roleOf(props.client, props.store.room, user.id).catch((): Role => 'member');
    void found.then((role) => isWanted && setRole(role));
    return () => {
      isWanted = false;
    };
  }, [user.id, needsRole]);
  const role = isSelf ? details.role : (targetRole ?? 'member');
  const actCase = { ownRole: details.role, targetRole: role, isSelf, visibility: details.visibility };
  return { actCase, isLoading: needsRole && targetRole === null };
}

export function PersonView(props: PersonViewProps) {
  const words = useSection('moderation');
  const people = useSection('conversation');
  const { user, ownId } = props;
  const { actCase, isLoading } = useTargetCase(props);
  const allows = (act: 'kick' | 'mute' | 'ban' | 'role') => !isLoading && mayDo(act, actCase);
  const sanctions = (['kick', 'mute', 'ban'] as const).filter(allows);
  const mayActOn = sanctions.length > 0 || allows('role');
  return (
    <>
      <p class="hint sheet-id">
        {user.id === ownId ? people.yourId : people.userId}: <code>{user.id}</code>
      </p>
      {isLoading && <p class="hint">{words.loading}</p>}
      {!isLoading && !mayActOn && user.id !== ownId && <p class="hint">{words.nothingAllowed}</p>}
      {sanctions.length > 0 && <SanctionForm {...props} acts={sanctions} />}
      {allows('role') && <RoleForm {...props} now={actCase.targetRole ?? 'member'} />}
    </>
  );
}

const RANKS: readonly Role[] = ['member', 'moderator', 'owner'];

function RoleForm(props: PersonViewProps & { now: Role }) {
  const { client, store, details, user, ownId, now, onClose } = props;
  const words = useSection('moderation');
  const people = useSection('conversation');
  const { state, run } = useAct();
  // A user can give up the own role but cannot raise it.
  const offered = user.id === ownId ? RANKS.slice(0, RANKS.indexOf(details.role) + 1) : RANKS;
  const submit = (event: Event) => {
    event.preventDefault();
    const role = textOf(event.currentTarget as HTMLFormElement, 'role') as Role;
    if (role === now) return onClose();
    void run(() => client.moderation.setRole(store.room, user.id, role)).then((isDone) => isDone && onClose());
  };
  return (
    <form class="sheet-form" data-testid="role-form" onSubmit={submit}>
      <fieldset class="choices">
        <legend>{words.role}</legend>
        {offered.map((role) => (
          <label key={role} class="choice">
            <input type="radio" name="role" value={role} defaultChecked={role === now} />
            {people.roles[role]}
          </label>
        ))}
      </fieldset>
      <div class="sheet-submit">
        <button type="submit" class="quiet-button" disabled={state.kind === 'busy'}>
          {words.setRole}
        </button>
        <Outcome state={state} done="" />
      </div>
    </form>
  );
}
