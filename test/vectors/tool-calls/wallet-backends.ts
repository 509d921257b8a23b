/** What stands between light wallets and a node, and a library that wallets scan the chain with. */
import { answers, fails, fields, is, list, type Tool } from './format.ts';
import {
  BLOCK,
  BLOCK_STATS,
  CHAIN_INFO,
  CONFIRMED,
  ESTIMATE,
  HEADER,
  MEMPOOL_ENTRY,
  MEMPOOL_INFO,
  NETWORK_INFO,
  PACKAGE,
  PEER,
  TX_OUT,
} from './shapes.ts';

/** Reads lines by itself: it takes a 200 and a 500, and wants to be told the length. */
const ESPLORA_ELECTRS: Tool = {
  name: 'electrs of esplora',
  kind: 'wallet backend',
  source: 'Blockstream/electrs: src/daemon.rs (its blocks by --jsonrpc-import)',
  habits: {
    jsonrpc: undefined,
    ids: 'numbers',
    batches: false,
    lineEnd: '\n',
    headers: [],
    keepsConnection: true,
  },
  calls: [
    answers('getnetworkinfo', [], fields({ version: 'integer', subversion: 'text', relayfee: 'number' })),
    answers('getblockchaininfo', [], fields(CHAIN_INFO)),
    answers('getbestblockhash', [], 'hash'),
    answers('getblockhash', [1], 'hash'),
    answers('getblockheader', ['$busy'], fields({ height: 'integer' })),
    answers('getblockheader', ['$busy', false], 'hex'),
    answers('getblock', ['$busy', false], 'hex'),
    answers('getblock', ['$busy', 2], fields(BLOCK)),
    answers('getrawtransaction', ['$unconfirmed', false], 'hex'),
    answers('getrawtransaction', ['$confirmed', true, '$busy'], fields({ ...CONFIRMED, in_active_chain: is(true) })),
    fails('getrawtransaction', ['$nothing', false], -5, /^No such mempool or blockchain transaction/),
    answers('getrawmempool', [false], list('hash')),
    answers('sendrawtransaction', ['$payment'], 'hash'),
    fails('sendrawtransaction', ['$orphan'], -25, /^bad-txns-inputs-missingorspent$/),
    answers('submitpackage', [['$parent', '$parentsChild']], PACKAGE),
    answers('submitpackage', [['$parent', '$parentsChild'], '0.50000000'], PACKAGE),
    answers('submitpackage', [['$parent', '$parentsChild'], '0.50000000', '0.10000000'], PACKAGE),
    answers('submitpackage', [['$parent', '$parentsChild'], null, '0.10000000'], PACKAGE),
    fails('submitpackage', [['$parent', '$parentsChild'], '1.00000000'], -8, /^Fee rates larger than or equal to 1BTC/),
    answers('estimatesmartfee', [2, 'ECONOMICAL'], fields(ESTIMATE)),
    answers('getblocktemplate', [{ rules: ['segwit'] }], fields({ height: 'integer', previousblockhash: 'hash' })),
  ],
};

const ELECTRUMX: Tool = {
  name: 'ElectrumX',
  kind: 'wallet backend',
  source: 'spesmilo/electrumx: electrumx/server/daemon.py',
  habits: {
    jsonrpc: undefined,
    ids: 'numbers',
    batches: false,
    lineEnd: '\r\n',
    headers: ['Host: 127.0.0.1', 'Accept: */*', 'Content-Type: text/plain; charset=utf-8'],
    keepsConnection: true,
  },
  calls: [
    answers('getblockcount', undefined, 'integer'),
    answers('getnetworkinfo', undefined, fields({ relayfee: 'number', version: 'integer' })),
    answers('getrawmempool', undefined, list('hash')),
    answers('getblock', ['$busy', true], fields({ ...BLOCK, tx: list('hash') })),
    answers('getrawtransaction', ['$confirmed', 0], 'hex'),
    answers('getrawtransaction', ['$confirmed', 1], fields(CONFIRMED)),
    // Asked without parameters to see whether it is there: anything but -32601 says so.
    fails('estimatesmartfee', undefined, -1, /^estimatesmartfee conf_target/),
    answers('estimatesmartfee', [2], fields(ESTIMATE)),
    answers('estimatesmartfee', [25, 'ECONOMICAL'], fields(ESTIMATE)),
    answers('sendrawtransaction', ['$payment'], 'hash'),
    fails('sendrawtransaction', ['nonsense'], -22, /^TX decode failed/),
    fails('estimatefee', [2], -32601, /^Method not found$/),
  ],
};

/** Several of one kind in an array. */
const ELECTRUMX_BATCHES: Tool = {
  ...ELECTRUMX,
  name: 'ElectrumX, in batches',
  habits: { ...ELECTRUMX.habits, batches: true },
  calls: [
    answers('getblockhash', [0], 'hash'),
    answers('getblock', ['$busy', false], 'hex'),
    answers('getrawtransaction', ['$unconfirmed', 0], 'hex'),
    fails('getrawtransaction', ['$nothing', 0], -5, /^No such/),
  ],
};

/** By the types of `bitcoincore-rpc`, which other programs in Rust use, too. */
const BDK: Tool = {
  name: 'BDK',
  kind: 'wallet backend',
  source:
    'bitcoindevkit/bdk: crates/bitcoind_rpc/src; rust-bitcoin/rust-bitcoincore-rpc: json/src/lib.rs, client/src/client.rs',
  habits: {
    jsonrpc: '2.0',
    ids: 'numbers',
    batches: false,
    lineEnd: '\r\n',
    headers: ['Host: 127.0.0.1', 'Content-Type: application/json'],
    keepsConnection: true,
  },
  calls: [
    answers('getblockcount', [], 'integer'),
    answers('getblockhash', [131], 'hash'),
    fails('getblockhash', [99_999], -8, /^Block height out of range$/),
    answers('getbestblockhash', [], 'hash'),
    answers('getblock', ['$busy', 0], 'hex'),
    answers('getblock', ['$busy', 1], fields({ ...BLOCK, tx: list('hash') })),
    // Walks back from a block that is no longer in the best chain.
    answers('getblock', ['$stale', 1], fields({ confirmations: is(-1), height: 'integer' })),
    fails('getblock', ['$nothing', 1], -5, /^Block not found$/),
    answers('getblockheader', ['$busy', true], fields(HEADER)),
    answers('getblockheader', ['$busy', false], 'hex'),
    answers('getblockfilter', ['$busy'], fields({ header: 'hash', filter: 'hex' })),
    answers(
      'getblockstats',
      [131, ['avgfee', 'blockhash', 'height']],
      fields({ avgfee: 'integer', blockhash: 'hash' }),
    ),
    answers('getblockstats', ['$busy'], fields(BLOCK_STATS)),
    answers('getblockchaininfo', [], fields(CHAIN_INFO)),
    answers('getnetworkinfo', [], fields(NETWORK_INFO)),
    answers('getpeerinfo', [], list(fields(PEER))),
    answers('getmempoolinfo', [], fields(MEMPOOL_INFO)),
    answers('getrawmempool', [], list('hash')),
    answers('getmempoolentry', ['$unconfirmed'], fields(MEMPOOL_ENTRY)),
    answers('getrawtransaction', ['$unconfirmed', false], 'hex'),
    answers('getrawtransaction', ['$confirmed', true], fields(CONFIRMED)),
    fails('getrawtransaction', ['$nothing', false], -5, /^No such/),
    answers('gettxout', ['$confirmed', 0, true], fields(TX_OUT)),
    answers('estimatesmartfee', [6], fields(ESTIMATE)),
    answers('sendrawtransaction', ['$payment'], 'hash'),
    answers(
      'testmempoolaccept',
      [['$payment']],
      list(fields({ txid: 'hash', allowed: is(true), vsize: 'integer', fees: fields({ base: 'amount' }) })),
    ),
    answers(
      'scantxoutset',
      ['start', ['addr($address)']],
      fields({
        success: is(true),
        txouts: 'integer',
        height: 'integer',
        bestblock: 'hash',
        unspents: list(
          fields({
            txid: 'hash',
            vout: 'integer',
            scriptPubKey: 'hex',
            desc: 'text',
            amount: 'amount',
            height: 'integer',
          }),
        ),
        total_amount: 'amount',
      }),
    ),
  ],
};

export const WALLET_BACKENDS: readonly Tool[] = [ESPLORA_ELECTRS, ELECTRUMX, ELECTRUMX_BATCHES, BDK];
