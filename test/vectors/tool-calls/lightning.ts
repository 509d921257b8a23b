/** Lightning implementations, and `bitcoin-cli`, which one of them calls. */
import { answers, fails, fields, is, list, maybeEmpty, type Tool } from './format.ts';
import { CHAIN_INFO, CONFIRMED, ESTIMATE, HEADER, NETWORK_INFO, PEER, TX_OUT } from './shapes.ts';

/** As bitcoin-cli sends them, whose exit code is the error's: 8 is "not yet", 28 is "wait". */
const CORE_LIGHTNING: Tool = {
  name: 'Core Lightning',
  kind: 'Lightning implementation',
  source: 'ElementsProject/lightning: plugins/bcli.c',
  habits: {
    jsonrpc: undefined,
    ids: 'numbers',
    batches: false,
    lineEnd: '\r\n',
    headers: ['Host: 127.0.0.1', 'Connection: close', 'Content-Type: application/json'],
    keepsConnection: false,
  },
  calls: [
    // It wants 220000 and relay of transactions.
    answers('getnetworkinfo', [], fields({ version: 'integer', localrelay: is(true) })),
    answers('echo', ['hello world'], list('text')),
    answers(
      'getblockchaininfo',
      [],
      fields({ chain: 'text', headers: 'integer', blocks: 'integer', initialblockdownload: 'boolean' }),
    ),
    answers('getblockhash', [131], 'hash'),
    fails('getblockhash', [99_999], -8, /^Block height out of range$/),
    answers('getblock', ['$busy', 0], 'hex'),
    answers('gettxout', ['$confirmed', 0], fields({ value: 'amount', scriptPubKey: fields({ hex: 'hex' }) })),
    answers('gettxout', ['$spent', 0], 'null'),
    answers('getmempoolinfo', [], fields({ mempoolminfee: 'amount', minrelaytxfee: 'amount' })),
    answers('estimatesmartfee', [2, 'CONSERVATIVE'], fields(ESTIMATE)),
    answers('estimatesmartfee', [6, 'ECONOMICAL'], fields(ESTIMATE)),
    answers('estimatesmartfee', [12, 'ECONOMICAL'], fields(ESTIMATE)),
    answers('estimatesmartfee', [100, 'ECONOMICAL'], fields(ESTIMATE)),
    answers('sendrawtransaction', ['$payment'], 'hash'),
    answers('sendrawtransaction', ['$payment', 0], 'hash'),
    // 27 counts as sent.
    fails('sendrawtransaction', ['$confirmedRaw'], -27, /^Transaction already in block chain$/),
    answers('getpeerinfo', [], list(fields({ id: 'integer' }))),
  ],
};

/** btcd's client asks `getinfo` first, and takes who does not know it for bitcoind, of the version in `subversion`. */
const LND: Tool = {
  name: 'LND',
  kind: 'Lightning implementation',
  source:
    'btcsuite/btcwallet: chain/bitcoind_*.go, chain/errors.go, chain/mempool.go; btcsuite/btcd: rpcclient; lightningnetwork/lnd: lnwallet/chainfee/estimator.go',
  habits: {
    jsonrpc: '1.0',
    ids: 'numbers',
    batches: false,
    lineEnd: '\r\n',
    headers: [
      'Host: 127.0.0.1',
      'User-Agent: Go-http-client/1.1',
      'Connection: close',
      'Content-Type: application/json',
      'Accept-Encoding: gzip',
    ],
    keepsConnection: false,
  },
  calls: [
    answers('getblockhash', [0], 'hash'),
    fails('getinfo', [], -32601, /^Method not found$/),
    // Text is compared: below "25.0.0" it sends `sendrawtransaction` a boolean, and does without `testmempoolaccept`.
    answers('getnetworkinfo', [], fields({ ...NETWORK_INFO, subversion: /^\/Satoshi:27\.0\.0\// })),
    answers('getblockchaininfo', [], fields(CHAIN_INFO)),
    answers('getblockheader', ['$busy', true], fields(HEADER)),
    answers('getblockheader', ['$busy', false], 'hex'),
    answers('getblock', ['$busy', 0], 'hex'),
    answers('getrawmempool', [false], list('hash')),
    answers('getrawtransaction', ['$unconfirmed', 0], 'hex'),
    answers('getrawtransaction', ['$confirmed', 1], fields(CONFIRMED)),
    fails('getrawtransaction', ['$nothing', 1], -5, /^No such mempool or blockchain transaction/),
    answers('gettxout', ['$confirmed', 0, true], fields(TX_OUT)),
    answers('gettxout', ['$spent', 0, true], 'null'),
    answers(
      'gettxspendingprevout',
      [[{ txid: '$spentByUnconfirmed', vout: 0 }]],
      list(fields({ txid: 'hash', vout: 'integer', spendingtxid: 'hash' })),
    ),
    answers('getmempoolinfo', null, fields({ mempoolminfee: 'number' })),
    answers('estimatesmartfee', [6, 'CONSERVATIVE'], fields(ESTIMATE)),
    answers('getpeerinfo', null, list(fields({ ...PEER, minfeefilter: 'number' }))),
    answers(
      'getnodeaddresses',
      [100],
      maybeEmpty(fields({ time: 'integer', services: 'integer', address: 'text', port: 'integer' })),
    ),
    answers(
      'testmempoolaccept',
      [['$payment'], 0.1],
      list(
        fields({ txid: 'hash', wtxid: 'hash', allowed: is(true), vsize: 'integer', fees: fields({ base: 'number' }) }),
      ),
    ),
    answers('testmempoolaccept', [['$payment'], 0.00000001], list(fields({ 'reject-reason': is('max-fee-exceeded') }))),
    answers('sendrawtransaction', ['$payment', 0.1], 'hash'),
    answers('sendrawtransaction', ['$payment', 0], 'hash'),
    // Of these texts it makes its own errors.
    fails('sendrawtransaction', ['$orphan', 0], -25, /^bad-txns-inputs-missingorspent/),
    fails('sendrawtransaction', ['$confirmedRaw', 0], -27, /^Transaction already in block chain$/),
    fails('sendrawtransaction', ['$replacement', 0], -26, /^insufficient fee/),
    fails('sendrawtransaction', ['$dust', 0], -26, /^dust/),
    fails('sendrawtransaction', ['$tooCheap', 0], -26, /^min relay fee not met/),
    fails('sendrawtransaction', ['$payment', 0.00000001], -25, /^Fee exceeds maximum configured by user/),
  ],
};

/** What `-getinfo`, `-netinfo` and `-addrinfo` ask for in one array, and how named parameters arrive. */
const BITCOIN_CLI: Tool = {
  name: 'bitcoin-cli',
  kind: 'command line',
  source: 'bitcoin/bitcoin 27.0: src/bitcoin-cli.cpp, src/rpc/client.cpp',
  habits: { ...CORE_LIGHTNING.habits, batches: true },
  calls: [
    answers('getnetworkinfo', null, fields(NETWORK_INFO)),
    answers('getblockchaininfo', null, fields(CHAIN_INFO)),
    fails('getwalletinfo', null, -32601, /^Method not found$/),
    fails('getbalances', null, -32601, /^Method not found$/),
    answers(
      'getpeerinfo',
      null,
      list(fields({ ...PEER, bip152_hb_from: 'boolean', bip152_hb_to: 'boolean', transport_protocol_type: 'text' })),
    ),
    answers('getnodeaddresses', [0], maybeEmpty(fields({ network: 'text' }))),
    answers('getblock', { blockhash: '$busy', verbosity: 0 }, 'hex'),
    answers('getblock', { verbose: false, args: ['$busy'] }, 'hex'),
    fails('getblock', { nonsense: 1, blockhash: '$busy' }, -8, /^Unknown named parameter nonsense$/),
  ],
};

export const LIGHTNING: readonly Tool[] = [CORE_LIGHTNING, LND, BITCOIN_CLI];
