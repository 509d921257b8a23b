/** Peers that fall behind our chain are replaced, and a stale tip is told of: Core's rules and times. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { HeaderEntry } from '#chain';
import type { ConnectionKind } from '#net';
import { ChainQuality } from '../../../src/node/chain-quality.ts';
import { createUsefulNotes } from '../../../src/node/useful-peers.ts';
import { regtest } from '../../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const MINUTE = 60_000;

let clock: ManualClock;
let tipWork: bigint;
let known: Map<string, bigint>;
let kinds: Map<string, ConnectionKind>;
let said: string[];
let isSynced: boolean;
let isDownloading: boolean;
let quality: ChainQuality;

const entry = (chainWork: bigint): HeaderEntry => ({ chainWork }) as HeaderEntry;

beforeEach(() => {
  clock = createManualClock();
  tipWork = 100n;
  known = new Map();
  kinds = new Map();
  said = [];
  [isSynced, isDownloading] = [true, false];
  quality = new ChainQuality({
    chain: { tip: () => entry(tipWork), params: regtest() },
    peers: () => [...kinds].map(([id, kind]) => ({ id, kind, isOutbound: kind !== 'inbound', tipHash: undefined })),
    knownHeader: (peer) => {
      const work = known.get(peer);
      return work === undefined ? undefined : entry(work);
    },
    ask: (peer) => said.push(`ask ${peer}`),
    net: {
      disconnect: (peer) => {
        said.push(`disconnect ${peer}`);
        kinds.delete(peer);
        quality.peerGone(peer);
      },
      noteChain: ({ isSynced: synced, isTipStale }) => said.push(`chain ${synced} ${isTipStale}`),
      noteUseful: (peer, what) => said.push(`${what} ${peer}`),
    },
    isSynced: () => isSynced,
    isDownloading: () => isDownloading,
    clock,
  });
});

const ofPeer = (id: string): string[] => said.filter((line) => line.endsWith(` ${id}`));

describe('chain quality', () => {
  it('a peer behind our tip has 20 minutes, is asked, and has two minutes to answer', async () => {
    kinds.set('low', 'full-relay').set('none', 'block-only');
    known.set('low', 99n);
    await clock.advance(20 * MINUTE);
    assert.deepEqual([ofPeer('low'), ofPeer('none')], [[], []]);
    await clock.advance(1.5 * MINUTE);
    assert.deepEqual([ofPeer('low'), ofPeer('none')], [['ask low'], ['ask none']]);
    await clock.advance(3 * MINUTE);
    assert.deepEqual(ofPeer('low'), ['ask low', 'disconnect low']);
    assert.deepEqual(ofPeer('none'), ['ask none', 'disconnect none']);
    quality.close();
  });

  it('a peer that reaches what was our tip gets its time anew', async () => {
    kinds.set('slow', 'full-relay');
    known.set('slow', 99n);
    for (let step = 0; step < 10; step += 1) {
      await clock.advance(15 * MINUTE);
      known.set('slow', tipWork);
      tipWork += 10n;
    }
    assert.deepEqual(ofPeer('slow'), []);
    await clock.advance(25 * MINUTE);
    assert.deepEqual(ofPeer('slow'), ['ask slow', 'disconnect slow']);
    quality.close();
  });

  it('an answer in time saves it', async () => {
    kinds.set('late', 'full-relay');
    await clock.advance(21.5 * MINUTE);
    assert.deepEqual(ofPeer('late'), ['ask late']);
    known.set('late', tipWork);
    await clock.advance(60 * MINUTE);
    assert.deepEqual(ofPeer('late'), ['ask late', 'chain late']);
    quality.close();
  });

  it('four full-relay peers that showed a good chain are kept whatever comes, block-only ones are not', async () => {
    for (let n = 0; n < 6; n += 1) {
      kinds.set(`p${n}`, 'full-relay');
      known.set(`p${n}`, tipWork);
    }
    kinds.set('b', 'block-only');
    known.set('b', tipWork);
    await clock.advance(MINUTE);
    assert.deepEqual(
      said.filter((line) => /^chain (p|b)/.test(line)),
      ['chain p0', 'chain p1', 'chain p2', 'chain p3', 'chain b'],
    );
    tipWork += 1n;
    await clock.advance(30 * MINUTE);
    assert.deepEqual(
      said.filter((line) => line.startsWith('disconnect')),
      ['disconnect p4', 'disconnect p5', 'disconnect b'],
    );
    quality.peerGone('p0');
    kinds.delete('p0');
    kinds.set('new', 'full-relay');
    known.set('new', tipWork);
    await clock.advance(MINUTE);
    assert.deepEqual(ofPeer('new'), ['chain new'], 'there is room for it now');
    quality.close();
  });

  it('inbound peers and those of the operator may be behind', async () => {
    kinds.set('in', 'inbound').set('mine', 'manual');
    await clock.advance(60 * MINUTE);
    assert.deepEqual([ofPeer('in'), ofPeer('mine')], [[], []]);
    quality.close();
  });

  it('a tip is stale when three blocks are overdue and none is on its way; told every ten minutes', async () => {
    const chain = (): string[] => said.splice(0).filter((line) => line.startsWith('chain'));
    await clock.advance(MINUTE);
    assert.deepEqual(chain(), ['chain true false'], 'at once when the first sync has ended');
    await clock.advance(29 * MINUTE);
    assert.deepEqual(chain(), ['chain true false', 'chain true false']);
    await clock.advance(20 * MINUTE);
    assert.deepEqual(chain(), ['chain true true', 'chain true true']);
    isDownloading = true;
    await clock.advance(10 * MINUTE);
    assert.deepEqual(chain(), ['chain true false']);
    isDownloading = false;
    quality.tipMoved();
    await clock.advance(20 * MINUTE);
    assert.deepEqual(chain(), ['chain true false', 'chain true false']);
    quality.close();
  });

  it('what peers are good for is told once a second at most', async () => {
    const noteUseful = createUsefulNotes({ noteUseful: (peer, what) => said.push(`${what} ${peer}`) }, clock);
    for (let n = 0; n < 50; n += 1) {
      noteUseful('a', 'tx');
      noteUseful('b', 'tx');
      noteUseful('a', 'block');
      await clock.advance(100);
    }
    assert.deepEqual([ofPeer('b').length, ofPeer('a').length], [5, 10]);
    for (let n = 0; n < 5_000; n += 1) noteUseful(`n${n}`, 'tx');
    assert.equal(said.filter((line) => line.startsWith('tx n')).length, 5_000);
    quality.close();
  });
});
