/** Counters of delivery. */
export interface DeliveryMetrics {
  resumeRead(): void;
  delivered(members: number): void;
  /** See `RoomOptions.onAnnounced`. */
  announced(ts: number): void;
  backfill(): void;
  malformed(): void;
}
