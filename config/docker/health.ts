/**
 * Whether the node answers: it is greeted as a peer would (multistream-select), and must greet back. Exit code 0 or 1, as
 * Docker's HEALTHCHECK wants it. It imports nothing of the program, whose start takes longer.
 */
import { connect } from 'node:net';
import process from 'node:process';

const TIMEOUT_MS = 5_000;
/** Mainnet's. */
const DEFAULT_PORT = 8433;
const GREETING = Buffer.from('\x13/multistream/1.0.0\n');

const port = Number(process.env['HEALTH_PORT'] ?? DEFAULT_PORT);
const socket = connect({ host: '127.0.0.1', port });
const timer = setTimeout(() => end(`no answer on port ${port}`), TIMEOUT_MS);
let received = Buffer.alloc(0);

function end(problem: string): void {
  clearTimeout(timer);
  socket.destroy();
  if (problem !== '') process.stdout.write(`${problem}\n`);
  process.exitCode = problem === '' ? 0 : 1;
}

socket.on('connect', () => socket.write(GREETING));
socket.on('error', (error) => end(error.message));
socket.on('end', () => end(`port ${port} closed without a greeting`));
socket.on('data', (bytes) => {
  received = Buffer.concat([received, bytes]);
  if (received.length >= GREETING.length) end(received.indexOf(GREETING) === 0 ? '' : `port ${port} is no node`);
});
