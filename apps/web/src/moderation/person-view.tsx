/** Acts on one person, and the report of one message. Offers what the own role allows. */
import { type ActCase, mayDo } from '@maru/client';
import type { Message } from '@maru/client/conversation';
import type { Role } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';
import { MessageActions } from '../conversation/message-actions.tsx';
import { Outcome, ReasonField, Section, textOf } from './fields.tsx';
import { SanctionForm } from './sanction-form.tsx';
import type { PersonViewProps, ViewProps } from './target.ts';
import { useAct, useModerationWords } from './use-act.ts';

/** Pages of members that are read to find one person's role: a room has 5,000 at most. */
const MEMBER_PAGES_MAX = 25;

async function roleOf({ client, store }: ViewProps, user: string): Promise<Role> {
  let cursor: string | undefined;
  for (let page = 0; page < MEMBER_PAGES_MAX; page++) {
    const request = { limit: 200, ...(cursor === undefined ? {} : { cursor }) };
    const { members, cursor: next } = await client.moderation.members(store.room, request);
    const found = members.find((member) => member.user === user);
    if (found !== undefined) return found.role;
    if (next === undefined) break;
    cursor = next;
  }
  return 'member';
}

/** The person's role, read only if the own role may allow an act. */
function useTargetCase(props: PersonViewProps): { actCase: ActCase; isLoading: boolean } {
  const { details, ownId, user } = props;
  const [targetRole, setRole] = useState<Role | null>(null);
  const isSelf = user.id === ownId;
  const needsRole = details.role !== 'member' && !isSelf;
  useEffect(() => {
    if (!needsRole) return;
    let isWanted = true;
    // Without an answer the person counts as a member. The server decides.
    const found = roleOf(props, user.id).catch((): Role => 'member');
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
  const words = useModerationWords();
  const { user, message, ownId } = props;
  const { actCase, isLoading } = useTargetCase(props);
  const allows = (act: 'kick' | 'mute' | 'ban' | 'role') => !isLoading && mayDo(act, actCase);
  const sanctions = (['kick', 'mute', 'ban'] as const).filter(allows);
  const isOwn = user.id === ownId;
  const rest = (
    <>
      <p class="hint sheet-id">
        {isOwn ? words.yourId : words.userId}: <code>{user.id}</code>
      </p>
      {isLoading && <p class="hint">{words.loading}</p>}
      {sanctions.length > 0 && <SanctionForm {...props} acts={sanctions} />}
      {allows('role') && <RoleForm {...props} now={actCase.targetRole ?? 'member'} />}
      {message !== null && message.deleted === null && mayDo('report', actCase) && (
        // Moderators act themselves and seldom report.
        <Section
          key={String(isLoading)}
          title={words.reportTitle}
          testId="section-report"
          isOpen={!isLoading && sanctions.length === 0}
        >
          <ReportForm {...props} message={message} />
        </Section>
      )}
    </>
  );
  if (message === null) return rest;
  return (
    <MessageActions {...props} message={message}>
      {!isOwn && rest}
    </MessageActions>
  );
}

function ReportForm({ client, store, message }: PersonViewProps & { message: Message }) {
  const words = useModerationWords();
  const { state, run } = useAct();
  const submit = (event: Event) => {
    event.preventDefault();
    const reason = textOf(event.currentTarget as HTMLFormElement, 'reason');
    if (reason !== '') void run(() => client.moderation.report(store.room, message.seq, reason));
  };
  return (
    <form class="sheet-form" data-testid="report-form" onSubmit={submit}>
      <ReasonField id="report-reason" label={words.reportReason} isRequired />
      <div class="sheet-submit">
        <button type="submit" class="primary-button" disabled={state.kind === 'busy' || state.kind === 'done'}>
          {words.reportSend}
        </button>
        <Outcome state={state} done={words.reported} />
      </div>
    </form>
  );
}

const RANKS: readonly Role[] = ['member', 'moderator', 'owner'];

function RoleForm(props: PersonViewProps & { now: Role }) {
  const { client, store, details, user, ownId, now, onClose } = props;
  const words = useModerationWords();
  const { state, run } = useAct();
  // One may give up a role, not take one.
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
            {words.roles[role]}
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
