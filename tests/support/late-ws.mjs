/** Loaded into a gateway (`--import`): a ws that sends a turn later than the one that the gateway knows, as another version of it might. */
import { createRequire } from 'node:module';

const { Sender } = createRequire(createRequire(import.meta.url).resolve('engine.io'))('ws');
const send = Sender.prototype.send;
Sender.prototype.send = function later(/** @type {unknown[]} */ ...args) {
  setImmediate(() => send.apply(this, args));
};
