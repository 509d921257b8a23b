/**
 * What a peer can do wrong. Whoever notices names the offence; `net` alone decides what it costs (points, decay,
 * ban) from the severity. Few and general on purpose: each must be clear enough to be charged by different people
 * alike. Breaking somebody's *policy* (fees, standardness, a missing parent) is no offence.
 */

/**
 * - `fatal`: no honest peer does it, not even an old or a broken one. Ban at once.
 * - `serious`: a bug at best. The exchange ends; two or three in a row are a ban.
 * - `minor`: happens to honest peers now and then; only many in a short time count.
 * - `incompatible`: not wrong, but no use to us. Disconnect without blame.
 */
type Severity = 'fatal' | 'serious' | 'minor' | 'incompatible';

export type Offence = {
  readonly severity: Severity;
  /** One line for logs and documents. */
  readonly meaning: string;
};

export const offences = {
  'invalid-pow': { severity: 'fatal', meaning: 'a header whose hash does not meet its target' },
  'invalid-header': { severity: 'fatal', meaning: 'a header with work that breaks a header rule' },
  'invalid-block': { severity: 'fatal', meaning: 'a block body, served by this peer, that breaks a consensus rule' },
  'invalid-transaction': {
    severity: 'fatal',
    meaning: 'a transaction that breaks a consensus rule with all its inputs known',
  },
  'undecodable-message': { severity: 'serious', meaning: 'bytes that the codec of their row refuses' },
  'oversized-frame': { severity: 'serious', meaning: 'a frame, message or response above the bound of its row' },
  'protocol-violation': {
    severity: 'serious',
    meaning: 'a broken frame, too many frames, an unknown status, an answer that was not asked for',
  },
  'wrong-response': { severity: 'serious', meaning: 'well-formed bytes that do not answer what was asked' },
  'unconnected-headers': { severity: 'minor', meaning: 'headers or an announcement whose parent stays unknown' },
  stalled: { severity: 'minor', meaning: 'no progress within the time of the row, or an answer broken off' },
  'quota-exceeded': { severity: 'minor', meaning: 'more work asked, or more pushed, than the row allows, sustained' },
  'no-hello': { severity: 'incompatible', meaning: 'no valid hello within its time' },
  'wrong-network': { severity: 'incompatible', meaning: 'a hello with another genesis block' },
  'no-common-revision': { severity: 'incompatible', meaning: 'a hello whose revision is too old for us' },
  'self-connection': { severity: 'incompatible', meaning: 'a hello with our own nonce' },
} as const satisfies Record<string, Offence>;

export type OffenceName = keyof typeof offences;
