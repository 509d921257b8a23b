import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Block, BlockHeader, parseBlockHash, Transaction } from '#primitives';
import { memoryByteSource } from '#store';
import { concatBytes, fromHex } from '#util';
import { readBlockFile, readBlockHeaders, type ScanItem, scanBlockFile } from '../../../src/chain/block-scan.ts';
import { sharedPath } from '../../support/shared.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const MAGIC = fromHex('fabfb5da');

/** A block that decodes; `padding` makes it longer. */
function makeBlock(nonce: number, padding = 0): Uint8Array {
  const header = BlockHeader.fromFields({
    version: 1,
    prevHash: parseBlockHash('00'.repeat(32)),
    merkleRoot: new Uint8Array(32),
    time: 0,
    bits: 0x207fffff,
    nonce,
  });
  const input = { prevTxid: new Uint8Array(32), prevIndex: 0xffffffff, scriptSig: Uint8Array.of(1, 1), sequence: 0 };
  const coinbase = Transaction.fromFields({
    version: 1,
    inputs: [{ ...input, witness: [] }],
    outputs: [{ value: 1n, scriptPubKey: new Uint8Array(padding).fill(0x51) }],
    lockTime: 0,
  });
  return Block.fromParts(header, [coinbase]).raw;
}

function framed(raw: Uint8Array, length = raw.length): Uint8Array {
  const frame = Buffer.alloc(8);
  frame.set(MAGIC);
  frame.writeUInt32LE(length, 4);
  return concatBytes(frame, raw);
}

async function scan(file: Uint8Array, from = 0): Promise<ScanItem[]> {
  return Array.fromAsync(scanBlockFile(memoryByteSource(file), MAGIC, from));
}

/** `nonce@offset` of blocks, `!offset reason` of gaps. */
function brief(items: readonly ScanItem[]): string[] {
  return items.map((item) =>
    item.kind === 'block' ? `${item.block.header.nonce}@${item.offset}` : `!${item.offset} ${item.reason}`,
  );
}

const A = makeBlock(1);
const B = makeBlock(2, 50);
const ZEROS = new Uint8Array(5000);

test('records one behind the other, with zeros before, between and behind', async () => {
  const second = 5000 + 8 + A.length;
  const items = await scan(concatBytes(ZEROS, framed(A), framed(B), ZEROS));
  assert.deepEqual(brief(items), ['1@5008', `2@${second + 8}`]);
  assert.deepEqual(items[1]?.kind === 'block' && items[1].block.raw, B);
  assert.deepEqual(await scan(new Uint8Array(0)), []);
  assert.deepEqual(await scan(ZEROS), []);
});

test('garbage is stepped over and reported once a gap', async () => {
  const garbage = concatBytes(new Uint8Array(10), Uint8Array.of(1, 2, 3), MAGIC, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  const items = await scan(concatBytes(framed(A), garbage, framed(B)));
  const end = 8 + A.length;
  assert.deepEqual(brief(items), [
    '1@8',
    `!${end + 10} bytes that belong to no record`,
    `2@${end + garbage.length + 8}`,
  ]);
});

test('a first byte of the magic in front of the magic does not hide it', async () => {
  const items = await scan(concatBytes(framed(A), MAGIC.subarray(0, 1), MAGIC.subarray(0, 3), framed(B)));
  assert.equal(brief(items).at(-1), `2@${8 + A.length + 4 + 8}`);
});

test('a record whose block does not decode is skipped whole', async () => {
  const bad = Uint8Array.from(B);
  bad[80] = 0xfe; // more transactions than there are bytes
  const items = await scan(concatBytes(framed(A), framed(bad), framed(B)));
  assert.equal(items.length, 3);
  assert.match(brief(items)[1] ?? '', /does not decode/);
  assert.equal(items[2]?.kind, 'block');
});

test('a record cut short by the end is reported, and searched for others', async () => {
  const cut = framed(B).subarray(0, 100);
  assert.match(brief(await scan(concatBytes(framed(A), cut)))[1] ?? '', /cut short/);
  const inside = brief(await scan(concatBytes(framed(A), framed(B.subarray(0, 90), 3_000_000), framed(A))));
  assert.deepEqual([inside[0], inside[2]], ['1@8', `1@${8 + A.length + 98 + 8}`]);
  assert.match(inside[1] ?? '', /3000000 bytes is cut short/);
  for (const length of [4, 5, 7]) {
    assert.match(brief(await scan(concatBytes(framed(A), framed(B).subarray(0, length))))[1] ?? '', /cut short/);
  }
});

test('a frame that claims more than its block is taken as Core takes it', async () => {
  const slack = Uint8Array.of(0, 0, 0, 0);
  const items = await scan(concatBytes(framed(concatBytes(A, slack)), framed(B)));
  assert.deepEqual(brief(items), ['1@8', `2@${8 + A.length + 4 + 8}`]);
  assert.deepEqual(items[0]?.kind === 'block' && items[0].block.raw, A);
});

test('lengths outside 80 to 4,000,000 are no records', async () => {
  for (const length of [0, 79, 4_000_001, 0xffffffff]) {
    const items = brief(await scan(concatBytes(framed(A, length), framed(B))));
    assert.deepEqual(items, [`!0 a record of ${length} bytes is no block`, `2@${8 + A.length + 8}`]);
  }
});

test('a file of another network says so', async () => {
  const items = await Array.fromAsync(scanBlockFile(memoryByteSource(framed(A)), fromHex('f9beb4d9')));
  assert.deepEqual(brief(items), ['!0 no block with the magic f9beb4d9 of this network']);
});

test('a scan begins at the given offset', async () => {
  const items = await scan(concatBytes(framed(A), framed(B)), 8 + A.length);
  assert.deepEqual(brief(items), [`2@${8 + A.length + 8}`]);
});

test('blocks and magics across the edge of the window are found', async () => {
  // The window holds a mebibyte and is searched in halves; a block may be larger than it.
  const large = makeBlock(7, 3_900_000);
  for (const shift of [1, 3, 7, 2 ** 19 + 2]) {
    const before = new Uint8Array(2 ** 20 - shift);
    const items = brief(await scan(concatBytes(before, framed(A), framed(large), framed(large), framed(B))));
    assert.deepEqual(
      items.map((item) => item.split('@')[0]),
      ['1', '7', '7', '2'],
      `shift ${shift}`,
    );
  }
});

test('every whole record is found in any mixture, unless garbage in front claims it', async () => {
  const piece = fc.oneof(
    fc.nat({ max: 200 }).map((padding) => framed(makeBlock(9, padding))),
    fc.nat({ max: 40 }).map((length) => new Uint8Array(length)),
    fc.uint8Array({ maxLength: 40, max: 0xf9 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const expected: string[] = [];
      let offset = 0;
      for (const bytes of pieces) {
        if (bytes.length > 80) expected.push(`9@${offset + 8}`);
        offset += bytes.length;
      }
      const items = await scan(concatBytes(...pieces));
      assert.deepEqual(
        brief(items).filter((line) => !line.startsWith('!')),
        expected,
      );
    }),
  );
});

test('raw blocks without frames are recognised, alone and in a row', async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, 'blocks.raw');
  await writeFile(path, A);
  assert.deepEqual(brief(await Array.fromAsync(readBlockFile(path, MAGIC))), ['1@0']);
  await writeFile(path, concatBytes(A, B, A, Uint8Array.of(1, 2, 3)));
  const items = brief(await Array.fromAsync(readBlockFile(path, MAGIC)));
  assert.deepEqual(items.slice(0, 3), ['1@0', `2@${A.length}`, `1@${A.length + B.length}`]);
  assert.match(items[3] ?? '', new RegExp(`^!${2 * A.length + B.length} the block does not decode`));
});

test('files masked with xor.dat, as Core writes them since 28, are read', async () => {
  await using dir = await makeTempDir();
  const key = fromHex('0123456789abcdef');
  const plain = concatBytes(framed(A), framed(B));
  const masked = plain.map((byte, i) => byte ^ (key[i % 8] ?? 0));
  const path = join(dir.path, 'blk00000.dat');
  await writeFile(path, masked);
  assert.match(brief(await Array.fromAsync(readBlockFile(path, MAGIC)))[0] ?? '', /no block with the magic/);
  await writeFile(join(dir.path, 'xor.dat'), key);
  assert.equal((await Array.fromAsync(readBlockFile(path, MAGIC))).length, 2);
});

test('a missing file and a folder are errors of one line', async () => {
  await using dir = await makeTempDir();
  const missing = join(dir.path, 'missing.dat');
  await assert.rejects(Array.fromAsync(readBlockFile(missing, MAGIC)), { name: 'NodeError', code: 'IO' });
  await assert.rejects(Array.fromAsync(readBlockFile(dir.path, MAGIC)), { code: 'IO', message: /no regular file/ });
});

test('the real files of Bitcoin mainnet', async (t) => {
  const magic = fromHex('f9beb4d9');
  const early = sharedPath('data/mainnet-0-4312.dat');
  const raw = sharedPath('data/mainnet-413567.raw');
  if (early === undefined || raw === undefined) {
    t.skip('shared/data is absent');
    return;
  }
  const items = await Array.fromAsync(readBlockFile(early, magic));
  assert.equal(items.length, 4313);
  const last = items.at(-1);
  assert.ok(last?.kind === 'block');
  assert.equal(last.block.hash, '00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863');
  const [only] = await Array.fromAsync(readBlockFile(raw, magic));
  assert.equal(only?.kind === 'block' && only.block.transactions.length, 1557);
});

test('the headers of a file are those of its records, gaps or not, masked or not', async () => {
  await using dir = await makeTempDir();
  const gaps = fc.oneof(
    fc.constant(new Uint8Array(0)),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(new Uint8Array(600_000)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(gaps, { minLength: 1, maxLength: 6 }), fc.boolean(), async (all, isMasked) => {
      const records = all.flatMap((gap, nonce) => [gap, framed(makeBlock(nonce, nonce * 100))]);
      const bytes = concatBytes(...records, MAGIC);
      const key = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).map((byte) => (isMasked ? byte : 0));
      await writeFile(join(dir.path, 'xor.dat'), key);
      const path = join(dir.path, 'blk00000.dat');
      await writeFile(path, isMasked ? bytes.map((byte, at) => byte ^ (key[at & 7] ?? 0)) : bytes);
      const hashes = [];
      for await (const header of readBlockHeaders(path, MAGIC)) hashes.push(header.hash);
      assert.deepEqual(
        hashes,
        all.map((_, nonce) => new Block(makeBlock(nonce, nonce * 100)).hash),
      );
    }),
    { numRuns: 30 },
  );
});

test('an empty file and one of raw blocks have no headers to read', async () => {
  await using dir = await makeTempDir();
  for (const bytes of [new Uint8Array(0), makeBlock(1), concatBytes(makeBlock(1), makeBlock(2))]) {
    const path = join(dir.path, 'raw.dat');
    await writeFile(path, bytes);
    for await (const header of readBlockHeaders(path, MAGIC)) assert.fail(`a header ${header.hash}`);
  }
});
