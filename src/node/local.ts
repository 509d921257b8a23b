/** What this node's own user brings in: transactions and blocks, checked as everybody's and then announced. */
import type { Chain } from '#chain';
import { createBlockTemplate, type Mempool, mineBlock } from '#mempool';
import type { Net } from '#net';
import { Block, DecodeError, type Sats, Transaction } from '#primitives';
import { topics, txMessageFor } from '#protocol';
import { type Clock, errorText, type Logger, type Random, sleep } from '#util';
import type { BlockAnnouncer } from './block-announcer.ts';
import type { Ingest } from './ingest.ts';
import type { StarlingNode, SubmitResult } from './port.ts';
import type { TxAnnouncer } from './tx-announcer.ts';

export type LocalDeps = {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly net: Pick<Net, 'publish'>;
  readonly ingest: Pick<Ingest, 'markAnnounced'>;
  readonly announcer: Pick<TxAnnouncer, 'hold'>;
  readonly blocks: Pick<BlockAnnouncer, 'ownBlock' | 'unannounced'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
};

export function createLocal(
  deps: LocalDeps,
): Pick<StarlingNode, 'submitTransaction' | 'submitBlock' | 'mineBlock' | 'estimateSmartFee'> {
  return {
    submitTransaction: (raw) => submitTransaction(deps, raw),
    estimateSmartFee: deps.mempool.estimateSmartFee,
    submitBlock: async (raw) => {
      const block = decode(() => Block.fromBytes(raw));
      return block === undefined ? { kind: 'rejected', code: 'Block decode failed' } : submitBlock(deps, block);
    },
    mineBlock: async (scriptPubKey, signal) => {
      const { chain, mempool, clock, random } = deps;
      const extraNonce = random.below(2 ** 32);
      const template = createBlockTemplate({ chain, mempool, clock }, scriptPubKey, extraNonce);
      return submitBlock(deps, await mineBlock(template, chain.params, signal));
    },
  };
}

async function submitTransaction(deps: LocalDeps, raw: Uint8Array): ReturnType<StarlingNode['submitTransaction']> {
  const tx = decode(() => Transaction.fromBytes(raw));
  if (tx === undefined) return { kind: 'rejected', code: 'TX decode failed' };
  const { txid } = tx;
  const verdict = await deps.mempool.submit(tx, 'local');
  switch (verdict.kind) {
    case 'accepted':
      announceLater(deps, tx, verdict.fee);
      return { kind: 'accepted', txid };
    case 'duplicate':
      return { kind: 'duplicate', txid };
    case 'missing-inputs':
      return { kind: 'rejected', code: 'bad-txns-inputs-missingorspent', txid };
    case 'policy':
      return { kind: 'rejected', code: verdict.code, txid };
    case 'consensus':
      return { kind: 'rejected', code: verdict.failure.code, txid };
    case 'unavailable':
      return { kind: 'rejected', code: verdict.reason, txid };
  }
}

/** The user is not kept waiting. What a stop cuts short stays unbroadcast, and is announced anew after the next start. */
function announceLater({ mempool, net, announcer, clock, log, signal }: LocalDeps, tx: Transaction, fee: Sats): void {
  const publish = async (): Promise<void> => {
    await sleep(clock, announcer.hold(tx), signal);
    const sentTo = await net.publish('tx', topics.tx.codec.encode(txMessageFor(tx, fee)));
    if (sentTo > 0) mempool.markBroadcast(tx.txid);
  };
  publish().catch((error) => {
    if (!signal.aborted) log.error('a transaction could not be announced', { txid: tx.txid, error: errorText(error) });
  });
}

async function submitBlock(deps: LocalDeps, block: Block): Promise<SubmitResult> {
  // Said before it is connected, so that the change of the tip counts as announced.
  deps.ingest.markAnnounced(block.hash);
  const unannounced = deps.blocks.unannounced(block);
  const verdict = await deps.chain.submitBlock(block);
  switch (verdict.kind) {
    case 'invalid':
      // The chain may be on its way back; who asks for the tip next expects it there.
      await deps.chain.idle();
      return { kind: 'rejected', code: verdict.failure.code };
    case 'duplicate':
      return { kind: 'duplicate' };
    case 'stored':
      return { kind: 'accepted' };
    case 'connected':
      await deps.blocks.ownBlock(block, unannounced);
      return { kind: 'accepted' };
  }
}

function decode<T>(decoder: () => T): T | undefined {
  try {
    return decoder();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
