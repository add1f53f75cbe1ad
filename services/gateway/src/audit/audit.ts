/** Who did what to whom, when and why. Never the text of a message. */

export interface AuditEvent {
  action: string;
  by: string;
  user?: string;
  room?: string;
  seq?: number;
  role?: string;
  untilTs?: number;
  reason?: string;
  outcome?: string;
}

export interface Audit {
  record(event: AuditEvent): void;
}
