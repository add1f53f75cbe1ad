/**
 * Rules for our pods that schemas and linters do not check. Pure functions of a rendered overlay.
 */
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
  /** A line for each violation. */
  check(manifests: readonly Manifest[], facts: Facts): string[];
}

export interface Facts {
  /**
   * The longest time from SIGTERM to the exit of a service with these settings; undefined for
   * programs of others.
   */
  shutdownMs(workload: string, manifests: readonly Manifest[]): number | undefined;
  /** Secrets that the user creates. */
  givenSecrets: readonly string[];
  /** ConfigMaps that the user creates. */
  givenConfigMaps: readonly string[];
}

/** A rule for every pod. */
const everyPod = (
  name: string,
  violations: (pod: PodSpec, workload: Workload, all: readonly Manifest[]) => string[],
): Rule => ({
  name,
  check: (manifests) =>
    workloads(manifests).flatMap((workload) =>
      violations(workload.spec.template.spec, workload, manifests).map((line) => `${workload.metadata.name}: ${line}`),
    ),
});
const everyContainer = (name: string, violations: (container: Container) => string[]): Rule =>
  everyPod(name, (pod) => containersOf(pod).flatMap(violations));

export const POD_RULES: readonly Rule[] = [
  everyPod('pods are restricted', ({ securityContext, automountServiceAccountToken, enableServiceLinks }) => [
    ...when(securityContext?.runAsNonRoot !== true, 'may run as root'),
    ...when(securityContext?.seccompProfile?.type !== 'RuntimeDefault', 'has no seccomp profile'),
    ...when(automountServiceAccountToken !== false, 'gets an API token'),
    ...when(enableServiceLinks !== false, 'gets environment variables of every Service'),
  ]),
  everyPod('each pod has a separate service account', ({ serviceAccountName }, workload, all) => {
    const account = named(all, 'ServiceAccount', serviceAccountName) as
      | (Manifest & { automountServiceAccountToken?: boolean })
      | undefined;
    const shared = workloads(all).filter(
      (other) => other !== workload && other.spec.template.spec.serviceAccountName === serviceAccountName,
    );
    return [
      ...when(account?.automountServiceAccountToken !== false, 'has no service account with tokens disabled'),
      ...when(shared.length > 0, 'shares its service account'),
    ];
  }),
  everyContainer('containers are restricted', ({ securityContext }) => [
    ...when(securityContext?.allowPrivilegeEscalation !== false, 'may gain privileges'),
    ...when(securityContext?.readOnlyRootFilesystem !== true, 'has a writable root'),
    ...when(!securityContext?.capabilities?.drop?.includes('ALL'), 'keeps capabilities'),
    ...when(securityContext?.capabilities?.add !== undefined, 'adds capabilities'),
  ]),
  everyContainer('containers declare their resources', ({ resources }) => [
    ...when(resources?.requests?.cpu === undefined, 'requests no CPU'),
    ...when(resources?.requests?.memory === undefined, 'requests no memory'),
    ...when(resources?.limits?.memory === undefined, 'has no memory limit'),
    ...when(resources?.limits?.cpu !== undefined, 'is throttled by a CPU limit'),
  ]),
  everyContainer('images are pinned', ({ image }) =>
    when(!/(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image.split('/').at(-1) ?? ''), `${image} is not pinned`),
  ),
  everyContainer(
    'containers have probes, and liveness depends only on the process',
    ({ startupProbe, readinessProbe, livenessProbe }) => [
      ...when(startupProbe === undefined, 'has no startup probe'),
      ...when(readinessProbe === undefined, 'has no readiness probe'),
      ...when(livenessProbe === undefined, 'has no liveness probe'),
      // /healthz checks only the process itself. A command could check something else.
      ...when(livenessProbe?.exec !== undefined, 'has a liveness probe that is a command'),
      ...when(
        (livenessProbe?.httpGet?.path ?? '/healthz') !== '/healthz',
        'has a liveness probe that depends on others',
      ),
    ],
  ),
  {
    name: 'the grace period covers the shutdown',
    check: (manifests, facts) =>
      workloads(manifests).flatMap((workload) => {
        const { containers, terminationGracePeriodSeconds = 30 } = workload.spec.template.spec;
        const sleepS = Math.max(...containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
        const shutdownMs = facts.shutdownMs(workload.metadata.name, manifests);
        if (shutdownMs === undefined) return [];
        const needS = sleepS + shutdownMs / 1_000;
        return [
          ...when(sleepS === 0, `${workload.metadata.name}: has no preStop sleep, so it stops before others know`),
          ...when(
            needS > terminationGracePeriodSeconds,
            `${workload.metadata.name}: the shutdown takes ${needS} s, the grace period is ${terminationGracePeriodSeconds} s`,
          ),
        ];
      }),
  },
];
