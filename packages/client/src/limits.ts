/** Every limit of the client, with its default. Hosts may change each. The README lists them. */
export interface ClientLimits {
  /**
   * While connecting: an attempt ends after this time without a byte from the server. The next one
   * gets twice as long.
   */
  connectTimeoutMs: number;
  /** If `getToken` does not settle in this time, it counts as failed and is called again. */
  tokenTimeoutMs: number;
  /** If a request has no answer for this time, the client probes the connection. */
  probeAfterMs: number;
  /** If a probe brings no byte from the server for this time, the connection ends. */
  probeTimeoutMs: number;
  /**
   * The same after `online` and `retryNow`. It is shorter, because the network has changed and the
   * path is probably gone.
   */
  onlineProbeTimeoutMs: number;
  /** An unanswered probe ends the connection after this time, even if other packets arrive. */
  probeTimeoutMaxMs: number;
  /** A request fails this long after the answer to a later probe. The server answers in order. */
  requestTimeoutMs: number;
  /** A message without an answer for this time makes the state `late`. */
  lateAfterMs: number;
  /**
   * While an attempt to connect hangs after other attempts failed: how often the client checks
   * whether the server is reachable.
   */
  reachEveryMs: number;
  /** How long to avoid WebSocket after a WebSocket hung and polling worked. */
  pollingForMs: number;
  /** If the known head of a room does not arrive within this time, the log is read. */
  catchUpMs: number;
  /** A retryable message fails this long after it was sent, retried or loaded. Null means never. */
  giveUpAfterMs: number | null;
}

export const DEFAULT_LIMITS: ClientLimits = {
  connectTimeoutMs: 8_000,
  tokenTimeoutMs: 10_000,
  // Longer than the server's deadline of one second, so that a slow store causes no probe.
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

/** The defaults, overridden by the options. */
export const limitsOf = (options: Partial<ClientLimits>): ClientLimits => {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as Array<keyof ClientLimits>) {
    const value = options[name];
    if (value !== undefined) Object.assign(limits, { [name]: value });
  }
  return limits;
};
