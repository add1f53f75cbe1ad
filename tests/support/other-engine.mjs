/**
 * Loaded into a gateway (`--import`): an Engine.IO that makes its transports otherwise than the
 * gateway expects, as another version of it might.
 */
import { createRequire } from 'node:module';

const { Server } = createRequire(createRequire(import.meta.url).resolve('socket.io'))('engine.io');
const { handshake, createTransport } = Server.prototype;
Server.prototype.handshake = function otherwise(/** @type {unknown[]} */ ...args) {
  this.createTransport = createTransport;
  return handshake.apply(this, args);
};
