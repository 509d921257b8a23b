/** Runs single scripts without a transaction around them; a test says what the signature checker answers. */
import { ScriptFlag, type SignatureChecker } from '#script';
import { toHex } from '#util';
import { evalScript } from '../../../src/script/interpreter.ts';
import { type ScriptSigVersion, SigVersion, type TaprootContext } from '../../../src/script/sig-version.ts';
import { assemble } from '../../support/core-vectors.ts';

export type Setup = {
  readonly flags?: number;
  readonly version?: ScriptSigVersion;
  readonly checker?: Partial<SignatureChecker>;
  readonly taproot?: TaprootContext;
};

const NO_TO_ALL: SignatureChecker = {
  checkEcdsa: () => false,
  checkSchnorr: () => 'SCHNORR_SIG',
  checkTapTweak: () => false,
  checkLockTime: () => false,
  checkSequence: () => false,
};

export function checkerThat(answers: Partial<SignatureChecker>): SignatureChecker {
  return { ...NO_TO_ALL, ...answers };
}

/** The stack that the script leaves, bottom first, in hex with `.` for an empty element; or the error. */
export function run(script: string | Uint8Array, setup: Setup = {}): string {
  const { flags = ScriptFlag.NONE, version = SigVersion.BASE, checker = {}, taproot } = setup;
  const stack: Uint8Array[] = [];
  const bytes = typeof script === 'string' ? assemble(script) : script;
  const error = evalScript(stack, bytes, flags, checkerThat(checker), version, taproot);
  return error ?? stack.map((item) => (item.length === 0 ? '.' : toHex(item))).join(' ');
}

export function tapscript(weightLeft: number): TaprootContext {
  const leafHash = new Uint8Array(32).fill(1);
  return { annexHash: undefined, leafHash, codeSeparatorPosition: 0xffffffff, weightLeft };
}
