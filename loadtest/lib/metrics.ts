/**
 * The metrics of a run, beyond k6's own. The names are public: thresholds, dashboards and reports
 * use them.
 */
import { Counter, Rate, Trend } from 'k6/metrics';

/**
 * From just before a send to the arrival of the entry at each member, the sender included, in
 * milliseconds.
 */
export const deliveryLatency = new Trend('delivery_latency', true);
/**
 * From just before a send to its acknowledgement, in milliseconds. Only messages that were sent
 * once.
 */
export const ackLatency = new Trend('ack_latency', true);
/** From an act (an edit, a reaction, a read …) to its acknowledgement, tagged with `act`. */
export const actLatency = new Trend('act_latency', true);
/** From the start of a connection to its `session` event, in milliseconds. */
export const openLatency = new Trend('open_latency', true);
/** From the start of a new connection to the last missed entry, in milliseconds. */
export const resumeLatency = new Trend('resume_latency', true);

/** The rate of latencies within the tolerance of an earlier phase (`tolerance.ts`). */
export const deliveryHeld = new Rate('delivery_held');

export const messagesSent = new Counter('messages_sent');
/** Only messages that were sent once. */
export const messagesAcknowledged = new Counter('messages_acknowledged');
/** Received entries, counted at each member. */
export const messagesDelivered = new Counter('messages_delivered');

export const messagesMissing = new Counter('messages_missing');
/** Received twice or stored twice. */
export const messagesDuplicated = new Counter('messages_duplicated');
export const messagesOutOfOrder = new Counter('messages_out_of_order');
/** Received with content that differs from the history, or stored although no client sent it. */
export const messagesMismatched = new Counter('messages_mismatched');
/** Neither acknowledged nor refused at the end, after all retries. */
export const messagesUnresolved = new Counter('messages_unresolved');
/** Acknowledged, but not in the history under the acknowledged seq. */
export const acknowledgedLost = new Counter('acknowledged_lost');

/** Acts that were sent once, tagged with `act`. */
export const actsAcknowledged = new Counter('acts_acknowledged');
/** Messages whose view differs from a fresh read. */
export const viewsDiffering = new Counter('views_differing');
/** Wrong counts of unread messages and mentions, and read positions that went back. */
export const countsWrong = new Counter('counts_wrong');
/** Acts that were refused as `not_found` although their message was not deleted. */
export const actsRefused = new Counter('acts_refused');

/** Connections that resumed and received everything. */
export const resumes = new Counter('resumes');
/** Resumed rooms with a declared gap, tagged with `reason`. */
export const resumesUnrecovered = new Counter('resumes_unrecovered');

/** Requests without an `ok: true` answer, tagged with `event` and `code`. */
export const ackErrors = new Counter('ack_errors');
/** Connections that did not open or that ended by themselves, tagged with `reason`. */
export const connectionErrors = new Counter('connection_errors');
/** Members whose check was complete. It proves that the zeros above were counted. */
export const membersAudited = new Counter('members_audited');
