/**
 * SHA-256 (FIPS 180-4). Pure.
 *
 * The browser has its own only where the page came over https or from this machine, and answers it later;
 * Jupyter is also served over plain http, and a change of a cell is one step.
 */

const BLOCK_BYTES = 64;

/** The digest of a text in UTF-8, hexadecimal. */
export function sha256(text: string): string {
  const message = padded(new TextEncoder().encode(text));
  const state = Uint32Array.from(INITIAL);
  for (let at = 0; at < message.byteLength; at += BLOCK_BYTES) {
    compress(state, new DataView(message.buffer, at, BLOCK_BYTES));
  }
  return [...state].map(word => word.toString(16).padStart(8, '0')).join('');
}

/** With a one bit behind it, zeros to the next block, and its length in bits. */
function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((bytes.length + 9) / BLOCK_BYTES);
  const message = new Uint8Array(blocks * BLOCK_BYTES);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setBigUint64(message.length - 8, BigInt(bytes.length) * 8n);
  return message;
}

function compress(state: Uint32Array, block: DataView): void {
  const schedule = new Uint32Array(64);
  const word = (index: number): number => schedule[index] ?? 0;
  for (let i = 0; i < 16; i++) {
    schedule[i] = block.getUint32(4 * i);
  }
  for (let i = 16; i < 64; i++) {
    const [early, late] = [word(i - 15), word(i - 2)];
    const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    schedule[i] = word(i - 16) + first + word(i - 7) + second;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice;
    const sum = (first + (CONSTANTS[i] ?? 0) + word(i)) | 0;
    const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
    [h, g, f, e] = [g, f, e, (d + sum) | 0];
    [d, c, b, a] = [c, b, a, (sum + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, index) => {
    state[index] = (state[index] ?? 0) + value;
  });
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits of the fraction of a root; doubles hold enough of it for these primes. */
function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32);
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every(prime => candidate % prime !== 0)) {
      found.push(candidate);
    }
  }
  return found;
}

const CONSTANTS = primes(64).map(prime => fraction(Math.cbrt(prime)));
const INITIAL = primes(8).map(prime => fraction(Math.sqrt(prime)));
