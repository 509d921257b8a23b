export type StreamName = 'hello' | 'headers' | 'blocks' | 'txs';
export type TopicName = 'block' | 'tx';
export type OffenceName = string;
