/** The request with which a client starts a WebSocket. */
export const upgradeRequest = ({
  path = '/socket.io/?EIO=4&transport=websocket',
  origin,
}: {
  path?: string;
  origin?: string;
} = {}): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');
