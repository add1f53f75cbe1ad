/** A masked frame, as clients send it. */
export function masked(
  opcode: number,
  payload: Buffer | string,
  options: { fin?: boolean; mask?: Buffer } = {},
): Buffer {
  const { fin = true, mask = Buffer.from([0x12, 0x34, 0x56, 0x78]) } = options;
  const bytes = Buffer.from(payload);
  const header = [(fin ? 0x80 : 0) | opcode];
  if (bytes.length <= 125) header.push(0x80 | bytes.length);
  else if (bytes.length <= 65_535) header.push(0x80 | 126, bytes.length >> 8, bytes.length & 255);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    header.push(0x80 | 127, ...length);
  }
  return Buffer.concat([Buffer.from(header), mask, bytes.map((byte, index) => byte ^ (mask[index & 3] as number))]);
}
