/** Why this version of Redis cannot be used, from the output of `--version`. Null if it can. */
export function whyNotThisRedis(versionText: string): string | null {
  const match = /(Redis|Valkey) server v=(\d+)\.(\d+)/i.exec(versionText);
  if (match === null) return null;
  if (Number(match[2]) >= 7) return null;
  return `${match[1]} ${match[2]}.${match[3]} is too old: sharded pub/sub needs Redis 7.0, or Valkey`;
}
