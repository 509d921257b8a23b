/** What several tools read of the same answers. */
import { fields, is, list, maybeEmpty, type Shape } from './format.ts';

const SCRIPT = fields({ asm: 'text', hex: 'hex', type: 'text', 'address?': 'text' });

const OUTPUTS = list(fields({ value: 'amount', n: 'integer', scriptPubKey: SCRIPT }));

export const TRANSACTION: Readonly<Record<string, Shape>> = {
  txid: 'hash',
  hash: 'hash',
  version: 'integer',
  size: 'integer',
  vsize: 'integer',
  weight: 'integer',
  locktime: 'integer',
  hex: 'hex',
  vin: list(
    fields({
      'txid?': 'hash',
      'vout?': 'integer',
      'scriptSig?': fields({ asm: 'text', hex: 'hex' }),
      'coinbase?': 'hex',
      'txinwitness?': list('hex'),
      sequence: 'integer',
    }),
  ),
  vout: OUTPUTS,
};

export const CONFIRMED: Readonly<Record<string, Shape>> = {
  ...TRANSACTION,
  blockhash: 'hash',
  confirmations: 'integer',
  time: 'integer',
  blocktime: 'integer',
};

export const HEADER: Readonly<Record<string, Shape>> = {
  hash: 'hash',
  confirmations: 'integer',
  height: 'integer',
  version: 'integer',
  versionHex: 'hex',
  merkleroot: 'hash',
  time: 'integer',
  mediantime: 'integer',
  nonce: 'integer',
  bits: 'hex',
  difficulty: 'number',
  chainwork: 'hash',
  nTx: 'integer',
  previousblockhash: 'hash',
  'nextblockhash?': 'hash',
};

export const BLOCK: Readonly<Record<string, Shape>> = {
  ...HEADER,
  size: 'integer',
  strippedsize: 'integer',
  weight: 'integer',
};

export const MEMPOOL_ENTRY: Readonly<Record<string, Shape>> = {
  vsize: 'integer',
  weight: 'integer',
  time: 'integer',
  height: 'integer',
  descendantcount: 'integer',
  descendantsize: 'integer',
  ancestorcount: 'integer',
  ancestorsize: 'integer',
  wtxid: 'hash',
  fees: fields({ base: 'amount', modified: 'amount', ancestor: 'amount', descendant: 'amount' }),
  depends: maybeEmpty('hash'),
  spentby: maybeEmpty('hash'),
  'bip125-replaceable': 'boolean',
  unbroadcast: 'boolean',
};

export const MEMPOOL_INFO: Readonly<Record<string, Shape>> = {
  loaded: 'boolean',
  size: 'integer',
  bytes: 'integer',
  usage: 'integer',
  total_fee: 'amount',
  maxmempool: 'integer',
  mempoolminfee: 'amount',
  minrelaytxfee: 'amount',
  incrementalrelayfee: 'amount',
  unbroadcastcount: 'integer',
  fullrbf: 'boolean',
};

export const CHAIN_INFO: Readonly<Record<string, Shape>> = {
  chain: /^regtest$/,
  blocks: 'integer',
  headers: 'integer',
  bestblockhash: 'hash',
  difficulty: 'number',
  mediantime: 'integer',
  verificationprogress: 'number',
  initialblockdownload: 'boolean',
  chainwork: 'hash',
  size_on_disk: 'integer',
  pruned: 'boolean',
  warnings: 'text',
};

export const NETWORK_INFO: Readonly<Record<string, Shape>> = {
  version: 'integer',
  subversion: 'text',
  protocolversion: 'integer',
  localservices: 'hex',
  localservicesnames: list('text'),
  localrelay: 'boolean',
  timeoffset: 'integer',
  networkactive: 'boolean',
  connections: 'integer',
  connections_in: 'integer',
  connections_out: 'integer',
  networks: list(
    fields({
      name: 'text',
      limited: 'boolean',
      reachable: 'boolean',
      proxy: 'text',
      proxy_randomize_credentials: 'boolean',
    }),
  ),
  relayfee: 'amount',
  incrementalfee: 'amount',
  localaddresses: maybeEmpty(fields({ address: 'text', port: 'integer', score: 'integer' })),
  warnings: 'text',
};

const FEE_PERCENTILES = list('integer');

export const BLOCK_STATS: Readonly<Record<string, Shape>> = {
  avgfee: 'integer',
  avgfeerate: 'integer',
  avgtxsize: 'integer',
  blockhash: 'hash',
  feerate_percentiles: FEE_PERCENTILES,
  height: 'integer',
  ins: 'integer',
  maxfee: 'integer',
  maxfeerate: 'integer',
  maxtxsize: 'integer',
  medianfee: 'integer',
  mediantime: 'integer',
  mediantxsize: 'integer',
  minfee: 'integer',
  minfeerate: 'integer',
  mintxsize: 'integer',
  outs: 'integer',
  subsidy: 'integer',
  swtotal_size: 'integer',
  swtotal_weight: 'integer',
  swtxs: 'integer',
  time: 'integer',
  total_out: 'integer',
  total_size: 'integer',
  total_weight: 'integer',
  totalfee: 'integer',
  txs: 'integer',
  utxo_increase: 'integer',
  utxo_size_inc: 'integer',
};

/** What of it bitcoincore-rpc cannot do without, and what explorers show. */
export const PEER: Readonly<Record<string, Shape>> = {
  id: 'integer',
  addr: /:\d+$/,
  addrbind: /:\d+$/,
  network: /^(ipv4|ipv6|onion|i2p|cjdns|not_publicly_routable|internal)$/,
  services: 'hex',
  servicesnames: list('text'),
  relaytxes: 'boolean',
  lastsend: 'integer',
  lastrecv: 'integer',
  last_transaction: 'integer',
  last_block: 'integer',
  bytessent: 'integer',
  bytesrecv: 'integer',
  conntime: 'integer',
  timeoffset: 'integer',
  'pingtime?': 'number',
  'minping?': 'number',
  'pingwait?': 'number',
  version: 'integer',
  subver: 'text',
  inbound: 'boolean',
  startingheight: 'integer',
  synced_headers: 'integer',
  synced_blocks: 'integer',
  inflight: maybeEmpty('integer'),
  minfeefilter: 'amount',
  bytessent_per_msg: fields({ '*': 'integer' }),
  bytesrecv_per_msg: fields({ '*': 'integer' }),
  connection_type: /^(outbound-full-relay|block-relay-only|inbound|manual|addr-fetch|feeler)$/,
};

export const TX_OUT: Readonly<Record<string, Shape>> = {
  bestblock: 'hash',
  confirmations: 'integer',
  value: 'amount',
  scriptPubKey: SCRIPT,
  coinbase: 'boolean',
};

/** Of a node that knows too little, `errors` in place of `feerate`. */
export const ESTIMATE: Readonly<Record<string, Shape>> = {
  'feerate?': 'amount',
  'errors?': list('text'),
  blocks: 'integer',
};

export const PACKAGE: Shape = fields({
  package_msg: is('success'),
  'tx-results': fields({
    '*': fields({
      txid: 'hash',
      vsize: 'integer',
      fees: fields({ base: 'amount', 'effective-feerate': 'amount', 'effective-includes': list('hash') }),
    }),
  }),
  'replaced-transactions': maybeEmpty('hash'),
});
