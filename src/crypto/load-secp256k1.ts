/** Chooses the secp256k1 engine. */
import { bcryptoEngine } from './engine-bcrypto.ts';
import { nobleEngine } from './engine-noble.ts';
import { tinyEngine } from './engine-tiny.ts';
import type { Secp256k1, Secp256k1Name } from './secp256k1.ts';

/** Fastest first: about 11,000, 2,300 and 400 ECDSA verifications a second of one core. */
const ENGINES: Readonly<Record<Secp256k1Name, () => Secp256k1 | undefined>> = {
  bcrypto: bcryptoEngine,
  tiny: tinyEngine,
  noble: nobleEngine,
};

/** The named engine, or undefined when it is not installed or does not work here. */
export function secp256k1Engine(name: Secp256k1Name): Secp256k1 | undefined {
  return ENGINES[name]();
}

/** The preferred engine if it works, else the fastest that does. Takes up to 50 ms the first time. */
export function loadSecp256k1(prefer?: Secp256k1Name): Secp256k1 {
  const preferred = prefer === undefined ? undefined : secp256k1Engine(prefer);
  return preferred ?? bcryptoEngine() ?? tinyEngine() ?? nobleEngine();
}
