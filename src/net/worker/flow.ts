/**
 * Response frames across the thread border, with credit: the sender may have so many bytes out per exchange and in
 * total; the receiver gives credit back as its consumer takes frames. Small frames travel many at a time in one
 * buffer; large ones that nobody else holds keep their memory, which is transferred.
 */
import { ByteBudget } from '../byte-budget.ts';
import { RequestError } from '../errors.ts';
import type { ResponseFrame } from '../port.ts';
import type { FrameBatch, FrameEnd } from './messages.ts';

/** Bytes of one exchange between the threads. Two of the largest blocks fit. */
const WINDOW_BYTES = 8 << 20;
/** Of all requests together, counting large frames only: many small ones must not wait behind a few big ones. */
export const TOTAL_BYTES = 64 << 20;
/** What a frame costs beyond its payload, so that empty frames are bounded too. */
const FRAME_COST = 64;
/** From this size on a payload is sent apart. */
const LARGE_BYTES = 16 * 1024;
const BATCH_BYTES = 64 * 1024;
const MAX_WASTE_BYTES = 64;
/** Credit is given back in steps of this size, or when nothing is left to take. */
const CREDIT_STEP = 1 << 20;

function costOf(frame: ResponseFrame): number {
  return frame.payload.length + FRAME_COST;
}

export type PostBatch = (batch: FrameBatch, transfer: ArrayBuffer[]) => void;

/**
 * Bytes that the node may have out of what it serves. Smaller than a block, so that it reads the next one only when
 * that is asked for: the other side has a budget for what it asks, fair among peers. Small frames come many at a time.
 */
export const SERVING_WINDOW_BYTES = 64 * 1024;

export type SenderOptions = {
  /** Of this exchange. A frame that is larger is out alone. */
  readonly windowBytes?: number;
  /** Of all exchanges in this direction; undefined where the receiver asks for no more than it has room for. */
  readonly total: ByteBudget | undefined;
  readonly post: PostBatch;
  /**
   * Large payloads are given away with their memory. False where somebody may keep them (the node's mempool and
   * caches): they are copied then, which costs a hundredth of what encrypting them will.
   */
  readonly ownsPayloads: boolean;
};

/** The sending end of one exchange. */
export class FrameSender {
  readonly #id: number;
  readonly #options: SenderOptions;
  readonly #window: ByteBudget;
  #batch: ResponseFrame[] = [];
  #batchBytes = 0;
  #flushing: NodeJS.Immediate | undefined;
  /** Large frames that are out, oldest first: their credit comes back in order. */
  readonly #out: { readonly cost: number; readonly counted: number }[] = [];
  #returned = 0;
  #isEnded = false;
  #isOver = false;
  readonly #settled = Promise.withResolvers<void>();

  constructor(id: number, options: SenderOptions) {
    this.#id = id;
    this.#options = options;
    this.#window = new ByteBudget(options.windowBytes ?? WINDOW_BYTES);
  }

  /**
   * Sends everything that `frames` gives, then its end; resolves when the receiver has taken all of it or left.
   * Never rejects: a failure is what the receiver is told.
   */
  async run(
    frames: AsyncIterable<ResponseFrame>,
    signal: AbortSignal,
    toEnd: (error: unknown) => FrameEnd,
  ): Promise<void> {
    let end: FrameEnd = { kind: 'complete' };
    try {
      for await (const frame of frames) {
        await this.#send(frame, signal);
        // The next one is not even made before there is room.
        await this.#window.acquire(0, signal);
      }
    } catch (error) {
      end = toEnd(error);
    }
    this.#flush(end);
    this.#isEnded = true;
    if (this.#out.length === 0) this.close();
    await this.#settled.promise;
  }

  /** The receiver's consumer took so many bytes. */
  credit(bytes: number): void {
    if (this.#isOver) return;
    this.#returned += bytes;
    for (let first = this.#out[0]; first !== undefined && first.cost <= this.#returned; first = this.#out[0]) {
      this.#out.shift();
      this.#returned -= first.cost;
      this.#window.adjust(-first.cost);
      this.#options.total?.adjust(-first.counted);
    }
    if (this.#isEnded && this.#out.length === 0) this.close();
  }

  /** The receiver left: forgets what is out; nothing more is sent. */
  close(): void {
    this.#isOver = true;
    this.#settled.resolve();
    if (this.#flushing !== undefined) clearImmediate(this.#flushing);
    for (const { counted } of this.#out.splice(0)) this.#options.total?.adjust(-counted);
  }

  async #send(frame: ResponseFrame, signal: AbortSignal): Promise<void> {
    const cost = costOf(frame);
    const isLarge = frame.payload.length >= LARGE_BYTES;
    const counted = isLarge ? cost : 0;
    await this.#window.acquire(cost, signal);
    if (counted > 0) {
      try {
        await this.#options.total?.acquire(counted, signal);
      } catch (error) {
        this.#window.adjust(-cost);
        throw error;
      }
    }
    this.#out.push({ cost, counted });
    this.#batch.push(frame);
    this.#batchBytes += cost;
    if (this.#batchBytes >= BATCH_BYTES) this.#flush(undefined);
    else this.#flushing ??= setImmediate(() => this.#flush(undefined));
  }

  #flush(end: FrameEnd | undefined): void {
    if (this.#flushing !== undefined) clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (this.#isOver || (this.#batch.length === 0 && end === undefined)) return;
    const { frames, transfer } = pack(this.#batch, this.#options.ownsPayloads);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#options.post({ id: this.#id, frames, end }, transfer);
  }
}

/** The receiving end: what arrived and was not taken yet. One consumer. */
export class FrameReceiver implements AsyncIterableIterator<ResponseFrame> {
  readonly #giveCredit: (bytes: number) => void;
  readonly #onOver: (isComplete: boolean) => void;
  readonly #isLazy: boolean;
  #frames: ResponseFrame[] = [];
  #next = 0;
  #taken = 0;
  #end: FrameEnd | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<ResponseFrame>> | undefined;
  #isOver = false;

  /**
   * `onOver` is called once: true when the consumer took everything, false when it left or the exchange was cut.
   * `isLazy`: credit is given for what the consumer is done with, not for what it has taken.
   */
  constructor(giveCredit: (bytes: number) => void, onOver: (isComplete: boolean) => void, isLazy = false) {
    this.#giveCredit = giveCredit;
    this.#onOver = onOver;
    this.#isLazy = isLazy;
  }

  receive(batch: FrameBatch): void {
    if (this.#isOver) return;
    if (this.#next === this.#frames.length) {
      this.#frames = [];
      this.#next = 0;
    }
    for (const frame of batch.frames) this.#frames.push(frame);
    this.#end ??= batch.end;
    this.#serve();
  }

  /** Cuts the exchange: what was not taken is dropped, and the consumer gets the error. */
  fail(error: RequestError): void {
    if (this.#isOver) return;
    this.#drop();
    this.#end = { kind: 'failed', code: error.code, text: error.message };
    this.#onOver(false);
    this.#serve();
  }

  next(): Promise<IteratorResult<ResponseFrame>> {
    const result = Promise.withResolvers<IteratorResult<ResponseFrame>>();
    this.#waiting = result;
    this.#serve();
    return result.promise;
  }

  async return(): Promise<IteratorResult<ResponseFrame>> {
    if (!this.#isOver) {
      this.#drop();
      this.#onOver(false);
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Gives credit for what was taken. */
  #settle(): void {
    if (this.#taken > 0) this.#giveCredit(this.#taken);
    this.#taken = 0;
  }

  #drop(): void {
    this.#isOver = true;
    this.#frames = [];
    this.#next = 0;
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const frame = this.#frames[this.#next];
    if (frame !== undefined) {
      this.#waiting = undefined;
      this.#next += 1;
      this.#taken += costOf(frame);
      if (!this.#isLazy && (this.#taken >= CREDIT_STEP || this.#next === this.#frames.length)) this.#settle();
      waiting.resolve({ done: false, value: frame });
      return;
    }
    if (this.#isLazy && !this.#isOver) this.#settle();
    if (this.#end === undefined && !this.#isOver) return;
    this.#waiting = undefined;
    if (!this.#isOver) {
      this.#isOver = true;
      this.#onOver(true);
    }
    const end = this.#end;
    this.#end = { kind: 'complete' };
    if (end?.kind === 'failed') waiting.reject(new RequestError(end.code, end.text));
    else waiting.resolve({ done: true, value: undefined });
  }
}

type Packed = { readonly frames: ResponseFrame[]; readonly transfer: ArrayBuffer[] };

/** Puts what is not given away into one buffer and lists the memory to transfer. */
function pack(frames: readonly ResponseFrame[], ownsPayloads: boolean): Packed {
  const givenBuffer = ({ payload, isExclusive }: ResponseFrame): ArrayBuffer | undefined => {
    const isGiven = isExclusive === true ? isMostOfItsMemory(payload) : ownsPayloads && isAlone(payload);
    return isGiven && payload.buffer instanceof ArrayBuffer ? payload.buffer : undefined;
  };
  let copiedBytes = 0;
  for (const frame of frames) if (givenBuffer(frame) === undefined) copiedBytes += frame.payload.length;
  const shared = new Uint8Array(copiedBytes);
  const transfer: ArrayBuffer[] = copiedBytes > 0 ? [shared.buffer] : [];
  let offset = 0;
  const packed = frames.map((frame) => {
    const { status, payload } = frame;
    const given = givenBuffer(frame);
    if (given !== undefined) {
      transfer.push(given);
      return { status, payload, isExclusive: true };
    }
    shared.set(payload, offset);
    offset += payload.length;
    return { status, payload: shared.subarray(offset - payload.length, offset) };
  });
  return { frames: packed, transfer };
}

/**
 * Large, and alone in its memory but for a status byte in front. A view with anything more beside it may be a piece
 * of what libp2p delivered, whose rest the frame decoder still reads.
 */
function isAlone({ buffer, byteOffset, length }: Uint8Array): boolean {
  return length >= LARGE_BYTES && byteOffset <= 1 && byteOffset + length === buffer.byteLength;
}

/** Large, with little waste around it (a record's head in a file, say). */
function isMostOfItsMemory({ buffer, length }: Uint8Array): boolean {
  return length >= LARGE_BYTES && buffer.byteLength - length <= MAX_WASTE_BYTES;
}

/** The bytes as memory of their own, for transfer. */
export function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
