/** I6: presence shows exactly the users who are connected and have joined the room. Pure. */

const NAMED_MAX = 5;

export function checkPresence(
  connected: ReadonlySet<string>,
  shown: { count: number; users?: ReadonlyArray<{ id: string }> },
): string[] {
  const violations: string[] = [];
  if (shown.count !== connected.size)
    violations.push(`I6: presence counts ${shown.count}, and ${connected.size} are connected`);
  if (shown.users === undefined) return violations;
  const ids = shown.users.map(({ id }) => id);
  const ghosts = ids.filter((id) => !connected.has(id));
  const absent = [...connected].filter((id) => !ids.includes(id));
  if (ghosts.length > 0) violations.push(`I6: ghosts: ${ghosts.slice(0, NAMED_MAX).join(', ')}`);
  if (absent.length > 0) violations.push(`I6: not shown: ${absent.slice(0, NAMED_MAX).join(', ')}`);
  if (new Set(ids).size !== ids.length) violations.push('I6: a user is shown twice');
  return violations;
}
