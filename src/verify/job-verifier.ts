/** Checks jobs input by input: what every version of the verifier does. */
import type { Secp256k1 } from '#crypto';
import { scriptErrorText, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { assert } from '#util';
import { PassedSignatures } from './passed-signatures.ts';
import type { ScriptJob } from './port.ts';

/** For one batch. Jobs that follow each other and are of one transaction share its hashes, and signatures that passed. */
export class JobVerifier {
  readonly #engine: Secp256k1;
  #secp: Secp256k1;
  #passed: PassedSignatures | undefined;
  #job: ScriptJob | undefined;
  #sighash: TxSighash | undefined;

  constructor(engine: Secp256k1) {
    this.#engine = engine;
    this.#secp = engine;
  }

  /** `next`: the job behind it. */
  begin(job: ScriptJob, next: ScriptJob | undefined): void {
    if (areOfOneTransaction(this.#job, job)) {
      this.#passed?.startAgain();
    } else {
      this.#sighash = new TxSighash(job.tx, job.spent);
      this.#passed = areOfOneTransaction(job, next) ? new PassedSignatures() : undefined;
      this.#secp = this.#passed?.around(this.#engine) ?? this.#engine;
    }
    this.#job = job;
  }

  /** Core's ScriptErrorString when input number `at` of the job that was begun fails, else undefined. */
  verify(at: number): string | undefined {
    const [job, sighash] = [this.#job, this.#sighash];
    const input = job?.tx.inputs[at];
    const spent = job?.spent[at];
    assert(job !== undefined && sighash !== undefined, 'a job was begun');
    assert(input !== undefined && spent !== undefined, 'the input and its spent output exist');
    const checker = new TxSignatureChecker(sighash, at, this.#secp);
    const code = verifyScript(input.scriptSig, spent.scriptPubKey, input.witness, job.flags, checker);
    return code === undefined ? undefined : scriptErrorText(code);
  }
}

/** So that what holds for the one's signatures holds for the other's. */
export function areOfOneTransaction(one: ScriptJob | undefined, other: ScriptJob | undefined): boolean {
  return one !== undefined && one.tx === other?.tx && one.spent === other.spent;
}
