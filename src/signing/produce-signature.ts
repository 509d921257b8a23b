/** Unlocks an output with the keys at hand (Core's ProduceSignature): all that can be signed is, and kept. */
import { hash160, ripemd160 } from '#crypto';
import { pushData, SigVersion, solver, templates, verifyScript, witnessProgram } from '#script';
import { concatBytes, toHex } from '#util';
import { signTaproot } from './sign-taproot.ts';
import type { EcdsaVersion, Signing } from './signature-creator.ts';
import type { SignatureData } from './signature-data.ts';

const EMPTY = new Uint8Array(0);

type Step = {
  /** Whether this level is satisfied. */
  readonly isSolved: boolean;
  /** What goes on the stack, or the script behind a hash. */
  readonly stack: readonly Uint8Array[];
};

const UNSOLVED: Step = { isSolved: false, stack: [] };

/** Sets `data.complete` where the spend now passes under `flags`. */
export function produceSignature(signing: Signing, scriptPubKey: Uint8Array, flags: number): boolean {
  const { data, creator } = signing;
  if (data.complete) return true;
  const isSolved = unlock(signing, scriptPubKey);
  data.complete =
    isSolved && verifyScript(data.scriptSig, scriptPubKey, data.scriptWitness, flags, creator.checker) === undefined;
  return data.complete;
}

/** Fills scriptSig and witness with what there is. */
function unlock(signing: Signing, scriptPubKey: Uint8Array): boolean {
  const { data } = signing;
  let script = scriptPubKey;
  let step = signStep(signing, script, SigVersion.BASE);
  let redeemScript: Uint8Array | undefined;
  if (step.isSolved && solver(script).kind === 'scripthash') {
    [redeemScript = EMPTY] = step.stack;
    data.redeemScript = redeemScript;
    script = redeemScript;
    step = signStep(signing, script, SigVersion.BASE);
    if (solver(script).kind === 'scripthash') step = { ...step, isSolved: false };
  }
  const { kind } = solver(script);
  let { isSolved, stack } = step;
  if (isSolved && kind === 'witness_v0_keyhash') {
    const inner = signStep(signing, templates.payToPubKeyHash(stack[0] ?? EMPTY), SigVersion.WITNESS_V0);
    isSolved = inner.isSolved;
    setWitness(data, inner.stack);
    stack = [];
  } else if (isSolved && kind === 'witness_v0_scripthash') {
    isSolved = unlockWitnessScript(signing, stack[0] ?? EMPTY);
    stack = [];
  } else if (kind === 'witness_v1_taproot' && redeemScript === undefined) {
    data.witness = true;
    if (isSolved) data.scriptWitness = stack;
    stack = [];
  } else if (isSolved && kind === 'witness_unknown') data.witness = true;
  if (!data.witness) data.scriptWitness = [];
  const pushed = redeemScript === undefined ? stack : [...stack, redeemScript];
  data.scriptSig = concatBytes(...pushed.map(pushMinimal));
  return isSolved;
}

function unlockWitnessScript(signing: Signing, witnessScript: Uint8Array): boolean {
  const { data } = signing;
  data.witnessScript = witnessScript;
  const { isSolved, stack } = signStep(signing, witnessScript, SigVersion.WITNESS_V0);
  setWitness(data, [...stack, witnessScript]);
  const { kind } = solver(witnessScript);
  const isNested = kind === 'scripthash' || kind === 'witness_v0_scripthash' || kind === 'witness_v0_keyhash';
  return isSolved && !isNested;
}

function setWitness(data: SignatureData, stack: readonly Uint8Array[]): void {
  data.scriptWitness = stack;
  data.witness = true;
}

/** Core's PushAll: small numbers by their opcodes. */
function pushMinimal(data: Uint8Array): Uint8Array {
  const [only = 0] = data;
  if (data.length === 1 && only >= 1 && only <= 16) return Uint8Array.of(0x50 + only);
  return data.length === 1 && only === 0x81 ? Uint8Array.of(0x4f) : pushData(data);
}

function signStep(signing: Signing, script: Uint8Array, version: EcdsaVersion): Step {
  const solved = solver(script);
  const { data } = signing;
  switch (solved.kind) {
    case 'pubkey': {
      const signature = sign(signing, script.subarray(1, -1), script, version);
      return signature === undefined ? UNSOLVED : { isSolved: true, stack: [signature] };
    }
    case 'pubkeyhash': {
      const keyHash = script.subarray(3, 23);
      const publicKey = findKey(signing, keyHash);
      if (publicKey === undefined) data.missingKeys.push(keyHash);
      const signature = publicKey && sign(signing, publicKey, script, version);
      return publicKey && signature ? { isSolved: true, stack: [signature, publicKey] } : UNSOLVED;
    }
    case 'scripthash': {
      const scriptHash = script.subarray(2, 22);
      const found = findScript(signing, scriptHash);
      if (found !== undefined) return { isSolved: true, stack: [found] };
      data.missingRedeemScript = scriptHash;
      return UNSOLVED;
    }
    case 'multisig':
      return signMultisig(signing, solved.required, solved.keys, script, version);
    case 'witness_v0_keyhash':
      return { isSolved: true, stack: [script.subarray(2)] };
    case 'witness_v0_scripthash': {
      const program = script.subarray(2);
      const found = findScript(signing, ripemd160(program));
      if (found !== undefined) return { isSolved: true, stack: [found] };
      data.missingWitnessScript = program;
      return UNSOLVED;
    }
    case 'witness_v1_taproot': {
      const stack = signTaproot(signing, witnessProgram(script)?.program ?? EMPTY);
      return stack === undefined ? UNSOLVED : { isSolved: true, stack };
    }
    default:
      return UNSOLVED;
  }
}

/** All keys are asked, also when enough have signed: a PSBT keeps every signature. */
function signMultisig(
  signing: Signing,
  required: number,
  keys: readonly Uint8Array[],
  script: Uint8Array,
  version: EcdsaVersion,
): Step {
  const signatures = keys.map((key) => sign(signing, key, script, version)).filter((made) => made !== undefined);
  const used = signatures.slice(0, required);
  const isSolved = used.length === required;
  // The element that OP_CHECKMULTISIG takes too many, in front.
  const stack = [EMPTY, ...used];
  while (stack.length < required + 1) stack.push(EMPTY);
  return { isSolved, stack };
}

function sign(
  { keys, creator, data }: Signing,
  publicKey: Uint8Array,
  script: Uint8Array,
  version: EcdsaVersion,
): Uint8Array | undefined {
  const keyHash = hash160(publicKey);
  const known = data.signatures.get(toHex(keyHash));
  if (known !== undefined) return known.signature;
  const found = keys.origin(keyHash);
  if (found !== undefined) data.addOrigin(publicKey, found.origin);
  const signature = creator.ecdsa(keys, keyHash, script, version);
  if (signature === undefined) data.missingSignatures.push(keyHash);
  else data.addSignature(publicKey, signature);
  return signature;
}

function findScript({ keys, data }: Signing, scriptHash: Uint8Array): Uint8Array | undefined {
  const wanted = toHex(scriptHash);
  const known = [data.redeemScript, data.witnessScript].find((each) => each && toHex(hash160(each)) === wanted);
  return keys.script(scriptHash) ?? known;
}

function findKey({ keys, data }: Signing, keyHash: Uint8Array): Uint8Array | undefined {
  const id = toHex(keyHash);
  return data.signatures.get(id)?.publicKey ?? data.origins.get(id)?.publicKey ?? keys.publicKey(keyHash);
}
