/** The hashes that everything stands on. */
import { merkleRoot } from '#consensus';
import { hash160, hash256 } from '#crypto';
import { type Benchmark, type Case, timed } from './benchmark.ts';

const LEAVES = 2048;

export const hashes: Benchmark = {
  name: 'hashes',
  what: 'double SHA-256, HASH160 and merkle roots, one thread',
  run: async ({ isLong, measure }) => {
    const scale = isLong ? 5 : 1;
    const data = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) & 0xff);
    const leaves = Array.from({ length: LEAVES }, (_, i) => data.slice(i * 32, i * 32 + 32));
    const repeated = (name: string, unit: string, times: number, work: () => unknown): Case => ({
      name,
      unit,
      measure: async () => {
        const taken = await timed(() => {
          for (let i = 0; i < times; i++) work();
        });
        return { ...taken, amount: times };
      },
    });
    const hashOf = (bytes: number, times: number): Case => {
      const input = data.subarray(0, bytes);
      return repeated(`hash256 of ${bytes} B`, 'hashes', times * scale, () => hash256(input));
    };
    const cases = [
      hashOf(80, 100_000),
      hashOf(250, 50_000),
      hashOf(1_000_000, 200),
      repeated('hash160 of 33 B', 'hashes', 50_000 * scale, () => hash160(data.subarray(0, 33))),
      repeated(`merkle root of ${LEAVES}`, 'roots', 50 * scale, () => merkleRoot(leaves)),
    ];
    return { results: await measure(cases, isLong ? 9 : 5) };
  },
};
