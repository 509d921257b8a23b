export { type FailureKind, failure, type ValidationFailure } from './failure.ts';
export type { HeaderView, NetworkParams } from './params.ts';
