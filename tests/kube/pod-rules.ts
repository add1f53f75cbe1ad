/** What our pods must keep to, beyond what schemas and linters know. Pure: each rule gets what an overlay renders to. */
import {
  type Container,
  containersOf,
  type Manifest,
  named,
  type PodSpec,
  type Workload,
  when,
  workloads,
} from './manifest.ts';

export interface Rule {
  name: string;
  /** A line for each breach. */
  check(manifests: readonly Manifest[], facts: Facts): string[];
}

export interface Facts {
  /** The longest that a service takes to leave, from SIGTERM to its exit, with these settings; undefined for what is not ours. */
  leaveMs(workload: string, manifests: readonly Manifest[]): number | undefined;
  /** Secrets that the user makes. */
  givenSecrets: readonly string[];
  /** ConfigMaps that the user makes. */
  givenConfigMaps: readonly string[];
}

/** A line for each pod or container that a test fails for. */
const everyPod = (
  name: string,
  breach: (pod: PodSpec, workload: Workload, all: readonly Manifest[]) => string[],
): Rule => ({
  name,
  check: (manifests) =>
    workloads(manifests).flatMap((workload) =>
      breach(workload.spec.template.spec, workload, manifests).map((line) => `${workload.metadata.name}: ${line}`),
    ),
});
const everyContainer = (name: string, breach: (container: Container) => string[]): Rule =>
  everyPod(name, (pod) => containersOf(pod).flatMap(breach));

export const POD_RULES: readonly Rule[] = [
  everyPod('pods are restricted', ({ securityContext, automountServiceAccountToken, enableServiceLinks }) => [
    ...when(securityContext?.runAsNonRoot !== true, 'may run as root'),
    ...when(securityContext?.seccompProfile?.type !== 'RuntimeDefault', 'has no seccomp profile'),
    ...when(automountServiceAccountToken !== false, 'gets a token of the API'),
    ...when(enableServiceLinks !== false, 'gets variables of every Service'),
  ]),
  everyPod('pods have a service account of their own', ({ serviceAccountName }, workload, all) => {
    const account = named(all, 'ServiceAccount', serviceAccountName) as
      | (Manifest & { automountServiceAccountToken?: boolean })
      | undefined;
    const shared = workloads(all).filter(
      (other) => other !== workload && other.spec.template.spec.serviceAccountName === serviceAccountName,
    );
    return [
      ...when(account?.automountServiceAccountToken !== false, 'has no account of its own without a token'),
      ...when(shared.length > 0, 'shares its account'),
    ];
  }),
  everyContainer('containers are restricted', ({ securityContext }) => [
    ...when(securityContext?.allowPrivilegeEscalation !== false, 'may gain privileges'),
    ...when(securityContext?.readOnlyRootFilesystem !== true, 'may write its own files'),
    ...when(!securityContext?.capabilities?.drop?.includes('ALL'), 'keeps capabilities'),
    ...when(securityContext?.capabilities?.add !== undefined, 'adds capabilities'),
  ]),
  everyContainer('containers say what they need', ({ resources }) => [
    ...when(resources?.requests?.cpu === undefined, 'requests no CPU'),
    ...when(resources?.requests?.memory === undefined, 'requests no memory'),
    ...when(resources?.limits?.memory === undefined, 'has no memory limit'),
    ...when(resources?.limits?.cpu !== undefined, 'is throttled by a CPU limit'),
  ]),
  everyContainer('images are pinned', ({ image }) =>
    when(!/(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image.split('/').at(-1) ?? ''), `${image} is not pinned`),
  ),
  everyContainer(
    'containers have probes that mean what they say',
    ({ startupProbe, readinessProbe, livenessProbe }) => [
      ...when(startupProbe === undefined, 'has no startup probe'),
      ...when(readinessProbe === undefined, 'has no readiness probe'),
      ...when(livenessProbe === undefined, 'has no liveness probe'),
      // /healthz asks nobody else; a command could ask anybody.
      ...when(livenessProbe?.exec !== undefined, 'is ended because of a command'),
      ...when((livenessProbe?.httpGet?.path ?? '/healthz') !== '/healthz', 'is ended because of others'),
    ],
  ),
  {
    name: 'the grace covers what leaving takes',
    check: (manifests, facts) =>
      workloads(manifests).flatMap((workload) => {
        const { containers, terminationGracePeriodSeconds = 30 } = workload.spec.template.spec;
        const sleepS = Math.max(...containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
        const leaveMs = facts.leaveMs(workload.metadata.name, manifests);
        if (leaveMs === undefined) return [];
        const needS = sleepS + leaveMs / 1_000;
        return [
          ...when(sleepS === 0, `${workload.metadata.name}: leaves before others know`),
          ...when(
            needS > terminationGracePeriodSeconds,
            `${workload.metadata.name}: leaving takes ${needS} s, the grace is ${terminationGracePeriodSeconds} s`,
          ),
        ];
      }),
  },
];
