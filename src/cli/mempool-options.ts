/**
 * The flags of the mempool, which are Bitcoin Core's. Where no default stands here the mempool has one. Defaults are not
 * imported: the program would load the whole mempool to print its help.
 */
import { single, toggle } from './option-row.ts';
import { btcPerKvb, onOff, wholeNumber } from './values.ts';

const NODE = ['node'] as const;
/** Beyond that a family of transactions takes too long to walk. */
const MAX_FAMILY = 100;
const MAX_KVB = 10_000;

export const MEMPOOL_OPTIONS = {
  persistMempool: single({
    flag: 'persist-mempool',
    value: 'ON',
    help: 'true or false: save the mempool at the end and load it at the start',
    commands: NODE,
    parse: onOff,
    default: true,
  }),
  maxMempool: single({
    flag: 'max-mempool',
    value: 'MB',
    help: 'memory for unconfirmed transactions, in megabytes; garbage that waits for its collection comes on top',
    commands: NODE,
    parse: wholeNumber(1, 1_000_000),
    default: 300,
  }),
  mempoolExpiry: single({
    flag: 'mempool-expiry',
    value: 'HOURS',
    help: 'how long a transaction is kept unconfirmed',
    commands: NODE,
    parse: wholeNumber(1, 1_000_000),
    default: 336,
  }),
  minRelayTxFee: single({
    flag: 'min-relay-tx-fee',
    value: 'BTC/KVB',
    help: 'transactions that pay less are neither kept nor relayed',
    commands: NODE,
    parse: btcPerKvb,
    default: undefined,
    defaultText: '0.00001, or --incremental-relay-fee if that is more',
  }),
  incrementalRelayFee: single({
    flag: 'incremental-relay-fee',
    value: 'BTC/KVB',
    help: 'what a replacement pays for its own relay, and what a full mempool asks for beyond what it evicted',
    commands: NODE,
    parse: btcPerKvb,
    default: undefined,
    defaultText: '0.00001',
  }),
  dustRelayFee: single({
    flag: 'dust-relay-fee',
    value: 'BTC/KVB',
    help: 'outputs that cost more to spend at this rate than they hold are dust, and not relayed',
    commands: NODE,
    parse: btcPerKvb,
    default: undefined,
    defaultText: '0.00003',
  }),
  limitAncestorCount: single({
    flag: 'limit-ancestor-count',
    value: 'N',
    help: 'most unconfirmed transactions that one stands on, with itself',
    commands: NODE,
    parse: wholeNumber(1, MAX_FAMILY),
    default: 25,
  }),
  limitAncestorSize: single({
    flag: 'limit-ancestor-size',
    value: 'KVB',
    help: 'their size, in 1000 virtual bytes',
    commands: NODE,
    parse: wholeNumber(1, MAX_KVB),
    default: 101,
  }),
  limitDescendantCount: single({
    flag: 'limit-descendant-count',
    value: 'N',
    help: 'most unconfirmed transactions that stand on one, with itself',
    commands: NODE,
    parse: wholeNumber(1, MAX_FAMILY),
    default: 25,
  }),
  limitDescendantSize: single({
    flag: 'limit-descendant-size',
    value: 'KVB',
    help: 'their size, in 1000 virtual bytes',
    commands: NODE,
    parse: wholeNumber(1, MAX_KVB),
    default: 101,
  }),
  dataCarrier: single({
    flag: 'data-carrier',
    value: 'ON',
    help: 'true or false: relay OP_RETURN outputs',
    commands: NODE,
    parse: onOff,
    default: true,
  }),
  dataCarrierSize: single({
    flag: 'data-carrier-size',
    value: 'BYTES',
    help: 'longest script of an OP_RETURN output that is relayed',
    commands: NODE,
    parse: wholeNumber(0, 1_000_000),
    default: 83,
  }),
  permitBareMultisig: single({
    flag: 'permit-bare-multisig',
    value: 'ON',
    help: 'true or false: relay outputs of multisig without P2SH',
    commands: NODE,
    parse: onOff,
    default: true,
  }),
  bytesPerSigop: single({
    flag: 'bytes-per-sigop',
    value: 'N',
    help: 'virtual bytes that a signature operation counts for at least',
    commands: NODE,
    parse: wholeNumber(0, 10_000),
    default: 20,
  }),
  mempoolFullRbf: single({
    flag: 'mempool-full-rbf',
    value: 'ON',
    help: 'true or false: replace transactions that do not signal that they may be',
    commands: NODE,
    parse: onOff,
    default: true,
  }),
  acceptNonstdTxn: toggle({
    flag: 'accept-nonstd-txn',
    help: 'take transactions that are not standard (not on mainnet)',
    commands: NODE,
  }),
} as const;
