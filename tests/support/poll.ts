/** Waiting for a condition instead of for time. */
export { poll, sleep } from '@maru/service-kit/testing';
