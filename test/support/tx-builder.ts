/** Builds and signs legacy transactions for tests. What a coin needs to be spent is said by a `Lock`. */
import { type Sats, Transaction, type TxOutput } from '#primitives';
import { pushData, sighash, signatureHash } from '#script';
import { concatBytes } from '#util';
import { type PayerCoin, type SignInput, signInputs, unsignedPayment } from '../../src/mempool/payer.ts';
import { ANYONE_CAN_SPEND, multisigScript, p2shScript, type TestKey, testKey } from './keys.ts';

export type TestCoin = PayerCoin;

/** How an output is locked, and with which keys it opens. */
export type Lock =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'p2pkh'; readonly key: TestKey }
  | { readonly kind: 'p2pk'; readonly key: TestKey }
  /** The first `required` keys sign. */
  | { readonly kind: 'multisig'; readonly required: number; readonly keys: readonly TestKey[] }
  | { readonly kind: 'p2sh'; readonly redeem: Lock };

export type Spend = {
  readonly coin: TestCoin;
  /** Default: the key hash of `testKey(0)`, as chain-builder's coinbases pay. */
  readonly lock?: Lock;
};

export type SpendOptions = {
  readonly version?: number;
  readonly lockTime?: number;
  readonly sequence?: number;
};

const NO_SCRIPT = new Uint8Array(0);
const FINAL_SEQUENCE = 0xffffffff;
const DEFAULT_LOCK: Lock = { kind: 'p2pkh', key: testKey(0) };

export function lockScript(lock: Lock): Uint8Array {
  switch (lock.kind) {
    case 'anyone':
      return ANYONE_CAN_SPEND;
    case 'p2pkh':
      return lock.key.p2pkh;
    case 'p2pk':
      return lock.key.p2pk;
    case 'multisig':
      return multisigScript(
        lock.required,
        lock.keys.map((key) => key.publicKey),
      );
    case 'p2sh':
      return p2shScript(lockScript(lock.redeem));
  }
}

export function pay(value: Sats, lock: Lock = DEFAULT_LOCK): TxOutput {
  return { value, scriptPubKey: lockScript(lock) };
}

/** A signed transaction from the spends to the outputs; the fee is what remains. */
export function buildTx(
  spends: readonly (Spend | TestCoin)[],
  outputs: readonly TxOutput[],
  options: SpendOptions = {},
): Transaction {
  const known = spends.map((spend) => ('coin' in spend ? spend : { coin: spend }));
  const coins = known.map((spend) => spend.coin);
  const locks = new Map(known.map((spend) => [spend.coin, spend.lock ?? DEFAULT_LOCK]));
  return signInputs(unsignedPayment({ ...options, coins, outputs }), coins, (coin, sign) =>
    unlockScript(locks.get(coin) ?? DEFAULT_LOCK, sign),
  );
}

/** An input with its scripts as they are, right or wrong. */
export type RawSpend = {
  readonly coin: TestCoin;
  readonly scriptSig?: Uint8Array;
  readonly witness?: readonly Uint8Array[];
  readonly sequence?: number;
};

/** A transaction that is signed by nobody; default output: all that the coins hold, for anybody. */
export function rawTx(
  spends: readonly RawSpend[],
  outputs: readonly TxOutput[] = [pay(sumOf(spends), { kind: 'anyone' })],
  options: Pick<SpendOptions, 'version' | 'lockTime'> = {},
): Transaction {
  const inputs = spends.map(({ coin, scriptSig = NO_SCRIPT, witness = [], sequence = FINAL_SEQUENCE }) => {
    return { prevTxid: coin.txid, prevIndex: coin.index, scriptSig, witness, sequence };
  });
  return Transaction.fromFields({ version: 2, lockTime: 0, ...options, inputs, outputs });
}

function sumOf(spends: readonly RawSpend[]): Sats {
  return spends.reduce((sum, { coin }) => sum + coin.output.value, 0n);
}

/** The signature of input `at` before segwit, hash type included. `scriptCode`: the coin's script unless told otherwise. */
export function legacySignature(
  tx: Transaction,
  at: number,
  key: TestKey,
  coin: TestCoin,
  options: { readonly scriptCode?: Uint8Array; readonly hashType?: number } = {},
): Uint8Array {
  const { scriptCode = coin.output.scriptPubKey, hashType = sighash.SIGHASH_ALL } = options;
  return concatBytes(key.sign(signatureHash(scriptCode, tx, at, hashType)), Uint8Array.of(hashType));
}

/** Output `index` of a transaction, ready to spend. */
export function outputOf(tx: Transaction, index = 0): TestCoin {
  const output = tx.outputs[index];
  if (output === undefined) throw new RangeError(`no output ${index}`);
  return { txid: tx.txidBytes, index, output };
}

/** `redeemScript` is set when the lock sits inside P2SH: it is then what signatures commit to. */
function unlockScript(lock: Lock, sign: SignInput, redeemScript?: Uint8Array): Uint8Array {
  switch (lock.kind) {
    case 'anyone':
      return NO_SCRIPT;
    case 'p2pkh':
      return concatBytes(pushData(sign(lock.key, redeemScript)), pushData(lock.key.publicKey));
    case 'p2pk':
      return pushData(sign(lock.key, redeemScript));
    case 'multisig':
      // CHECKMULTISIG takes one element too many from the stack: OP_0 (BIP147 asks for exactly that).
      return concatBytes(
        Uint8Array.of(0x00),
        ...lock.keys.slice(0, lock.required).map((key) => pushData(sign(key, redeemScript))),
      );
    case 'p2sh': {
      const redeem = lockScript(lock.redeem);
      return concatBytes(unlockScript(lock.redeem, sign, redeem), pushData(redeem));
    }
  }
}
