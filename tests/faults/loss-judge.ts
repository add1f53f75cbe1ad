/** Judges what a fault cost clients in connections: how many, and how long until they had new ones. Pure. */

export interface Losses {
  user: string;
  /** Connections that it lost so far, before the fault and after it. */
  before: number;
  after: number;
}

/** No client may lose its connection more than `most` times. */
export function judgeLosses(losses: readonly Losses[], most: number): string[] {
  const often = losses.filter(({ before, after }) => after - before > most);
  if (often.length === 0) return [];
  return [`I5: ${often.length} clients lost their connection more than ${most} times: ${often[0]?.user}`];
}

/** The slowest client, its own pauses not counted, has to be back within so many milliseconds. */
export function judgeBack(slowestMs: number, withinMs: number): string[] {
  if (slowestMs <= withinMs) return [];
  return [`I5: a client was back ${Math.round(slowestMs)} ms after its own pauses`];
}
