/** A certificate authority for one test, and server certificates, created by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Certificates {
  /** The authority's certificate in PEM. */
  ca: string;
  caFile: string;
  certificateFile: string;
  keyFile: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/**
 * Creates an authority and a certificate for this name, such as `DNS:localhost` or `IP:127.0.0.1`.
 */
export function makeCertificates(directory: string, name: string): Certificates {
  mkdirSync(directory, { recursive: true });
  const file = (leaf: string) => path.join(directory, leaf);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const [caFile, caKey] = [file('ca.pem'), file('ca.key')];
  openssl('req', '-x509', ...KEY, '-subj', '/CN=Test authority', '-keyout', caKey, '-out', caFile);
  const [certificateFile, keyFile] = [file('server.pem'), file('server.key')];
  openssl(
    ...['req', '-x509', ...KEY, '-subj', '/CN=Test server', '-addext', `subjectAltName=${name}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-CA', caFile, '-CAkey', caKey],
    ...['-keyout', keyFile, '-out', certificateFile],
  );
  return { ca: readFileSync(caFile, 'utf8'), caFile, certificateFile, keyFile };
}
