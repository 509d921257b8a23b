/** From flags to the ZMQ publishers. */
import { type Logger, systemClock } from '#util';
import type { ZmqOptions, ZmqServer } from '#zmq';
import type { Settings } from './options.ts';

/** Undefined where none is wanted; the module is loaded only then. Throws NodeError. */
export async function startNodeZmq(settings: Settings, log: Logger): Promise<ZmqServer | undefined> {
  const options: ZmqOptions = {
    hashblock: { addresses: settings.zmqpubhashblock, highWaterMark: settings.zmqpubhashblockhwm },
    hashtx: { addresses: settings.zmqpubhashtx, highWaterMark: settings.zmqpubhashtxhwm },
    rawblock: { addresses: settings.zmqpubrawblock, highWaterMark: settings.zmqpubrawblockhwm },
    rawtx: { addresses: settings.zmqpubrawtx, highWaterMark: settings.zmqpubrawtxhwm },
    sequence: { addresses: settings.zmqpubsequence, highWaterMark: settings.zmqpubsequencehwm },
  };
  if (Object.values(options).every(({ addresses }) => addresses.length === 0)) return undefined;
  const { startZmq } = await import('#zmq');
  return startZmq(options, { clock: systemClock, log: log.child('zmq') });
}
