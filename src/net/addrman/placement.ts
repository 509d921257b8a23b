/**
 * Where an address may stand: Core's GetNewBucket, GetTriedBucket and GetBucketPosition. The key is secret, so nobody
 * can choose addresses that collide; the groups bound what one part of the internet can occupy: all addresses that one
 * source group tells of stand in 64 buckets of 1,024, those of one netgroup that answered in 8 of 256.
 */
import { siphash24 } from '#crypto';
import { u32At } from '#util';
import { BUCKET_SIZE } from './bucket-table.ts';
import type { Entry } from './entry.ts';
import { LOCAL_GROUP } from './net-groups.ts';

/** Core's ADDRMAN_NEW_BUCKET_COUNT, ADDRMAN_TRIED_BUCKET_COUNT. */
export const NEW_BUCKETS = 1024;
export const TRIED_BUCKETS = 256;
/** Core's ADDRMAN_NEW_BUCKETS_PER_SOURCE_GROUP, ADDRMAN_TRIED_BUCKETS_PER_GROUP. */
export const NEW_BUCKETS_PER_SOURCE_GROUP = 64;
export const TRIED_BUCKETS_PER_GROUP = 8;

export const PLACEMENT_KEY_BYTES = 16;

type Placed = Pick<Entry, 'id' | 'address' | 'group'>;

export class Placement {
  readonly #key: Uint8Array;
  readonly #out = new Uint8Array(8);

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The place in the new table of an address that this source group told us of. */
  inNew(entry: Placed, sourceGroup: string): number {
    const choice = this.#number('new', bucketGroup(entry), sourceGroup) % NEW_BUCKETS_PER_SOURCE_GROUP;
    const bucket = this.#number('new bucket', sourceGroup, String(choice)) % NEW_BUCKETS;
    return bucket * BUCKET_SIZE + this.#position('N', bucket, entry);
  }

  /** The place in the tried table. */
  inTried(entry: Placed): number {
    const choice = this.#number('tried', entry.id, entry.address) % TRIED_BUCKETS_PER_GROUP;
    const bucket = this.#number('tried bucket', bucketGroup(entry), String(choice)) % TRIED_BUCKETS;
    return bucket * BUCKET_SIZE + this.#position('K', bucket, entry);
  }

  #position(table: 'N' | 'K', bucket: number, { id, address }: Placed): number {
    return this.#number(table, String(bucket), id, address) % BUCKET_SIZE;
  }

  /** The parts hold no line break, and how many there are follows from the first: no two lists share a text. */
  #number(...parts: readonly string[]): number {
    return u32At(siphash24(Buffer.from(parts.join('\n')), this.#key, this.#out), 0);
  }
}

/** Local addresses are kept in private networks only, all in one group: there each stands for itself, or they would share 64 places. */
function bucketGroup({ group, address }: Placed): string {
  return group === LOCAL_GROUP ? `${LOCAL_GROUP} ${address}` : group;
}
