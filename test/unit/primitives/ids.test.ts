import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockHashFromBytes, idToBytes, parseBlockHash, parseTxid } from '#primitives';

describe('ids', () => {
  it('show the bytes of the wire in reverse', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
    const hash = blockHashFromBytes(bytes);
    assert.ok(hash.startsWith('1f1e1d') && hash.endsWith('020100'));
    assert.deepEqual(idToBytes(hash), bytes);
  });

  it('are parsed from text in either case and from nothing else', () => {
    assert.equal(parseBlockHash('AB'.repeat(32)), 'ab'.repeat(32));
    for (const text of ['', 'ab', 'zz'.repeat(32), 'ab'.repeat(33), ` ${'ab'.repeat(31)} `]) {
      assert.throws(() => parseTxid(text), RangeError);
    }
    assert.throws(() => blockHashFromBytes(new Uint8Array(31)), RangeError);
  });
});
