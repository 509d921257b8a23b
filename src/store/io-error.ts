/** Translates what the file system and LevelDB throw into NodeError, once, at the edge. */
import { errorText, NodeError } from '#util';

const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
/** LevelDB reports errno as strerror's text only. */
const FULL_TEXT = /No space left on device|Disk quota exceeded/;

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** `action` continues "cannot": "append to the block files". A NodeError passes through unchanged. */
export function ioError(error: unknown, action: string, path: string): NodeError {
  if (error instanceof NodeError) return error;
  const code = errnoOf(error);
  const text = errorText(error);
  if ((code !== undefined && FULL_CODES.has(code)) || FULL_TEXT.test(text)) {
    return new NodeError('DISK_FULL', `disk full: cannot ${action} ${path}; free some space`, {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new NodeError('IO', `cannot ${action} ${path}: no permission (${code}); check its owner and mode`, {
      cause: error,
    });
  }
  return new NodeError('IO', `cannot ${action} ${path}: ${text}`, { cause: error });
}
