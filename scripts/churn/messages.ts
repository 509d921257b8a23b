/** Between `churn.ts` and its processes. Each message to a process is answered by one from it. */
export type ToChurnProcess =
  | {
      readonly kind: 'start';
      readonly count: number;
      readonly seeds: readonly string[];
      /** Full-relay peers that each shall have. */
      readonly outbound: number;
      /** Whether they may be replaced, and are reported on. */
      readonly isMember: boolean;
    }
  | { readonly kind: 'replace'; readonly seeds: readonly string[]; readonly outbound: number }
  | { readonly kind: 'report' };

/** Of one node. */
export type NodeReport = {
  readonly id: string;
  readonly ageMs: number;
  /** Full-relay slots that are filled. */
  readonly fullRelay: number;
  readonly peers: readonly string[];
};

export type FromChurnProcess = {
  /** Of nodes that were started. */
  readonly addresses: readonly string[];
  readonly reports: readonly NodeReport[];
};
