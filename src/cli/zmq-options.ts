/** Flags of the ZMQ publishers, with Bitcoin Core's names. Rows of the one table in `options.ts`. */
import { list, type OptionRow, single } from './option-row.ts';
import { nonEmpty, wholeNumber } from './values.ts';

/** Core's DEFAULT_ZMQ_SNDHWM. */
const DEFAULT_HIGH_WATER_MARK = 1000;
const MAX_HIGH_WATER_MARK = 0x7fffffff;

function publisher(topic: string, what: string): OptionRow<readonly string[]> {
  return list({
    flag: `zmqpub${topic}`,
    value: 'ADDR',
    help: `publish ${what} by ZMQ at this address, such as tcp://127.0.0.1:28332; may be repeated`,
    commands: ['node'],
    parse: nonEmpty,
    default: [],
  });
}

function highWaterMark(topic: string): OptionRow<number> {
  return single({
    flag: `zmqpub${topic}hwm`,
    value: 'N',
    help: `messages of --zmqpub${topic} that may wait for a slow subscriber; 0 bounds their bytes alone`,
    commands: ['node'],
    parse: wholeNumber(0, MAX_HIGH_WATER_MARK),
    default: DEFAULT_HIGH_WATER_MARK,
  });
}

export const ZMQ_OPTIONS = {
  zmqpubhashblock: publisher('hashblock', 'the hash of each new tip'),
  zmqpubhashblockhwm: highWaterMark('hashblock'),
  zmqpubhashtx: publisher('hashtx', 'the ids of transactions that enter the mempool or a block'),
  zmqpubhashtxhwm: highWaterMark('hashtx'),
  zmqpubrawblock: publisher('rawblock', 'each new tip as a whole block'),
  zmqpubrawblockhwm: highWaterMark('rawblock'),
  zmqpubrawtx: publisher('rawtx', 'the transactions that enter the mempool or a block'),
  zmqpubrawtxhwm: highWaterMark('rawtx'),
  zmqpubsequence: publisher('sequence', 'what is connected, disconnected, taken into the mempool or removed from it'),
  zmqpubsequencehwm: highWaterMark('sequence'),
};
