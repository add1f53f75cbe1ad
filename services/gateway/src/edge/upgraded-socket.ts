/**
 * What ws creates for an upgraded socket, until Engine.IO creates a `WebSocketTransport` for it:
 * see `engine-takeover.ts`.
 */
import type { Socket } from 'node:net';
import { CLOSE_CODE, closeFrame } from './websocket/frames.ts';

/** A peer that does not close its side or does not read is dropped after this time. */
export const CLOSE_WAIT_MS = 30_000;

const NO_ADDRESS = { remoteAddress: '' };

export class UpgradedSocket {
  socket: Socket | undefined;
  messageBytesMax = 0;
  /**
   * Engine.IO reads the peer's address here for `handshake.address`. It is unused, and finding it
   * costs a system call.
   */
  readonly _socket = NO_ADDRESS;

  /** Called by ws. */
  setSocket(socket: Socket, head: Buffer, options: { maxPayload: number }): void {
    this.socket = socket;
    this.messageBytesMax = options.maxPayload;
    socket.on('error', ignore);
    // ws would also call `setNoDelay`, which Node's HTTP server has already done.
    socket.setTimeout(0);
    if (head.length > 0) socket.unshift(head);
  }

  /** Called by Engine.IO if the session is gone or already has another transport. */
  close(): void {
    const { socket } = this;
    if (socket === undefined) return;
    const timer = setTimeout(destroy, CLOSE_WAIT_MS, socket);
    socket.once('close', () => clearTimeout(timer));
    // Read and drop further input: a socket that is not read does not notice its end.
    socket.resume().end(closeFrame(CLOSE_CODE.noneGiven));
  }

  // Engine.IO listens for errors until there is a transport. All errors are the socket's.
  on(): void {}
  removeListener(): void {}
}

export function destroy(socket: Socket): void {
  socket.destroy();
}

function ignore(): void {}
