/** What this node's own user brings in: transactions and blocks, checked as everybody's and then announced. */
import type { Chain } from '#chain';
import type { Mempool, MempoolVerdict } from '#mempool';
import { checkMinable, createGrinder, Miner, mineBlock } from '#miner';
import type { Net } from '#net';
import { Block, DecodeError, Transaction } from '#primitives';
import { topics, txMessageFor } from '#protocol';
import { type Clock, errorText, type Logger, sleep } from '#util';
import type { BlockAnnouncer } from './block-announcer.ts';
import type { BlockOrigins } from './block-origins.ts';
import { submitFamily } from './family.ts';
import type { Ingest } from './ingest.ts';
import type {
  MiningOptions,
  NodeMining,
  PackageSubmitResult,
  StarlingNode,
  SubmitResult,
  TxSubmitResult,
} from './port.ts';
import type { TxAnnouncer } from './tx-announcer.ts';

export type LocalDeps = {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly net: Pick<Net, 'publish'>;
  readonly ingest: Pick<Ingest, 'markAnnounced' | 'unmarkAnnounced'>;
  readonly announcer: Pick<TxAnnouncer, 'hold'>;
  readonly blocks: Pick<BlockAnnouncer, 'ownBlock' | 'unannounced'>;
  readonly origins: Pick<BlockOrigins, 'note'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly template: NodeMining['template'];
  readonly clock: Clock;
  readonly onTip: StarlingNode['onTip'];
  readonly mayMine: () => boolean;
  /** What mines ends with the node. */
  readonly miners: AsyncDisposableStack;
};

export function createLocal(
  deps: LocalDeps,
): Pick<
  StarlingNode,
  'submitTransaction' | 'submitPackage' | 'submitFamily' | 'submitBlock' | 'mineBlock' | 'mine' | 'estimateSmartFee'
> {
  return {
    submitTransaction: (raw, { announce } = { announce: true }) => submitTransaction(deps, raw, announce),
    submitPackage: (parent, child) => submitPackage(deps, parent, child),
    submitFamily: async (txs) => {
      const run = await submitFamily(deps.mempool, txs);
      // The child first: who refuses a parent alone then has it when that comes.
      announceLater(deps, txs.map((tx, at) => ({ tx, verdict: run.verdicts[at] })).reverse());
      return run;
    },
    estimateSmartFee: deps.mempool.estimateSmartFee,
    submitBlock: async (raw) => {
      const block = decode(() => Block.fromBytes(raw));
      return block === undefined ? { kind: 'rejected', code: 'Block decode failed' } : submitBlock(deps, block);
    },
    mineBlock: async (scriptPubKey, signal) => {
      return submitBlock(deps, await mineBlock(deps.template(scriptPubKey), deps.chain.params, signal));
    },
    mine: (options) => startMiner(deps, options),
  };
}

function startMiner(deps: LocalDeps, { scriptPubKey, minIntervalMs }: MiningOptions): AsyncDisposable {
  const { chain, clock, mayMine, miners, onTip } = deps;
  checkMinable(chain.params);
  const miner = new Miner(
    {
      tip: () => chain.tip(),
      onTip,
      template: () => deps.template(scriptPubKey),
      submit: (block) => submitBlock(deps, block),
      mayMine,
      grinder: createGrinder(),
      clock,
      log: deps.log.child('miner'),
    },
    minIntervalMs,
  );
  return miners.use(miner);
}

const TX_DECODE_FAILED = { kind: 'rejected', code: 'TX decode failed' } as const;

async function submitTransaction(deps: LocalDeps, raw: Uint8Array, announce: boolean): Promise<TxSubmitResult> {
  const tx = decode(() => Transaction.fromBytes(raw));
  if (tx === undefined) return TX_DECODE_FAILED;
  const verdict = await deps.mempool.submit(tx, 'local');
  if (announce) announceLater(deps, [{ tx, verdict }]);
  return { ...resultOf(verdict), txid: tx.txid };
}

async function submitPackage(
  deps: LocalDeps,
  rawParent: Uint8Array,
  rawChild: Uint8Array,
): Promise<PackageSubmitResult> {
  const parent = decode(() => Transaction.fromBytes(rawParent));
  const child = decode(() => Transaction.fromBytes(rawChild));
  if (parent === undefined || child === undefined) return TX_DECODE_FAILED;
  const verdict = await deps.mempool.submitPackage(parent, child, 'local');
  const each = [
    { tx: child, verdict: verdict.child },
    { tx: parent, verdict: verdict.parent },
  ];
  // The child first: who refuses the parent alone then has both when that comes.
  announceLater(deps, each);
  const results = {
    ...(verdict.parent && { parent: { ...resultOf(verdict.parent), txid: parent.txid } }),
    ...(verdict.child && { child: { ...resultOf(verdict.child), txid: child.txid } }),
  };
  if (verdict.failure !== undefined) return { kind: 'rejected', code: verdict.failure.code, ...results };
  const wereThere = each.every((one) => one.verdict?.kind === 'duplicate');
  return { kind: wereThere ? 'duplicate' : 'accepted', ...results };
}

function resultOf(verdict: MempoolVerdict): SubmitResult {
  switch (verdict.kind) {
    case 'accepted':
    case 'duplicate':
      return { kind: verdict.kind };
    case 'missing-inputs':
      return { kind: 'rejected', code: 'bad-txns-inputs-missingorspent' };
    case 'policy':
      return { kind: 'rejected', code: verdict.code };
    case 'consensus':
      return { kind: 'rejected', code: verdict.failure.code };
    case 'unavailable':
      return { kind: 'rejected', code: verdict.reason };
  }
}

type Decided = { readonly tx: Transaction; readonly verdict: MempoolVerdict | undefined };

/**
 * What was accepted, at one time and in this order. The user is not kept waiting. What a stop cuts short stays
 * unbroadcast, and is announced anew after the next start.
 */
function announceLater({ mempool, net, announcer, clock, log, signal }: LocalDeps, decided: readonly Decided[]): void {
  const accepted = decided.flatMap(({ tx, verdict }) =>
    verdict?.kind === 'accepted' ? [{ tx, fee: verdict.fee }] : [],
  );
  if (accepted.length === 0) return;
  const publish = async (): Promise<void> => {
    await sleep(clock, announcer.hold(...accepted.map(({ tx }) => tx)), signal);
    for (const { tx, fee } of accepted) {
      const sentTo = await net.publish('tx', topics.tx.codec.encode(txMessageFor(tx, fee)));
      if (sentTo > 0) mempool.markBroadcast(tx.txid);
    }
  };
  publish().catch((error) => {
    const [first] = accepted;
    const fields = { txid: first?.tx.txid, error: errorText(error) };
    if (!signal.aborted) log.error('a transaction could not be announced', fields);
  });
}

async function submitBlock(deps: LocalDeps, block: Block): Promise<SubmitResult> {
  // Said before it is connected, so that the change of the tip counts as announced.
  const isMarked = deps.ingest.markAnnounced(block.hash);
  if (isMarked) deps.origins.note(block.hash, 'own');
  const unannounced = deps.blocks.unannounced(block);
  const verdict = await deps.chain.submitBlock(block);
  // It may become the tip later, and is announced then.
  if (isMarked && verdict.kind !== 'connected') deps.ingest.unmarkAnnounced(block.hash);
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
