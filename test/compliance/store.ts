/** What every version of the store ports must do. Each test opens its own store, empty at first. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AppendFiles, BatchOp, KeyRange, KeyValueStore } from '#store';
import { compareBytes, NodeError, toHex } from '#util';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const put = (key: Uint8Array, value: Uint8Array): BatchOp => ({ kind: 'put', key, value });
const del = (key: Uint8Array): BatchOp => ({ kind: 'del', key });

async function entriesOf(store: KeyValueStore, range?: KeyRange): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const [key, value] of store.entries(range)) found.push([toHex(key), toHex(value)]);
  return found;
}

export type OpenStore = () => Promise<KeyValueStore>;

export function keyValueStoreCompliance(name: string, open: OpenStore): void {
  describe(`key-value store: ${name}`, () => {
    test('what was put is found, what was deleted is not', async () => {
      await using store = await open();
      assert.equal(store.get(bytes(1)), undefined);
      await store.write([put(bytes(1), bytes(10)), put(bytes(2), bytes()), put(bytes(3), bytes(30))]);
      await store.write([del(bytes(3)), del(bytes(99)), put(bytes(1), bytes(11))], { sync: true });
      assert.deepEqual(new Uint8Array(store.get(bytes(1)) ?? bytes(0xff)), bytes(11));
      assert.equal(store.get(bytes(2))?.length, 0);
      assert.equal(store.get(bytes(3)), undefined);
    });

    test('within a batch the last operation on a key counts', async () => {
      await using store = await open();
      await store.write([put(bytes(1), bytes(1)), del(bytes(1)), put(bytes(2), bytes(2)), put(bytes(2), bytes(3))]);
      assert.equal(store.get(bytes(1)), undefined);
      assert.equal(toHex(store.get(bytes(2)) ?? bytes()), '03');
    });

    test('getMany answers in the order of the keys, also twice the same', async () => {
      await using store = await open();
      await store.write([put(bytes(1), bytes(1)), put(bytes(2), bytes(2))]);
      const values = await store.getMany([bytes(2), bytes(7), bytes(1), bytes(2)]);
      assert.deepEqual(
        values.map((value) => value && toHex(value)),
        ['02', undefined, '01', '02'],
      );
      assert.deepEqual(await store.getMany([]), []);
    });

    test('an empty batch is a write like any other', async () => {
      await using store = await open();
      await store.write([]);
      await store.write([], { sync: true });
      assert.deepEqual(await entriesOf(store), []);
    });

    test('keys and values are copied in and out', async () => {
      await using store = await open();
      const key = Buffer.from([1, 2]);
      const value = Buffer.from([3, 4]);
      const written = store.write([put(key, value)]);
      key.fill(0xee);
      value.fill(0xee);
      await written;
      const first = store.get(bytes(1, 2));
      assert.equal(first && toHex(first), '0304');
      first?.fill(0xdd);
      assert.equal(toHex(store.get(bytes(1, 2)) ?? bytes()), '0304');
    });

    test('writes begun together land in the order they were begun', async () => {
      await using store = await open();
      await Promise.all(Array.from({ length: 50 }, (_, i) => store.write([put(bytes(1), bytes(i))])));
      assert.equal(toHex(store.get(bytes(1)) ?? bytes()), toHex(bytes(49)));
    });

    test('clear removes all, or a range', async () => {
      await using store = await open();
      const keys = [bytes(0x43), bytes(0x43, 0xff), bytes(0x44), bytes(0x80)];
      const rest = async () => (await entriesOf(store)).map(([key]) => key);
      await store.write(keys.map((key) => put(key, bytes(1))));
      await store.clear({ gte: bytes(0x43, 0), lt: bytes(0x80) });
      assert.deepEqual(await rest(), ['43', '80']);
      await store.write([put(bytes(0x44), bytes(2))]);
      assert.deepEqual(await rest(), ['43', '44', '80']);
      await store.clear();
      assert.deepEqual(await rest(), []);
      assert.equal(store.get(bytes(0x43)), undefined);
    });

    test('a range is from gte on and below lt, in memcmp order', async () => {
      await using store = await open();
      const keys = [bytes(0x43), bytes(0x43, 0), bytes(0x43, 0xff), bytes(0x44), bytes(0x80), bytes(0xff, 0xff)];
      await store.write(keys.toReversed().map((key) => put(key, bytes())));
      const keysIn = async (range?: KeyRange) => (await entriesOf(store, range)).map(([key]) => key);
      assert.deepEqual(await keysIn(), keys.map(toHex));
      assert.deepEqual(await keysIn({ gte: bytes(0x43), lt: bytes(0x44) }), ['43', '4300', '43ff']);
      assert.deepEqual(await keysIn({ gte: bytes(0x43, 1) }), ['43ff', '44', '80', 'ffff']);
      assert.deepEqual(await keysIn({ lt: bytes(0x43, 0) }), ['43']);
      assert.deepEqual(await keysIn({ gte: bytes(0x50), lt: bytes(0x50) }), []);
    });

    test('entries do not see what is written while they are walked', async () => {
      await using store = await open();
      await store.write(Array.from({ length: 3000 }, (_, i) => put(bytes(i >> 8, i & 0xff), bytes(i & 0xff))));
      let count = 0;
      for await (const [key] of store.entries()) {
        count += 1;
        if (count === 1) {
          await store.write([del(bytes(11, 0xb7)), put(bytes(0xff), bytes(1)), put(bytes(11, 0xb6), bytes(0, 0))]);
        }
        assert.notEqual(toHex(key), 'ff');
      }
      assert.equal(count, 3000);
      assert.equal((await entriesOf(store)).length, 3000);
    });

    test('a walk may be left early', async () => {
      await using store = await open();
      await store.write([put(bytes(1), bytes(1)), put(bytes(2), bytes(2))]);
      for await (const [key] of store.entries()) {
        assert.equal(toHex(key), '01');
        break;
      }
      await store.write([put(bytes(3), bytes(3))]);
      assert.equal((await entriesOf(store)).length, 3);
    });

    test('it behaves as a sorted map', async () => {
      const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
      const op: fc.Arbitrary<BatchOp> = fc.oneof(
        fc.tuple(key, fc.uint8Array({ maxLength: 4 })).map(([k, v]) => put(k, v)),
        key.map(del),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(op, { maxLength: 6 }), { maxLength: 6 }), async (batches) => {
          await using store = await open();
          const model = new Map<string, string>();
          for (const batch of batches) {
            await store.write(batch);
            for (const o of batch) {
              if (o.kind === 'put') model.set(toHex(o.key), toHex(o.value));
              else model.delete(toHex(o.key));
            }
          }
          const sorted = [...model].sort(([a], [b]) => compareBytes(Buffer.from(a, 'hex'), Buffer.from(b, 'hex')));
          assert.deepEqual(await entriesOf(store), sorted);
        }),
        { numRuns: 20 },
      );
    });

    test('a closed store answers with an error, and closes twice', async () => {
      const store = await open();
      await store[Symbol.asyncDispose]();
      assert.throws(() => store.get(bytes(1)), NodeError);
      await assert.rejects(store.write([put(bytes(1), bytes(1))]), NodeError);
      await assert.rejects(store.getMany([bytes(1)]), NodeError);
      await assert.rejects(entriesOf(store), NodeError);
      await store[Symbol.asyncDispose]();
    });
  });
}

/** Opens empty files with the given bound. */
export type OpenFiles = (maxFileBytes: number) => Promise<AppendFiles>;

export function appendFilesCompliance(name: string, open: OpenFiles): void {
  const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

  describe(`append files: ${name}`, () => {
    test('a record is read back from where it was put', async () => {
      await using files = await open(100);
      assert.deepEqual(files.end(), { file: 0, offset: 0 });
      assert.deepEqual(files.files(), []);
      const at = await files.append([bytes(1, 2), bytes(), bytes(3)]);
      assert.deepEqual(at, { file: 0, offset: 0 });
      assert.deepEqual(files.end(), { file: 0, offset: 3 });
      assert.deepEqual(await files.read(at, 3), bytes(1, 2, 3));
      assert.deepEqual(await files.read({ file: 0, offset: 1 }, 2), bytes(2, 3));
      assert.deepEqual(await files.read({ file: 0, offset: 3 }, 0), bytes());
    });

    test('a record that does not fit starts the next file', async () => {
      await using files = await open(10);
      assert.deepEqual(await files.append([filled(6, 1)]), { file: 0, offset: 0 });
      assert.deepEqual(await files.append([filled(4, 2)]), { file: 0, offset: 6 });
      assert.deepEqual(files.end(), { file: 0, offset: 10 });
      assert.deepEqual(await files.append([filled(1, 3)]), { file: 1, offset: 0 });
      assert.deepEqual(await files.append([filled(10, 4)]), { file: 2, offset: 0 });
      assert.deepEqual(files.files(), [
        { file: 0, bytes: 10 },
        { file: 1, bytes: 1 },
        { file: 2, bytes: 10 },
      ]);
      assert.deepEqual(await files.read({ file: 0, offset: 6 }, 4), filled(4, 2));
    });

    test('a record larger than the bound has a file to itself', async () => {
      await using files = await open(10);
      assert.deepEqual(await files.append([filled(25, 1)]), { file: 0, offset: 0 });
      assert.deepEqual(await files.append([filled(1, 2)]), { file: 1, offset: 0 });
      assert.deepEqual(await files.append([filled(25, 3)]), { file: 2, offset: 0 });
      assert.deepEqual(await files.read({ file: 2, offset: 20 }, 5), filled(5, 3));
    });

    test('what is not there is CORRUPT_DATA', async () => {
      await using files = await open(10);
      await files.append([filled(5, 1)]);
      const code = { code: 'CORRUPT_DATA' };
      await assert.rejects(files.read({ file: 0, offset: 1 }, 5), code);
      await assert.rejects(files.read({ file: 0, offset: 6 }, 0), code);
      await assert.rejects(files.read({ file: 7, offset: 0 }, 1), code);
      await assert.rejects(files.read({ file: 0, offset: 0 }, 2 ** 40), code);
    });

    test('appends begun together do not mix', async () => {
      await using files = await open(64);
      const lengths = Array.from({ length: 40 }, (_, i) => 1 + (i % 13));
      const places = await Promise.all(lengths.map((length, i) => files.append([filled(length, i)])));
      const records = await Promise.all(places.map((place, i) => files.read(place, lengths[i] ?? 0)));
      assert.deepEqual(
        records,
        lengths.map((length, i) => filled(length, i)),
      );
    });

    test('reads run while records are appended', async () => {
      await using files = await open(1000);
      const first = await files.append([filled(100, 7)]);
      const appends = Array.from({ length: 30 }, (_, i) => files.append([filled(90, i)]));
      const reads = Array.from({ length: 30 }, () => files.read(first, 100));
      for (const read of await Promise.all(reads)) assert.deepEqual(read, filled(100, 7));
      await Promise.all(appends);
    });

    test('truncate forgets what lies behind, in the file and in later files', async () => {
      await using files = await open(10);
      for (let i = 0; i < 5; i++) await files.append([filled(8, i)]);
      await files.truncate({ file: 2, offset: 3 });
      assert.deepEqual(files.end(), { file: 2, offset: 3 });
      assert.deepEqual(files.files().length, 3);
      await assert.rejects(files.read({ file: 2, offset: 3 }, 1), { code: 'CORRUPT_DATA' });
      await assert.rejects(files.read({ file: 3, offset: 0 }, 1), { code: 'CORRUPT_DATA' });
      assert.deepEqual(await files.append([filled(2, 9)]), { file: 2, offset: 3 });
      assert.deepEqual(await files.read({ file: 2, offset: 0 }, 5), bytes(2, 2, 2, 9, 9));
      assert.deepEqual(await files.append([filled(9, 5)]), { file: 3, offset: 0 });
      assert.deepEqual(await files.read({ file: 3, offset: 0 }, 9), filled(9, 5));
    });

    test('truncate at the end, behind it, or of nothing changes nothing', async () => {
      await using files = await open(10);
      await files.truncate({ file: 0, offset: 0 });
      await files.truncate({ file: 3, offset: 5 });
      assert.deepEqual(files.files(), []);
      await files.append([filled(4, 1)]);
      await files.truncate(files.end());
      await files.truncate({ file: 0, offset: 9 });
      await files.truncate({ file: 4, offset: 0 });
      assert.deepEqual(files.end(), { file: 0, offset: 4 });
      await files.truncate({ file: 0, offset: 0 });
      assert.deepEqual(files.end(), { file: 0, offset: 0 });
      assert.deepEqual(await files.append([filled(4, 2)]), { file: 0, offset: 0 });
      await files.sync();
    });

    test('removed files leave the others where they are', async () => {
      await using files = await open(10);
      for (let i = 0; i < 5; i++) await files.append([filled(8, i)]);
      const reading = files.read({ file: 2, offset: 0 }, 8);
      await files.remove([0, 2, 2]);
      assert.deepEqual(await reading, filled(8, 2), 'begun before');
      assert.deepEqual(
        files.files().map(({ file }) => file),
        [1, 3, 4],
      );
      await assert.rejects(files.read({ file: 2, offset: 0 }, 8), { code: 'CORRUPT_DATA' });
      assert.deepEqual(await files.read({ file: 3, offset: 0 }, 8), filled(8, 3));
      assert.deepEqual(await files.append([filled(8, 9)]), { file: 5, offset: 0 });
      await files.remove([3, 4]);
      await files.sync();
      assert.deepEqual(files.end(), { file: 5, offset: 8 });
      await files.truncate({ file: 4, offset: 0 });
      assert.deepEqual(files.files(), [{ file: 1, bytes: 8 }], 'the last file that is left');
      assert.deepEqual(await files.append([filled(8, 1)]), { file: 2, offset: 0 });
    });

    test('a closed run answers with an error', async () => {
      const files = await open(10);
      await files.append([filled(4, 1)]);
      await files[Symbol.asyncDispose]();
      await assert.rejects(files.read({ file: 0, offset: 0 }, 1), NodeError);
      await assert.rejects(files.append([filled(4, 1)]), NodeError);
      await assert.rejects(files.sync(), NodeError);
    });
  });
}
