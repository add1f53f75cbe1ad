/** What a run reports beyond k6's own metrics. Names are public: thresholds, dashboards and reports use them. */
import { Counter, Rate, Trend } from 'k6/metrics';

/** From just before a send to the arrival of the entry at each member, the sender included, in milliseconds of one clock. */
export const deliveryLatency = new Trend('delivery_latency', true);
/** From just before a send to its acknowledgement, in milliseconds; only of messages that were sent once. */
export const ackLatency = new Trend('ack_latency', true);
/** From dialling to the `session` event, in milliseconds. */
export const openLatency = new Trend('open_latency', true);
/** From dialling again to the last entry that was missed, in milliseconds. */
export const resumeLatency = new Trend('resume_latency', true);

/** Latencies that were as in an earlier phase of the run, see `tolerance.ts`. */
export const deliveryHeld = new Rate('delivery_held');

export const messagesSent = new Counter('messages_sent');
/** Of messages that were sent once. */
export const messagesAcknowledged = new Counter('messages_acknowledged');
/** Entries that came, counted at each member. */
export const messagesDelivered = new Counter('messages_delivered');

export const messagesMissing = new Counter('messages_missing');
/** Came twice, or stored twice. */
export const messagesDuplicated = new Counter('messages_duplicated');
export const messagesOutOfOrder = new Counter('messages_out_of_order');
/** Came, and the history holds something else or nothing under that number; or stored, and nobody sent it. */
export const messagesMismatched = new Counter('messages_mismatched');
/** Sent, and at the end neither acknowledged nor refused, however often they were sent again. */
export const messagesUnresolved = new Counter('messages_unresolved');
/** Acknowledged, and not in the history under the number that was told. */
export const acknowledgedLost = new Counter('acknowledged_lost');

/** Connections that resumed and had everything. */
export const resumes = new Counter('resumes');
/** Rooms of resumes that left a hole, tagged with `reason`. */
export const resumesUnrecovered = new Counter('resumes_unrecovered');

/** Requests that were not answered with `ok: true`, tagged with `event` and `code`. */
export const ackErrors = new Counter('ack_errors');
/** Connections that did not open, or that ended without being asked to, tagged with `reason`. */
export const connectionErrors = new Counter('connection_errors');
/** Members whose journals were audited to the end: the proof that the zeros above were counted and not merely absent. */
export const membersAudited = new Counter('members_audited');
