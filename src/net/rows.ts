/** The rows of `protocol` as this module sees them: limits and ids, no codecs. */
import { type StreamName, type StreamRow, streams, type TopicName, type TopicRow, topics } from '#protocol';

export type StreamLimits = Omit<StreamRow<unknown, unknown>, 'request' | 'response'>;
export type Quota = StreamLimits['quota'];
export type TopicLimits = Omit<TopicRow<unknown>, 'codec'>;

export function streamLimits(name: StreamName): StreamLimits {
  return streams[name];
}

/** Rows priced by the byte carry blocks: a relay is not there for those, and would cut the connection. */
export function runsOverRelays(name: StreamName): boolean {
  return streamLimits(name).costPerByte === 0;
}

export function topicLimits(name: TopicName): TopicLimits {
  return topics[name];
}

export const streamNames: readonly StreamName[] = Object.keys(streams).filter(
  (name): name is StreamName => name in streams,
);
export const topicNames: readonly TopicName[] = Object.keys(topics).filter((name): name is TopicName => name in topics);
