/**
 * The one place that turns a verdict and its origin into a gossip verdict and an offence. Policy never costs a peer
 * anything: nodes differ in policy, and a reject would fall on the honest forwarder.
 */
import type { ValidationFailure } from '#consensus';
import type { GossipVerdict } from '#net';
import type { OffenceName } from '#protocol';

export type Judgement = {
  readonly gossip: GossipVerdict;
  /** Undefined: nobody is to blame. */
  readonly offence: OffenceName | undefined;
};

/**
 * - `announced`: a header that came by gossip, passed on before its sender could check the body.
 * - `headers`: headers that a peer gave as its own chain.
 * - `block`: a body that the peer itself served.
 * - `rebuilt`: a body put together from an announcement and our own mempool.
 */
export type Origin = 'announced' | 'headers' | 'block' | 'rebuilt';

const NOBODY: Judgement = { gossip: 'ignore', offence: undefined };
const reject = (offence: OffenceName): Judgement => ({ gossip: 'reject', offence });
const charge = (offence: OffenceName): Judgement => ({ gossip: 'ignore', offence });

/**
 * Rows by kind of failure (Core's BlockValidationResult), columns by origin; compare Core's MaybePunishNodeForBlock.
 * `mutated` bodies are the server's fault unless we built them; a block on an invalid one is nobody's fault in gossip,
 * where headers travel ahead of bodies.
 */
const BLOCK_TABLE: Readonly<Record<ValidationFailure['kind'], Readonly<Record<Origin, Judgement>>>> = {
  consensus: { announced: NOBODY, headers: charge('invalid-header'), block: charge('invalid-block'), rebuilt: NOBODY },
  'invalid-header': {
    announced: reject('invalid-header'),
    headers: charge('invalid-header'),
    block: charge('invalid-header'),
    rebuilt: reject('invalid-header'),
  },
  mutated: { announced: NOBODY, headers: NOBODY, block: charge('invalid-block'), rebuilt: NOBODY },
  'missing-prev': {
    announced: NOBODY,
    headers: charge('unconnected-headers'),
    block: charge('wrong-response'),
    rebuilt: NOBODY,
  },
  'invalid-prev': { announced: NOBODY, headers: charge('invalid-header'), block: NOBODY, rebuilt: NOBODY },
  'time-future': { announced: NOBODY, headers: NOBODY, block: NOBODY, rebuilt: NOBODY },
  checkpoint: {
    announced: reject('invalid-header'),
    headers: charge('invalid-header'),
    block: charge('invalid-header'),
    rebuilt: NOBODY,
  },
  'cached-invalid': { announced: NOBODY, headers: charge('invalid-header'), block: NOBODY, rebuilt: NOBODY },
  'header-low-work': { announced: NOBODY, headers: NOBODY, block: NOBODY, rebuilt: NOBODY },
};

export function judgeBlock(failure: ValidationFailure, origin: Origin): Judgement {
  const judgement = BLOCK_TABLE[failure.kind][origin];
  // A hash above its target costs nothing to make: no honest node ever passes one on.
  const isPow = failure.code === 'high-hash' && judgement.offence === 'invalid-header';
  return isPow ? { ...judgement, offence: 'invalid-pow' } : judgement;
}
