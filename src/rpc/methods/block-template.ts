/** Work for miners: getblocktemplate (BIP22, BIP23, BIP9, BIP145), with long polling and proposals. */
import { compactToTarget, limits } from '#consensus';
import type { BlockTemplate } from '#mempool';
import { parseBlockHash, type Transaction } from '#primitives';
import { sleep, toHex } from '#util';
import { hex32, workHex } from '../core-io/block-json.ts';
import { decodeHexBlock } from '../core-io/decode-block.ts';
import { stateAfter } from '../core-io/version-bits.ts';
import { invalidParameter, RpcCode, RpcError, shuttingDown } from '../errors.ts';
import type { JsonInputObject, JsonObject, JsonValue } from '../json/value.ts';
import { arrayOf, hashOf, stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { versionBitsDeployments } from './deployments.ts';
import { TEMPLATE_REQUEST, TEMPLATE_RESULTS } from './described-template.ts';

/** As Core's: a new transaction is news only after a minute, and is looked for every ten seconds from then on. */
const FIRST_LOOK_MS = 60_000;
const NEXT_LOOK_MS = 10_000;
const HASH_DIGITS = 64;

export const BLOCK_TEMPLATE_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblocktemplate',
    category: 'mining',
    about:
      "If the request parameters include a 'mode' key, that is used to explicitly select between the default 'template' request or a 'proposal'.\n" +
      'It returns data needed to construct a block to work on.\n' +
      'For full specification, see BIPs 22, 23, 9, and 145.',
    params: [TEMPLATE_REQUEST],
    results: TEMPLATE_RESULTS,
    examples: [{ cli: '\'{"rules": ["segwit"]}\'', json: '{"rules": ["segwit"]}' }],
    handler: getBlockTemplate,
  },
];

async function getBlockTemplate(call: RpcCall): Promise<JsonValue> {
  const request = call.args.object('template_request');
  const mode = modeOf(request);
  if (mode === 'proposal') return propose(call, request);
  const rules = rulesOf(request);
  if (mode !== 'template') throw invalidParameter('Invalid mode');
  await checkReady(call);
  const { longpollid = null } = request;
  if (longpollid !== null) await waitForNews(call, longpollid);
  const isSignet = call.node.chain.params.signetChallenge !== undefined;
  if (isSignet && !rules.has('signet')) {
    throw invalidParameter(
      'getblocktemplate must be called with the signet rule set (call with {"rules": ["segwit", "signet"]})',
    );
  }
  if (!rules.has('segwit')) {
    throw invalidParameter(
      'getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})',
    );
  }
  return templateJson(call);
}

function modeOf({ mode = null }: JsonInputObject): string {
  if (mode === null) return 'template';
  if (typeof mode === 'string') return mode;
  throw invalidParameter('Invalid mode');
}

function rulesOf({ rules = null }: JsonInputObject): ReadonlySet<string> {
  return new Set(Array.isArray(rules) ? arrayOf(rules).map(stringOf) : []);
}

/** On a real network nobody shall work on a block of the past. */
async function checkReady({ node, isInitialDownload }: RpcCall): Promise<void> {
  if (node.chain.params.chainName !== 'main') return;
  if ((await node.peers.list()).length === 0) {
    throw new RpcError(RpcCode.clientNotConnected, 'Starling is not connected!');
  }
  if (isInitialDownload()) {
    const message = 'Starling is in initial sync and waiting for blocks...';
    throw new RpcError(RpcCode.clientInInitialDownload, message);
  }
}

/** BIP23: whether a block would be taken if it had its proof of work. */
async function propose({ node: { chain } }: RpcCall, { data = null }: JsonInputObject): Promise<JsonValue> {
  if (typeof data !== 'string') throw new RpcError(RpcCode.typeError, 'Missing data String key for proposal');
  const block = decodeHexBlock(data);
  if (block === undefined) throw new RpcError(RpcCode.deserialization, 'Block decode failed');
  if (chain.getHeader(block.hash) !== undefined) {
    if (chain.isInvalid(block.hash)) return 'duplicate-invalid';
    return chain.hasBlock(block.hash) ? 'duplicate' : 'duplicate-inconclusive';
  }
  return (await chain.checkProposal(block))?.code ?? null;
}

/** Until the tip is another than the template's that the client has, or there is something new to earn. */
async function waitForNews(call: RpcCall, longPollId: unknown): Promise<void> {
  const { node, clock, signal } = call;
  const { hash, version } = watched(call, longPollId);
  const moved = new AbortController();
  const stop = node.onTip((tip) => {
    if (tip.hash !== hash) moved.abort();
  });
  try {
    for (let waitMs = FIRST_LOOK_MS; node.chain.tip().hash === hash; waitMs = NEXT_LOOK_MS) {
      await sleep(clock, waitMs, AbortSignal.any([signal, moved.signal])).catch(() => {});
      if (signal.aborted) throw shuttingDown();
      if (node.mempool.version() !== version) return;
    }
  } finally {
    stop();
  }
}

function watched({ node }: RpcCall, longPollId: unknown): { readonly hash: string; readonly version: number } {
  if (typeof longPollId !== 'string') return { hash: node.chain.tip().hash, version: node.mining.current().version };
  const digits = /^\d{1,15}/.exec(longPollId.slice(HASH_DIGITS))?.[0] ?? '0';
  const hash = parseBlockHash(hashOf(longPollId.slice(0, HASH_DIGITS), 'longpollid'));
  return { hash, version: Number(digits) };
}

function templateJson({ node, clock }: RpcCall): JsonObject {
  const { chain, mining } = node;
  const { template, version } = mining.current();
  const { block, height, minTime } = template;
  const { header } = block;
  const { params } = chain;
  const isBeforeSegwit = height < params.activation.segwit;
  const bits = versionBits(node);
  const scale = isBeforeSegwit ? limits.WITNESS_SCALE_FACTOR : 1;
  const [coinbase] = block.transactions;
  const coinbaseValue = coinbase?.outputs.reduce((sum, { value }) => sum + value, 0n);
  return {
    capabilities: ['proposal'],
    version: header.version | bits.mask,
    rules: [
      'csv',
      ...(isBeforeSegwit ? [] : ['!segwit']),
      ...(params.signetChallenge === undefined ? [] : ['!signet']),
      ...bits.active,
    ],
    vbavailable: bits.available,
    vbrequired: 0,
    previousblockhash: header.prevHash,
    transactions: transactionsJson(template, scale),
    coinbaseaux: {},
    coinbasevalue: coinbaseValue ?? 0n,
    longpollid: `${header.prevHash}${version}`,
    target: workHex(compactToTarget(header.bits).target),
    mintime: minTime,
    mutable: ['time', 'transactions', 'prevblock'],
    noncerange: '00000000ffffffff',
    sigoplimit: limits.MAX_BLOCK_SIGOPS_COST / scale,
    sizelimit: limits.MAX_BLOCK_WEIGHT / scale,
    weightlimit: isBeforeSegwit ? undefined : limits.MAX_BLOCK_WEIGHT,
    curtime: Math.max(Math.floor(clock.now() / 1000), minTime),
    bits: hex32(header.bits),
    height,
    signet_challenge: params.signetChallenge && toHex(params.signetChallenge),
    default_witness_commitment: commitmentOf(coinbase),
  };
}

function transactionsJson({ entries }: BlockTemplate, scale: number): JsonValue {
  const places = new Map(entries.map((entry, at) => [entry, at + 1]));
  return entries.map((entry) => ({
    data: toHex(entry.raw),
    txid: entry.txid,
    hash: entry.wtxid,
    depends: Array.from(entry.parents, (parent) => places.get(parent)).filter((at) => at !== undefined),
    fee: entry.fee,
    sigops: Math.floor(entry.sigOpCost / scale),
    weight: entry.weight,
  }));
}

/** BIP141's output script; a template's coinbase has it last. */
function commitmentOf(coinbase: Transaction | undefined): string | undefined {
  const output = coinbase?.outputs[1];
  return output && toHex(output.scriptPubKey);
}

type VersionBits = {
  readonly mask: number;
  readonly active: readonly string[];
  readonly available: Readonly<Record<string, number>>;
};

/** BIP9: what is signalled for, and what has been decided. */
function versionBits({ chain }: RpcCall['node']): VersionBits {
  const states = Object.entries(versionBitsDeployments(chain.params)).map(([name, deployment]) => {
    return { name, bit: deployment.bit, state: stateAfter(chain, chain.tip(), deployment).state };
  });
  const signalled = states.filter(({ state }) => state === 'started' || state === 'locked_in');
  return {
    mask: signalled.reduce((mask, { bit }) => mask | (1 << bit), 0),
    active: states.filter(({ state }) => state === 'active').map(({ name }) => name),
    available: Object.fromEntries(signalled.map(({ name, bit }) => [name, bit])),
  };
}
