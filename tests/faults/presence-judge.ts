/** Judges presence: I6, the room's users are those who are connected and have joined it. Pure. */

/** Names at most so many of each kind. */
const NAMED_MAX = 5;

export function judgePresence(
  connected: ReadonlySet<string>,
  shown: { count: number; users?: ReadonlyArray<{ id: string }> },
): string[] {
  const violations: string[] = [];
  if (shown.count !== connected.size)
    violations.push(`I6: presence counts ${shown.count}, and ${connected.size} are connected`);
  if (shown.users === undefined) return violations;
  const ids = shown.users.map(({ id }) => id);
  const ghosts = ids.filter((id) => !connected.has(id));
  const unseen = [...connected].filter((id) => !ids.includes(id));
  if (ghosts.length > 0) violations.push(`I6: ghosts: ${ghosts.slice(0, NAMED_MAX).join(', ')}`);
  if (unseen.length > 0) violations.push(`I6: not shown: ${unseen.slice(0, NAMED_MAX).join(', ')}`);
  if (new Set(ids).size !== ids.length) violations.push('I6: somebody is shown twice');
  return violations;
}
