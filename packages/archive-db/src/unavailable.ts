/** Errors for callers when PostgreSQL is not usable. */
import pg from 'pg';

/**
 * - `timeout`: no answer in time, also because every connection of the pool was in use
 * - `connection`: the server refused or closed the connection
 * - `read_only`: a write reached a server that only reads, such as a replica
 * - `busy`: too many callers wait for a connection already
 * - `other`: the server reported an error
 */
export type UnavailableKind = 'timeout' | 'connection' | 'read_only' | 'busy' | 'other';

export class ArchiveUnavailable extends Error {
  override name = 'ArchiveUnavailable';
  readonly kind: UnavailableKind;
  /** The SQLSTATE, if the server reported an error. */
  readonly code: string | undefined;

  constructor(kind: UnavailableKind, message: string, code?: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** query_canceled, idle_in_transaction_session_timeout, lock_not_available */
const TIMEOUT_CODES = ['57014', '25P03', '55P03'];
/** Connection exceptions, shutdown and start of the server, too many connections. */
const CONNECTION_CODE = /^(08|57P|53300)/;
const READ_ONLY_CODE = '25006';

/** Classes of errors whose messages name tables, roles or hosts, but never a value. */
const SAFE_CLASSES = ['08', '25', '28', '3D', '40', '53', '55', '57'];

/** Other messages of the server may contain a value, which may be the text of a message. */
export function unavailableOf(error: unknown): ArchiveUnavailable {
  if (error instanceof ArchiveUnavailable) return error;
  if (!(error instanceof pg.DatabaseError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new ArchiveUnavailable(/time(d )?out/i.test(message) ? 'timeout' : 'connection', message);
  }
  const { code = '', message } = error;
  const detail = SAFE_CLASSES.includes(code.slice(0, 2)) ? `: ${message}` : '';
  return new ArchiveUnavailable(kindOf(code), `PostgreSQL reported ${code}${detail}`, code);
}

function kindOf(code: string): UnavailableKind {
  if (TIMEOUT_CODES.includes(code)) return 'timeout';
  if (CONNECTION_CODE.test(code)) return 'connection';
  return code === READ_ONLY_CODE ? 'read_only' : 'other';
}
