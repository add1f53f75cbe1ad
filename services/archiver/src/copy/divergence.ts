/** Finds the last entry that two logs with a common past share. */

/** `isSame` is true up to some seq and false above it. `low` is taken as the same. */
export async function lastCommon(
  low: number,
  high: number,
  isSame: (seq: number) => Promise<boolean>,
): Promise<number> {
  if (high <= low || (await isSame(high))) return high;
  let [same, different] = [low, high];
  while (different - same > 1) {
    const middle = Math.floor((same + different) / 2);
    if (await isSame(middle)) same = middle;
    else different = middle;
  }
  return same;
}
