/** A program: passes TCP connections on to another place, each byte so many milliseconds late. `port host port ms`. */
import { connect, createServer, type Socket } from 'node:net';
import process from 'node:process';

const [near = '', host = '', far = '', delay = ''] = process.argv.slice(2);

function pass(from: Socket, to: Socket): void {
  // One delay for all: what came first leaves first.
  const later = (what: () => void): void => void setTimeout(what, Number(delay));
  from.on('data', (bytes) => later(() => to.write(bytes)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
}

createServer({ allowHalfOpen: true, noDelay: true }, (caller) => {
  const callee = connect({ host, port: Number(far), allowHalfOpen: true, noDelay: true });
  pass(caller, callee);
  pass(callee, caller);
}).listen(Number(near), () => process.stdout.write('ready\n'));
// The other end of the pipe is gone: so is the test.
process.stdin.resume().on('end', () => process.exit());
