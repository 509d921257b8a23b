export { dhtProtocol, networkId, protocolId, topicId } from './ids.ts';
export { type OffenceName, offences, type Severity } from './offences.ts';
export { type Codec, HOLD_ACCEPT_MIN_BYTES, type StreamRow, type TopicRow } from './rows.ts';
export { type StreamItem, type StreamName, type StreamRequest, streams } from './streams.ts';
export { type TopicMessage, type TopicName, topics } from './topics.ts';
