/**
 * Loaded into a gateway (`--import`): an Engine.IO that creates its transports differently than the
 * gateway expects, like another version might.
 */
import { createRequire } from 'node:module';

const { Server } = createRequire(createRequire(import.meta.url).resolve('socket.io'))('engine.io');
const { handshake, createTransport } = Server.prototype;
Server.prototype.handshake = function otherwise(/** @type {unknown[]} */ ...args) {
  this.createTransport = createTransport;
  return handshake.apply(this, args);
};
