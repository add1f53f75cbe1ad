/** Compares the frame reader with ws, for random frames in random chunks. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { FrameReader } from './frame-reader.ts';
import { OPCODE } from './frames.ts';
import { masked } from './testing/client-frames.ts';

const BYTES_MAX = 1_000;

/**
 * What was read, in order: texts, binaries, pings, a close, a violation by the code to close with.
 */
type Seen = unknown[][];

function readHere(chunks: Buffer[]): Seen {
  const seen: Seen = [];
  const reader = new FrameReader(BYTES_MAX);
  const sink = {
    receivedText: (text: string) => seen.push(['text', text]),
    receivedBinary: (bytes: Buffer) => seen.push(['binary', bytes.toString('hex')]),
    receivedPing: (payload: Buffer) => seen.push(['ping', payload.toString('hex')]),
    receivedClose: (code: number, reason: string) => seen.push(['close', code, reason]),
    receivedViolation: (code: number) => seen.push(['violation', code]),
  };
  // The reader changes its input, so each reader gets a copy.
  for (const chunk of chunks) reader.read(Buffer.from(chunk), sink);
  return seen;
}

interface WsReceiver {
  on(event: string, listener: (...args: never[]) => void): this;
  write(chunk: Buffer): void;
}
const require = createRequire(import.meta.url);
const { Receiver } = require('ws') as { Receiver: new (options: object) => WsReceiver };

function readByWs(chunks: Buffer[]): Seen {
  const seen: Seen = [];
  let ended = false;
  const receiver = new Receiver({ isServer: true, maxPayload: BYTES_MAX, extensions: {} });
  receiver
    .on('message', (data: Buffer, isBinary: boolean) => {
      seen.push(isBinary ? ['binary', data.toString('hex')] : ['text', data.toString()]);
    })
    .on('ping', (data: Buffer) => seen.push(['ping', data.toString('hex')]))
    .on('conclude', (code: number, reason: Buffer) => {
      ended = true;
      seen.push(['close', code, reason.toString()]);
    })
    .on('error', () => {});
  // ws emits errors one turn later than messages, so take them at their source.
  const { createError } = receiver as unknown as { createError(...args: unknown[]): Error };
  Object.assign(receiver, {
    createError(...args: unknown[]) {
      ended = true;
      seen.push(['violation', args[3]]);
      return createError.apply(receiver, args);
    },
  });
  for (const chunk of chunks) if (!ended) receiver.write(Buffer.from(chunk));
  return seen;
}

const text = (payload: string | Buffer, options = {}) => masked(OPCODE.text, payload, options);
const close = (code: number, reason: string | Buffer = '') => {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return masked(OPCODE.close, Buffer.concat([payload, Buffer.from(reason)]));
};
/** Changes the first two bytes of a frame. */
const changed = (frame: Buffer, change: (bytes: Buffer) => void) => {
  change(frame);
  return frame;
};

const cases: Record<string, { frames: Buffer[]; seen: Seen }> = {
  'a text': { frames: [text('안녕 🙂')], seen: [['text', '안녕 🙂']] },
  'an empty text': { frames: [text('')], seen: [['text', '']] },
  'a binary': { frames: [masked(OPCODE.binary, 'ab')], seen: [['binary', '6162']] },
  'a text as large as may be': { frames: [text('x'.repeat(BYTES_MAX))], seen: [['text', 'x'.repeat(BYTES_MAX)]] },
  'a text that is larger': { frames: [text('x'.repeat(BYTES_MAX + 1))], seen: [['violation', 1009]] },
  'fragments that are larger together': {
    frames: [text('x'.repeat(BYTES_MAX), { fin: false }), masked(OPCODE.continuation, 'x')],
    seen: [['violation', 1009]],
  },
  'a length of more than a number holds': {
    frames: [Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(8, 0xff)])],
    seen: [['violation', 1009]],
  },
  'fragments with a ping between them, through a letter': {
    frames: [
      text(Buffer.from('한').subarray(0, 1), { fin: false }),
      masked(OPCODE.ping, 'p'),
      masked(OPCODE.continuation, Buffer.from('한').subarray(1), { fin: false }),
      masked(OPCODE.continuation, ''),
      text('next'),
    ],
    seen: [
      ['ping', '70'],
      ['text', '한'],
      ['text', 'next'],
    ],
  },
  'a pong without a ping': { frames: [masked(OPCODE.pong, 'p'), text('next')], seen: [['text', 'next']] },
  'a text that is not UTF-8': { frames: [text(Buffer.from([0xc3, 0x28]))], seen: [['violation', 1007]] },
  'half a surrogate': { frames: [text(Buffer.from([0xed, 0xa0, 0x80]))], seen: [['violation', 1007]] },
  'a frame that is not masked': { frames: [Buffer.from([0x81, 1, 0x61])], seen: [['violation', 1002]] },
  'a reserved bit': { frames: [changed(text('x'), (bytes) => bytes.writeUInt8(0xc1))], seen: [['violation', 1002]] },
  'an unknown opcode': { frames: [masked(3, 'x')], seen: [['violation', 1002]] },
  'an unknown control opcode': { frames: [masked(11, 'x')], seen: [['violation', 1002]] },
  'a continuation of nothing': { frames: [masked(OPCODE.continuation, 'x')], seen: [['violation', 1002]] },
  'a message within another': { frames: [text('x', { fin: false }), text('y')], seen: [['violation', 1002]] },
  'a ping in fragments': { frames: [masked(OPCODE.ping, 'x', { fin: false })], seen: [['violation', 1002]] },
  'a ping that is too long': { frames: [masked(OPCODE.ping, 'x'.repeat(126))], seen: [['violation', 1002]] },
  'a close without a code, and what comes behind it': {
    frames: [masked(OPCODE.close, ''), text('late')],
    seen: [['close', 1005, '']],
  },
  'a close with a reason': { frames: [close(1_000, '안녕')], seen: [['close', 1000, '안녕']] },
  'a close with half a code': { frames: [masked(OPCODE.close, 'x')], seen: [['violation', 1002]] },
  'a close whose reason is not UTF-8': { frames: [close(1_000, Buffer.from([0xff]))], seen: [['violation', 1007]] },
};

describe('frames of a client, whole and byte by byte', () => {
  for (const [name, { frames, seen }] of Object.entries(cases)) {
    test(name, () => {
      const whole = Buffer.concat(frames);
      const bytes = Array.from(whole, (byte) => Buffer.from([byte]));
      for (const chunks of [[whole], frames, bytes]) {
        assert.deepEqual(readHere(chunks), seen);
        assert.deepEqual(readByWs(chunks), seen);
      }
    });
  }

  test('every close code', () => {
    for (let code = 0; code < 6_000; code++)
      assert.deepEqual(readHere([close(code)]), readByWs([close(code)]), `code ${code}`);
  });

  test('every first byte of a frame, with each kind of length, alone and in a fragmented message', () => {
    const lengths = [0, 1, 2, 125, 126, 127].flatMap((length) => [length, 0x80 | length]);
    for (let first = 0; first < 256; first++) {
      for (const second of lengths) {
        const frame = Buffer.concat([Buffer.from([first, second]), Buffer.alloc(140, 0x30)]);
        for (const chunks of [[frame], [text('x', { fin: false }), frame]]) {
          const ours = readHere(chunks);
          assert.deepEqual(ours, readByWs(chunks), `bytes ${first} and ${second}`);
        }
      }
    }
  });
});

test('random frames in random chunks', () => {
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const letters = ['a', 'é', '한', '🙂', '\u0000'];
  const words = (length: number) => Array.from({ length }, () => letters[random(letters.length)]).join('');
  const frame = (): Buffer[] => {
    const fin = random(3) > 0;
    const mask = Buffer.from([random(256), random(256), random(256), random(256)]);
    switch (random(12)) {
      case 0:
        return [masked(OPCODE.ping, words(random(20)), { mask })];
      case 1:
        return [masked(OPCODE.pong, words(random(20)), { mask })];
      case 2:
        return [masked(OPCODE.binary, words(random(100)), { mask })];
      case 3: {
        const bytes = Buffer.from(words(1 + random(150)));
        const cut = random(bytes.length);
        const rest = masked(OPCODE.continuation, bytes.subarray(cut), { mask });
        return [text(bytes.subarray(0, cut), { fin: false, mask }), rest];
      }
      case 4:
        return random(10) === 0 ? [masked(random(16), words(random(150)), { fin, mask })] : [text('z', { mask })];
      case 5:
        return random(20) === 0 ? [close(990 + random(40), words(random(10)))] : [];
      case 6:
        return random(20) === 0 ? [text(Buffer.from([random(256), random(256)]), { mask })] : [];
      default:
        return [text(words(random(random(10) === 0 ? 400 : 60)), { mask })];
    }
  };
  let messages = 0;
  for (let round = 0; round < 2_000; round++) {
    const whole = Buffer.concat(Array.from({ length: 1 + random(12) }, frame).flat());
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; ) {
      const size = 1 + random(random(3) === 0 ? 3 : 200);
      chunks.push(whole.subarray(at, at + size));
      at += size;
    }
    const ours = readHere(chunks);
    messages += ours.filter(([kind]) => kind === 'text').length;
    assert.deepEqual(ours, readByWs(chunks), `seed ${seed}, round ${round}`);
  }
  assert.ok(messages > 2_000, `seed ${seed}: ${messages} texts`);
});

test('reading a large message in tiny chunks takes linear time', () => {
  const bytes = 1_048_576;
  let copied = 0;
  const { copy } = Buffer.prototype;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    const count = copy.apply(this, args);
    copied += count;
    return count;
  } as typeof copy;
  try {
    const reader = new FrameReader(bytes);
    let received = 0;
    const sink = {
      receivedText: (message: string) => {
        received = message.length;
      },
      receivedBinary: () => assert.fail(),
      receivedPing: () => assert.fail(),
      receivedClose: () => assert.fail(),
      receivedViolation: () => assert.fail(),
    };
    const frame = text('x'.repeat(bytes));
    for (let at = 0; at < frame.length; at += 7) reader.read(frame.subarray(at, at + 7), sink);
    assert.equal(received, bytes);
  } finally {
    Buffer.prototype.copy = copy;
  }
  // Each byte is copied once when it arrives, and once or twice more as its buffer grows.
  assert.ok(copied < 4 * bytes, `${copied} bytes were copied`);
});
