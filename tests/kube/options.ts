/** The command line of `npm run test:kube`. Pure. */

export const HELP = `Usage: KUBECONFIG=… npm run test:kube -- [options]

Applies deploy/k8s/overlays/local to a new namespace of the cluster that KUBECONFIG names, lets clients chat through the public
Service while pods are restarted, scaled, evicted and killed, checks what the clients received, and deletes the namespace.

It needs kubectl, a test cluster with two free cores and 3 GiB, and on its nodes the images maru/gateway:local, maru/presence:local,
maru/edge:local and maru/redis:local (docs/kubernetes.md describes how to build them).

  --load-images CMD  first run CMD with the image names as arguments: "kind load docker-image", "minikube image load"
  --url URL          address of the public Service; default: its load balancer or node port
  --clients N        clients; every fifth uses long-polling only   (40)
  --rate R           messages a second of all clients together     (40)
  --only A,B         only disruptions whose names start with A or B: "scaled,evicted"
  --keep             keep the namespace for inspection
  --help             show this text

Exit codes: 0 no violation, 1 a violation, 2 an invalid option or a missing requirement.`;

export interface KubeOptions {
  loadImages: string[] | undefined;
  url: string | undefined;
  clients: number;
  rate: number;
  /** Prefixes of names; empty for all. */
  only: string[];
  keep: boolean;
}

/** An invalid option or a missing requirement. The message is for the user. */
export class Misuse extends Error {}

const NUMBERS = { '--clients': { low: 5, high: 1_000 }, '--rate': { low: 1, high: 1_000 } } as const;

export function parseKubeOptions(args: readonly string[]): KubeOptions | 'help' {
  const options: KubeOptions = { loadImages: undefined, url: undefined, clients: 40, rate: 40, only: [], keep: false };
  for (let index = 0; index < args.length; index++) {
    const [name = '', inline] = (args[index] ?? '').split(/=(.*)/s, 2);
    if (name === '--help' || name === '-h') return 'help';
    if (name === '--keep') {
      options.keep = true;
      continue;
    }
    const value = inline ?? args[++index] ?? '';
    if (value === '') throw new Misuse(`${name} needs a value.`);
    if (name === '--load-images') options.loadImages = value.split(/\s+/);
    else if (name === '--only') options.only = value.split(',').map((part) => part.trim());
    else if (name === '--clients') options.clients = toNumber(name, value);
    else if (name === '--rate') options.rate = toNumber(name, value);
    else if (name === '--url') {
      if (!URL.canParse(value) || !/^https?:/.test(value))
        throw new Misuse(`--url must be an HTTP address, not ${value}.`);
      options.url = value.replace(/\/+$/, '');
    } else throw new Misuse(`${name} is not a known option.`);
  }
  return options;
}

function toNumber(name: keyof typeof NUMBERS, value: string): number {
  const { low, high } = NUMBERS[name];
  const number = Number(value);
  if (!Number.isInteger(number) || number < low || number > high)
    throw new Misuse(`${name} must be a whole number from ${low} to ${high}, not ${value}.`);
  return number;
}
