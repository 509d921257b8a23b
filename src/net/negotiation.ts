/**
 * How long a peer may talk about protocols. multistream-select answers every line, for as long as lines come: 5 bytes that
 * name what nobody speaks cost 50 microseconds, and all that has come is answered before anything else runs.
 */
import type { MessageStream } from '@libp2p/interface';

/** Three choices (encryption, muxer, protocol) of four lines each, and the handshake of Noise, do with less. */
const MAX_ANSWERS = 16;

/** Makes `send` throw, which ends the negotiation, when so much was said and the choice is still open. */
export function boundNegotiation(stream: Pick<MessageStream, 'send'>, isOpen: () => boolean): void {
  const send = stream.send.bind(stream);
  let left = MAX_ANSWERS;
  stream.send = (bytes) => {
    if (isOpen()) {
      if (left === 0) throw new Error('protocols are named without end');
      left -= 1;
    }
    return send(bytes);
  };
}
