/**
 * The verdict of a rule. Rules never throw on bad data: they return `undefined` (valid) or one of these.
 * `code` is Bitcoin Core's reject reason, letter for letter; `kind` is Core's BlockValidationResult
 * (consensus/validation.h), which the judge needs to know whom to blame.
 */
export type FailureKind =
  /** Breaks a consensus rule: the block (or transaction) can never be valid. */
  | 'consensus'
  /** The header itself is invalid (proof of work, difficulty, time too old, version). */
  | 'invalid-header'
  /** Body and header disagree: another copy of the same block may be good. */
  | 'mutated'
  | 'missing-prev'
  | 'invalid-prev'
  /** More than two hours ahead: may become valid. */
  | 'time-future'
  | 'checkpoint'
  /** Known to be invalid from before. */
  | 'cached-invalid'
  /** Not enough work to be worth storing. */
  | 'header-low-work';

export type ValidationFailure = {
  readonly code: string;
  readonly kind: FailureKind;
  /** Core's debug message: more detail, bounded, for logs only. */
  readonly debug?: string;
};

export function failure(kind: FailureKind, code: string, debug?: string): ValidationFailure {
  return debug === undefined ? { kind, code } : { kind, code, debug };
}
