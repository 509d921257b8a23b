/** Runs asynchronous work one at a time, in the order asked for. The queue is as long as its callers make it. */
export type Serial = <T>(work: () => Promise<T>) => Promise<T>;

export function createSerial(): Serial {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = tail.then(work);
    // A failure is its caller's to handle; the next work runs all the same.
    tail = result.catch(() => {});
    return result;
  };
}
