/** Which ways to sign in the server offers. */
import { readAuthConfig } from '@maru/client/http';
import type { AuthConfig } from '@maru/protocol/events';
import { useEffect, useState } from 'preact/hooks';

const TIMEOUT_MS = 3_000;

/** Null until it is known. If it cannot be read, the page offers guest access. */
export function useAuthConfig(): AuthConfig | null {
  const [config, setConfig] = useState<AuthConfig | null>(null);
  useEffect(() => {
    let isWanted = true;
    void readAuthConfig({ timeoutMs: TIMEOUT_MS }).then((result) => isWanted && result.ok && setConfig(result.data));
    return () => {
      isWanted = false;
    };
  }, []);
  return config;
}
