/** Types of the Kubernetes fields that our rules read, and functions to find objects. */
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: unknown;
  data?: Record<string, string>;
}

export interface Port {
  name?: string;
  containerPort: number;
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  exec?: { command: string[] };
  tcpSocket?: { port: string | number };
}

export interface Container {
  name: string;
  image: string;
  ports?: Port[];
  env?: Array<{
    name: string;
    value?: string;
    valueFrom?: {
      secretKeyRef?: { name: string; key: string; optional?: boolean };
      /** A quantity of the container's own resources, for example its memory limit in MiB. */
      resourceFieldRef?: { resource: string; divisor?: string };
    };
  }>;
  envFrom?: Array<{ configMapRef?: { name: string } }>;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { drop?: string[]; add?: string[] };
  };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
}

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Array<{ key: string; operator: string; values?: string[] }>;
}

export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } };
  topologySpreadConstraints?: Array<{ labelSelector: Selector }>;
  containers: Container[];
  initContainers?: Container[];
  volumes?: Array<{ name: string; configMap?: { name: string }; secret?: { secretName: string } }>;
}

/** A Deployment or a StatefulSet. */
export interface Workload extends Manifest {
  spec: {
    replicas?: number;
    selector: Selector;
    strategy?: { rollingUpdate?: { maxUnavailable?: number | string } };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}

export const isWorkload = (manifest: Manifest): manifest is Workload =>
  manifest.kind === 'Deployment' || manifest.kind === 'StatefulSet';

export const workloads = (manifests: readonly Manifest[]): Workload[] => manifests.filter(isWorkload);
export const named = (manifests: readonly Manifest[], kind: string, name: string | undefined): Manifest | undefined =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
export const labelsOf = (workload: Workload): Record<string, string> => workload.spec.template.metadata.labels;
export const containersOf = ({ containers, initContainers = [] }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
];

/** The line when the rule is violated, otherwise nothing. */
export const when = (violated: boolean, line: string): string[] => (violated ? [line] : []);

/** @throws when the text is not YAML */
export function parseManifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

export function selects(selector: Selector, labels: Record<string, string>): boolean {
  const byLabels = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    byLabels &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      throw new Error(`the rules do not support the operator ${operator}`);
    })
  );
}

/**
 * The environment of a container. `secret` gives the values of secrets, and each value that the
 * cluster would set is `placeholder`.
 */
export function environmentOf(
  container: Container,
  manifests: readonly Manifest[],
  secret: (key: string) => string,
): Record<string, string> {
  const maps = (container.envFrom ?? []).map(
    ({ configMapRef }) =>
      manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name)?.data,
  );
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const reference = valueFrom?.secretKeyRef;
    if (valueFrom?.resourceFieldRef !== undefined) return [name, '512'];
    return [name, value ?? (reference === undefined ? 'placeholder' : secret(reference.key))];
  });
  return { ...Object.assign({}, ...maps), ...Object.fromEntries(own) };
}
