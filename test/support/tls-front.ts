/** A reverse proxy that speaks TLS for `localhost` in front of a port, with a certificate that this process trusts. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { makeTempDir } from './temp-dir.ts';

export type TlsFront = AsyncDisposable & { readonly port: number };

/** Undefined where there is no openssl to make a certificate with. */
export async function startTlsFront(behind: number): Promise<TlsFront | undefined> {
  await using dir = await makeTempDir();
  const [keyPath, certPath] = [join(dir.path, 'key.pem'), join(dir.path, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  try {
    const out = ['-keyout', keyPath, '-out', certPath];
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...out], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const cert = await readFile(certPath, 'utf8');
  const server = createServer({ key: await readFile(keyPath), cert }, (near) => {
    const far = connect(behind, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, cert]);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      setDefaultCACertificates(trusted);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
