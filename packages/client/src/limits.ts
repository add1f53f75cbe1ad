/** Every limit of the client, with its default. Hosts may change each. The README lists them. */
export interface ClientLimits {
  /**
   * While connecting: time without a byte from the server before the try ends. Then twice as long.
   */
  connectTimeoutMs: number;
  /** `getToken` counts as failed, and is called again, if it does not settle in this time. */
  tokenTimeoutMs: number;
  /** A request without an answer for this time makes the client probe the connection. */
  probeAfterMs: number;
  /** A probe without any byte from the server for this time ends the connection. */
  probeTimeoutMs: number;
  /**
   * The same after `online` and `retryNow`: the network has changed, so the path is probably gone.
   */
  onlineProbeTimeoutMs: number;
  /** An unanswered probe ends the connection after this time, even if other packets arrive. */
  probeTimeoutMaxMs: number;
  /** A request fails this long after the answer to a later probe. The server answers in order. */
  requestTimeoutMs: number;
  /** A message without an answer for this time makes the state `late`. */
  lateAfterMs: number;
  /**
   * While a try to connect hangs after others failed: the server is asked this often whether it can
   * be reached.
   */
  reachEveryMs: number;
  /** After a WebSocket that hung, and a polling connection that works: time without WebSocket. */
  pollingForMs: number;
  /** A room whose known head does not arrive makes no progress for this time: its log is read. */
  catchUpMs: number;
  /** A retryable message fails this long after it was sent, retried or loaded. Null: never. */
  giveUpAfterMs: number | null;
}

export const DEFAULT_LIMITS: ClientLimits = {
  connectTimeoutMs: 8_000,
  tokenTimeoutMs: 10_000,
  // Above the server's deadline of one second, so that a slow store causes no probe.
  probeAfterMs: 2_500,
  probeTimeoutMs: 5_000,
  onlineProbeTimeoutMs: 1_500,
  probeTimeoutMaxMs: 30_000,
  requestTimeoutMs: 5_000,
  lateAfterMs: 3_000,
  reachEveryMs: 4_000,
  pollingForMs: 600_000,
  catchUpMs: 5_000,
  giveUpAfterMs: null,
};

/** The defaults, with those that the options have. */
export const limitsOf = (options: Partial<ClientLimits>): ClientLimits => {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as Array<keyof ClientLimits>) {
    const value = options[name];
    if (value !== undefined) Object.assign(limits, { [name]: value });
  }
  return limits;
};
