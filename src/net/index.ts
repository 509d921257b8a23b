export type {
  GossipMessage,
  GossipVerdict,
  Net,
  NetHandlers,
  NetStatus,
  PeerIdText,
  PeerInfo,
  RequestErrorCode,
  ResponseFrame,
  ResponseStatus,
} from './port.ts';
