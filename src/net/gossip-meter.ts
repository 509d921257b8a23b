/** Counts gossip by topic, and its control messages by kind: an addition or two a message. */

import { Histogram, type HistogramFigures } from '#meter';
import type { TopicName } from '#protocol';
import type { ControlKind, TopicCounts } from './figures.ts';
import type { Control } from './gossip-control.ts';
import { topicNames } from './rows.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class GossipMeter {
  readonly counts: Readonly<Record<TopicName, Mutable<TopicCounts>>> = byTopic(() => ({
    ...{ received: 0, duplicates: 0, accepted: 0, ignored: 0, rejected: 0, dropped: 0, published: 0 },
  }));
  readonly #verdictSeconds: Readonly<Record<TopicName, Histogram>> = byTopic(() => new Histogram());
  readonly #control = { in: noControl(), out: noControl() };

  judged(topic: TopicName, ms: number): void {
    this.#verdictSeconds[topic].add(ms / 1000);
  }

  control(direction: 'in' | 'out', control: Partial<Control> | undefined): void {
    if (control === undefined) return;
    const counts = this.#control[direction];
    const { ihave = [], iwant = [], idontwant = [], graft = [], prune = [] } = control;
    for (const { messageIDs } of ihave) counts.ihave += messageIDs.length;
    for (const { messageIDs } of iwant) counts.iwant += messageIDs.length;
    for (const { messageIDs } of idontwant) counts.idontwant += messageIDs.length;
    counts.graft += graft.length;
    counts.prune += prune.length;
  }

  verdictSeconds(topic: TopicName): HistogramFigures {
    return this.#verdictSeconds[topic].figures();
  }

  controlFigures(): Record<'in' | 'out', Record<ControlKind, number>> {
    return { in: { ...this.#control.in }, out: { ...this.#control.out } };
  }
}

export function byTopic<T>(make: (name: TopicName) => T): Record<TopicName, T> {
  return Object.fromEntries(topicNames.map((name) => [name, make(name)])) as Record<TopicName, T>;
}

function noControl(): Record<ControlKind, number> {
  return { ihave: 0, iwant: 0, idontwant: 0, graft: 0, prune: 0 };
}
