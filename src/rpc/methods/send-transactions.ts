/** Transactions on their way into the mempool: tried, sent, or sent as a package. */
import type { MempoolVerdict } from '#mempool';
import { type Sats, type Transaction, txidFromBytes } from '#primitives';
import { Slices } from '#util';
import { decodeHexTx } from '../core-io/decode-tx.ts';
import { checkBurn, exceedsFeeRate, rejected, rejectReason, rejectText } from '../core-io/verdict.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import { type Args, shown, stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';

/** Core's MAX_PACKAGE_COUNT. */
const MAX_TRANSACTIONS = 25;
const DECODE_HINT = 'Make sure the tx has at least one input.';

const MAX_FEE_RATE = param.amount(
  'maxfeerate',
  'Reject transactions whose fee rate is higher than the specified value, expressed in BTC/kvB.\nFee rates larger than 1BTC/kvB are rejected.\nSet to 0 to accept any fee rate.',
  { default: '0.10' },
);
const MAX_BURN = param.amount(
  'maxburnamount',
  "Reject transactions with provably unspendable outputs (e.g. 'datacarrier' outputs that use the OP_RETURN opcode) greater than the specified value, expressed in BTC.",
  { default: '0.00' },
);
const RAW_TX = param.hex('rawtx', '', { optional: true });

const EFFECTIVE: readonly Result[] = [
  result.amount(
    'effective-feerate',
    'the effective feerate in BTC per KvB. May differ from the base feerate if, for example, there are modified fees from prioritisetransaction or a package feerate was used.',
    { optional: true },
  ),
  result.array(
    'effective-includes',
    'transactions whose fees and vsizes are included in effective-feerate.',
    [result.hex('', 'transaction wtxid in hex')],
    { optional: true },
  ),
];

export const SEND_METHODS: readonly RpcMethod[] = [
  {
    name: 'testmempoolaccept',
    category: 'rawtransactions',
    about:
      'Returns result of mempool acceptance tests indicating if raw transaction(s) (serialized, hex-encoded) would be accepted by mempool.\n' +
      '\nIf multiple transactions are passed in, parents must come before children and package policies apply: the transactions cannot conflict with any mempool transactions or each other.\n' +
      "\nIf one transaction fails, other transactions may not be fully validated (the 'allowed' key will be blank).\n" +
      `\nThe maximum number of transactions allowed is ${MAX_TRANSACTIONS}.`,
    params: [param.array('rawtxs', 'An array of hex strings of raw transactions.', { inner: [RAW_TX] }), MAX_FEE_RATE],
    results: [
      result.array(
        '',
        'The result of the mempool acceptance test for each raw transaction in the input array.\nReturns results for each transaction in the same order they were passed in.',
        [
          result.object('', '', [
            result.hex('txid', 'The transaction hash in hex'),
            result.hex('wtxid', 'The transaction witness hash in hex'),
            result.string(
              'package-error',
              'Package validation error, if any (only possible if rawtxs had more than 1 transaction).',
              { optional: true },
            ),
            result.boolean(
              'allowed',
              'Whether this tx would be accepted to the mempool and pass client-specified maxfeerate.',
              { optional: true },
            ),
            result.number(
              'vsize',
              "Virtual transaction size as defined in BIP 141 (only present when 'allowed' is true)",
              { optional: true },
            ),
            result.object(
              'fees',
              "Transaction fees (only present if 'allowed' is true)",
              [result.amount('base', 'transaction fee in BTC'), ...EFFECTIVE],
              { optional: true },
            ),
            result.string('reject-reason', "Rejection string (only present when 'allowed' is false)", {
              optional: true,
            }),
          ]),
        ],
      ),
    ],
    examples: [{ cli: '\'["signedhex"]\'', json: '["signedhex"]' }],
    handler: testMempoolAccept,
  },
  {
    name: 'sendrawtransaction',
    category: 'rawtransactions',
    about:
      'Submit a raw transaction (serialized, hex-encoded) to local node and network.\n' +
      '\nA specific exception, RPC_TRANSACTION_ALREADY_IN_CHAIN, may throw if the transaction cannot be added to the mempool.\n' +
      '\nRelated RPCs: createrawtransaction, signrawtransactionwithkey',
    params: [param.hex('hexstring', 'The hex string of the raw transaction'), MAX_FEE_RATE, MAX_BURN],
    results: [result.hex('', 'The transaction hash in hex')],
    examples: [{ cli: '"signedhex"', json: '"signedhex"' }],
    handler: sendRawTransaction,
  },
  {
    name: 'submitpackage',
    category: 'rawtransactions',
    about:
      'Submit a package of raw transactions (serialized, hex-encoded) to local node.\n' +
      'The package will be validated according to consensus and mempool policy rules. If any transaction passes, it will be accepted to mempool.\n' +
      'The package must consist of a child with all of its unconfirmed parents; one of these may pay too little for itself.',
    params: [
      param.array('package', 'An array of raw transactions, the child last.', { inner: [RAW_TX] }),
      MAX_FEE_RATE,
      MAX_BURN,
    ],
    results: [
      result.object('', '', [
        result.string(
          'package_msg',
          'The transaction package result message. "success" indicates all transactions were accepted into or are already in the mempool.',
        ),
        result.dictionary('tx-results', 'transaction results keyed by wtxid', [
          result.object('wtxid', 'transaction wtxid', [
            result.hex('txid', 'The transaction hash in hex'),
            result.hex(
              'other-wtxid',
              'The wtxid of a different transaction with the same txid but different witness found in the mempool. This means the submitted transaction was ignored.',
              { optional: true },
            ),
            result.number('vsize', 'Sigops-adjusted virtual transaction size.', { optional: true }),
            result.object('fees', 'Transaction fees', [result.amount('base', 'transaction fee in BTC'), ...EFFECTIVE], {
              optional: true,
            }),
            result.string('error', 'The transaction error string, if it was rejected by the mempool', {
              optional: true,
            }),
          ]),
        ]),
        result.array(
          'replaced-transactions',
          'List of txids of replaced transactions',
          [result.hex('', 'The transaction id')],
          { optional: true },
        ),
      ]),
    ],
    examples: [{ cli: '\'["rawtx1", "rawtx2"]\'', json: '["rawtx1", "rawtx2"]' }],
    handler: submitPackage,
  },
];

async function testMempoolAccept({ args, node }: RpcCall): Promise<JsonValue> {
  const texts = rawTransactions(args, 'rawtxs');
  const maxFeeRate = args.feeRate('maxfeerate');
  const txs = texts.map(decodeListed);
  const { failure, verdicts } = await node.mempool.testAccept(txs);
  const packageError = failure === undefined || failure.code === 'transaction failed' ? undefined : failure.code;
  let isOver = false;
  return txs.map((tx, at): JsonObject => {
    const ids = { txid: tx.txid, wtxid: tx.wtxid, 'package-error': packageError };
    const verdict = verdicts[at];
    if (isOver || verdict === undefined) return ids;
    if (verdict.kind !== 'accepted') {
      const reason = verdict.kind === 'missing-inputs' ? 'missing-inputs' : rejectReason(verdict);
      return { ...ids, allowed: false, 'reject-reason': reason };
    }
    if (exceedsFeeRate(verdict.fee, verdict.vsize, maxFeeRate)) {
      isOver = true;
      return { ...ids, allowed: false, 'reject-reason': 'max-fee-exceeded' };
    }
    return { ...ids, allowed: true, ...acceptedJson(verdict) };
  });
}

async function sendRawTransaction(call: RpcCall): Promise<JsonValue> {
  const { args, node } = call;
  const maxBurn = args.amount('maxburnamount');
  const tx = decodeHexTx(args.string('hexstring'));
  if (tx === undefined) throw new RpcError(RpcCode.deserialization, `TX decode failed. ${DECODE_HINT}`);
  checkBurn(tx, maxBurn);
  const maxFeeRate = args.feeRate('maxfeerate');
  if (await isInChain(call, tx))
    throw new RpcError(RpcCode.verifyAlreadyInUtxoSet, 'Transaction already in block chain');
  if (node.mempool.get(tx.txid)?.txid === tx.txid) return tx.txid;
  const [verdict] = (await node.mempool.testAccept([tx])).verdicts;
  if (verdict?.kind === 'accepted' && exceedsFeeRate(verdict.fee, verdict.vsize, maxFeeRate)) {
    const message = 'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)';
    throw new RpcError(RpcCode.verifyError, message);
  }
  if (verdict !== undefined && verdict.kind !== 'accepted') throw rejected(verdict);
  const submitted = await node.submitTransaction(tx.raw);
  if (submitted.kind === 'rejected') throw new RpcError(RpcCode.verifyRejected, submitted.code);
  return tx.txid;
}

/** Whether the chain holds an output of it that is not spent yet. */
async function isInChain({ clock, node }: RpcCall, tx: Transaction): Promise<boolean> {
  const slices = new Slices(clock);
  for (const index of tx.outputs.keys()) {
    await slices.rest();
    if (node.chain.getCoin({ txid: tx.txidBytes, index }) !== undefined) return true;
  }
  return false;
}

async function submitPackage({ args, node }: RpcCall): Promise<JsonValue> {
  const texts = rawTransactions(args, 'package');
  const [maxFeeRate, maxBurn] = [args.feeRate('maxfeerate'), args.amount('maxburnamount')];
  const txs = texts.map(decodeListed);
  for (const tx of txs) checkBurn(tx, maxBurn);
  if (!isChildWithParentsTree(txs)) {
    const message = 'package topology disallowed. not child-with-parents or parents depend on each other.';
    throw new RpcError(RpcCode.verifyError, message);
  }
  const tooDear = txs.findIndex((tx) => isTooDear(node, tx, txs, maxFeeRate));
  if (tooDear !== -1)
    return packageJson(node, txs, 'transaction failed', (at) => (at === tooDear ? 'max feerate exceeded' : undefined));
  const { failure, verdicts } = await node.submitFamily(txs);
  return packageJson(node, txs, failure?.code ?? 'success', (at) => verdicts[at]);
}

type Node = RpcCall['node'];

function packageJson(
  node: Node,
  txs: readonly Transaction[],
  message: string,
  outcomeOf: (at: number) => MempoolVerdict | string | undefined,
): JsonObject {
  const outcomes = txs.map((_, at) => outcomeOf(at) ?? 'package-not-validated');
  const replaced = outcomes.flatMap((one) =>
    typeof one !== 'string' && one.kind === 'accepted' ? (one.replaced ?? []) : [],
  );
  return {
    package_msg: message,
    'tx-results': Object.fromEntries(txs.map((tx, at) => [tx.wtxid, memberJson(node, tx, outcomes[at] ?? '')])),
    'replaced-transactions': replaced,
  };
}

function memberJson({ mempool }: Node, { txid, wtxid }: Transaction, outcome: MempoolVerdict | string): JsonObject {
  if (typeof outcome === 'string') return { txid, error: outcome };
  const entry = mempool.get(txid);
  if (outcome.kind === 'duplicate' && entry !== undefined) {
    if (entry.wtxid !== wtxid) return { txid, 'other-wtxid': entry.wtxid };
    return { txid, vsize: entry.vsize, fees: { base: amount(entry.fee) } };
  }
  if (outcome.kind !== 'accepted') return { txid, error: rejectText(outcome) };
  const own = entry && { satPerKvb: (entry.modifiedFee * 1000n) / BigInt(entry.vsize), wtxids: [wtxid] };
  const effective = outcome.effective ?? own;
  return { txid, ...acceptedJson(effective === undefined ? outcome : { ...outcome, effective }) };
}

function acceptedJson({ vsize, fee, effective }: Extract<MempoolVerdict, { kind: 'accepted' }>): JsonObject {
  return {
    vsize,
    fees: {
      base: amount(fee),
      'effective-feerate': effective && amount(effective.satPerKvb),
      'effective-includes': effective?.wtxids,
    },
  };
}

function rawTransactions(args: Args, name: string): readonly string[] {
  const values = args.array(name);
  if (values.length < 1 || values.length > MAX_TRANSACTIONS) {
    throw invalidParameter(`Array must contain between 1 and ${MAX_TRANSACTIONS} transactions.`);
  }
  return values.map(stringOf);
}

function decodeListed(text: string): Transaction {
  const tx = decodeHexTx(text);
  if (tx !== undefined) return tx;
  throw new RpcError(RpcCode.deserialization, `TX decode failed: ${shown(text)} ${DECODE_HINT}`);
}

/** Core's IsChildWithParentsTree; a transaction alone is one, too. */
function isChildWithParentsTree(txs: readonly Transaction[]): boolean {
  const parents = txs.slice(0, -1);
  const spentBy = (tx: Transaction | undefined): ReadonlySet<string> =>
    new Set(tx?.inputs.map(({ prevTxid }) => txidFromBytes(prevTxid)));
  const childSpends = spentBy(txs.at(-1));
  const parentIds = new Set<string>(parents.map(({ txid }) => txid));
  return (
    parents.every(({ txid }) => childSpends.has(txid)) &&
    parents.every((parent) => spentBy(parent).isDisjointFrom(parentIds))
  );
}

/** By what its inputs are worth; unknown where one of them is. */
function isTooDear(node: Node, tx: Transaction, txs: readonly Transaction[], maxFeeRate: Sats): boolean {
  let fee = -tx.outputs.reduce((sum, { value }) => sum + value, 0n);
  for (const { prevTxid, prevIndex } of tx.inputs) {
    const txid = txidFromBytes(prevTxid);
    const parent = txs.find((each) => each.txid === txid) ?? node.mempool.get(txid)?.tx;
    const output = parent?.outputs[prevIndex] ?? node.chain.getCoin({ txid: prevTxid, index: prevIndex })?.output;
    if (output === undefined) return false;
    fee += output.value;
  }
  return exceedsFeeRate(fee, Math.ceil(tx.weight / 4), maxFeeRate);
}
