/**
 * The contract between gateways and the presence service: requests, answers, and the differences
 * that the service publishes on Redis. The contract is internal: clients never see it.
 *
 * A gateway holds a lease for its name. It begins an epoch (`sync`), reports its whole state, and
 * then reports changes. A report or a lease renewal extends the lease. After the lease ends, the
 * service removes the users of that gateway.
 *
 * The gateway MUST send the reports of an epoch in order, one at a time, and MUST repeat a report
 * unchanged until it is acknowledged. The service MUST treat a repetition as a success without
 * further effect. When it answers `resync`, the gateway MUST begin a new epoch.
 */
export * from './answers.ts';
export * from './diff-message.ts';
export * from './limits.ts';
export * from './requests.ts';
export * from './routes.ts';
