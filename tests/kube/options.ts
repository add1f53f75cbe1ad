/** The command line of `npm run test:kube`. Pure. */

export const HELP = `Usage: KUBECONFIG=… npm run test:kube -- [options]

Applies deploy/k8s/overlays/local to a new namespace of the cluster that KUBECONFIG names, lets clients chat through the public
Service while pods are rolled, scaled, evicted and deleted by force, judges what clients saw, and deletes the namespace.

It needs kubectl, a cluster that may be used for it (two free cores and 3 GiB), and on its nodes the images maru/gateway:local,
maru/presence:local, maru/edge:local and maru/redis:local (docs/kubernetes.md says how they are built).

  --load-images CMD  runs CMD with the names of the images after it first: "kind load docker-image", "minikube image load"
  --url URL          where the public Service is reached; otherwise its load balancer or its node port is looked for
  --clients N        clients, every fifth by long-polling only     (40)
  --rate R           messages a second, of all together            (40)
  --only A,B         only disruptions whose names begin so: "scaled,evicted"
  --keep             leaves the namespace for a look around
  --help             this text

The exit code is 0 when nothing was violated, 1 when something was, 2 when an option was wrong or something is missing.`;

export interface KubeOptions {
  loadImages: string[] | undefined;
  url: string | undefined;
  clients: number;
  rate: number;
  /** Beginnings of names; empty for all. */
  only: string[];
  keep: boolean;
}

/** A wrong option, or something that is not there: the message is for the one who started it. */
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
      if (!URL.canParse(value) || !/^https?:/.test(value)) throw new Misuse(`--url takes an address, not ${value}.`);
      options.url = value.replace(/\/+$/, '');
    } else throw new Misuse(`${name} is not an option.`);
  }
  return options;
}

function toNumber(name: keyof typeof NUMBERS, value: string): number {
  const { low, high } = NUMBERS[name];
  const number = Number(value);
  if (!Number.isInteger(number) || number < low || number > high)
    throw new Misuse(`${name} takes a whole number from ${low} to ${high}, not ${value}.`);
  return number;
}
