/** A real terminal: tmux with one window in which a shell command runs. What is on its screen can be read as text. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export type Terminal = Disposable & {
  /** The lines of the screen; with `escapes`, as they are coloured. */
  readonly screen: (options?: { readonly escapes?: boolean }) => string;
  /** Until the screen fits; gives it. */
  readonly shows: (pattern: RegExp) => Promise<string>;
  /** Names of tmux for keys (`Up`, `C-c`), or characters. */
  readonly press: (...keys: readonly string[]) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** tmux's variables of the window. */
  readonly state: (format: string) => string;
};

const POLL_MS = 50;
const MAX_POLLS = 1_200;

/** `folder` is for the socket. The server is this terminal's own, and ends with it. */
export function openTerminal(
  folder: string,
  { command, env, columns, rows }: { command: string; env: NodeJS.ProcessEnv; columns: number; rows: number },
): Terminal {
  const tmux = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('tmux', ['-S', join(folder, 'tmux'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...env, LC_ALL: 'C.UTF-8' },
    });
    assert.equal(status, 0, `tmux ${args[0]}: ${stderr}`);
    return stdout;
  };
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), 'sh', '-c', command);
  const screen: Terminal['screen'] = ({ escapes = false } = {}) =>
    tmux('capture-pane', '-p', ...(escapes ? ['-e'] : []));
  return {
    screen,
    shows: async (pattern) => {
      let text = screen();
      for (let polls = 0; !pattern.test(text); polls++) {
        // Before the test's own limit, which would not say what is on the screen.
        assert.ok(polls < MAX_POLLS, `the screen does not show ${pattern}:\n${text}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        text = screen();
      }
      return text;
    },
    press: (...keys) => void tmux('send-keys', ...keys),
    resize: (width, height) => void tmux('resize-window', '-x', String(width), '-y', String(height)),
    state: (format) => tmux('display-message', '-p', format).trimEnd(),
    [Symbol.dispose]: () => void tmux('kill-server'),
  };
}
