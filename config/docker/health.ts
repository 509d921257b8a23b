/**
 * Whether the node lives: /live of --metrics must answer 200, at the port that STARLING_METRICS names. Exit code 0 or 1, as
 * Docker's HEALTHCHECK wants it. It imports nothing of the program, whose start takes longer.
 */
import { get } from 'node:http';
import process from 'node:process';

const TIMEOUT_MS = 5_000;
/** That of --metrics where the address names none. */
const DEFAULT_PORT = 9332;

const address = process.env['STARLING_METRICS'] ?? '';
// An address of IPv6 has brackets where a port follows.
const [, digits] = /^(?:\[.*\]|[^:]*):(\d+)$/.exec(address) ?? [];
const port = Number(digits ?? DEFAULT_PORT);

function end(problem: string): void {
  if (problem !== '') process.stdout.write(`${problem}\n`);
  process.exitCode = problem === '' ? 0 : 1;
}

function ask(host: string, failed: (problem: string) => void): void {
  const request = get({ host, port, path: '/live', agent: false, timeout: TIMEOUT_MS }, (response) => {
    response.resume();
    end(response.statusCode === 200 ? '' : `port ${port} answers /live with ${response.statusCode}`);
  });
  request.on('timeout', () => request.destroy(new Error(`no answer on port ${port}`)));
  request.on('error', (error) => failed(error.message));
}

if (address === '')
  end('STARLING_METRICS is empty: without it there is nothing to ask, so turn this check off as well');
// Whoever listens on IPv6 alone does not answer the other.
else ask('127.0.0.1', () => ask('::1', end));
