/** All rules for our manifests: the rules for pods, and how the objects fit together. Pure. */
import {
  containersOf,
  isWorkload,
  labelsOf,
  type Manifest,
  named,
  type Selector,
  selects,
  type Workload,
  when,
  workloads,
} from './manifest.ts';
import { type Facts, POD_RULES, type Rule } from './pod-rules.ts';

interface NetworkPolicySpec {
  podSelector: Selector;
  policyTypes: string[];
  ingress?: Array<{ from?: Array<{ podSelector?: Selector }>; ports?: Array<{ port: string | number }> }>;
  egress?: Array<{ to?: Array<{ podSelector?: Selector }>; ports?: Array<{ port: string | number }> }>;
}

const hasPort = (workload: Workload, port: string | number) =>
  containersOf(workload.spec.template.spec).some(({ ports = [] }) =>
    ports.some(({ name, containerPort }) => name === port || containerPort === port),
  );

export const RULES: readonly Rule[] = [
  ...POD_RULES,
  {
    name: 'deployments have no gap in a rollout, a disruption budget and a spread',
    check: (manifests) =>
      workloads(manifests)
        .filter(({ kind }) => kind === 'Deployment')
        .flatMap((workload) => {
          const budgets = manifests.filter(
            ({ kind, spec }) =>
              kind === 'PodDisruptionBudget' && selects((spec as { selector: Selector }).selector, labelsOf(workload)),
          );
          return [
            ...when(
              workload.spec.strategy?.rollingUpdate?.maxUnavailable !== 0,
              `${workload.metadata.name}: a rollout removes pods before new ones are ready`,
            ),
            ...when(budgets.length !== 1, `${workload.metadata.name}: ${budgets.length} disruption budgets`),
            ...when(
              (workload.spec.template.spec.topologySpreadConstraints ?? []).length === 0,
              `${workload.metadata.name}: has no topology spread constraint`,
            ),
          ];
        }),
  },
  {
    name: 'selectors find their pods',
    check: (manifests) =>
      manifests.flatMap((manifest) => {
        const pods = workloads(manifests);
        const found = (selector: Selector) => pods.some((workload) => selects(selector, labelsOf(workload)));
        const where = `${manifest.kind} ${manifest.metadata.name}`;
        if (isWorkload(manifest)) {
          const { selector, template } = manifest.spec;
          const spread = (template.spec.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector);
          return [selector, ...spread].flatMap((one) =>
            when(!selects(one, template.metadata.labels), `${where}: does not select its own pods`),
          );
        }
        if (manifest.kind === 'PodDisruptionBudget')
          return when(!found((manifest.spec as { selector: Selector }).selector), `${where}: selects no pod`);
        if (manifest.kind !== 'Service') return [];
        const { selector, ports } = manifest.spec as {
          selector: Record<string, string>;
          ports: Array<{ targetPort: string }>;
        };
        const targets = pods.filter((workload) => selects({ matchLabels: selector }, labelsOf(workload)));
        return [
          ...when(targets.length !== 1, `${where}: selects ${targets.length} workloads`),
          ...targets.flatMap((workload) =>
            ports.flatMap(({ targetPort }) =>
              when(!hasPort(workload, targetPort), `${where}: there is no port ${targetPort}`),
            ),
          ),
        ];
      }),
  },
  {
    name: 'network policies deny by default and refer to existing pods and ports',
    check(manifests) {
      const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
      const denies = policies.some(({ spec }) => {
        const { podSelector, policyTypes, ingress, egress } = spec as NetworkPolicySpec;
        const allPods = Object.keys(podSelector).length === 0;
        return allPods && policyTypes.length === 2 && ingress === undefined && egress === undefined;
      });
      const picked = (selector: Selector) =>
        workloads(manifests).filter((workload) => selects(selector, labelsOf(workload)));
      return [
        ...when(!denies, 'no policy denies by default'),
        ...policies.flatMap(({ metadata, spec }) => {
          const { podSelector, ingress = [], egress = [] } = spec as NetworkPolicySpec;
          const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
          const selectors = [podSelector, ...peers.flatMap((peer) => peer.podSelector ?? [])];
          const into = ingress.flatMap(({ ports = [] }) =>
            ports.map(({ port }) => ({ port, at: picked(podSelector) })),
          );
          const outOf = egress.flatMap(({ to = [], ports = [] }) =>
            to.flatMap((peer) =>
              peer.podSelector === undefined
                ? []
                : ports.map(({ port }) => ({ port, at: picked(peer.podSelector as Selector) })),
            ),
          );
          return [
            ...selectors.flatMap((one) => when(picked(one).length === 0, `${metadata.name}: selects no pod`)),
            ...[...into, ...outOf].flatMap(({ port, at }) =>
              when(!at.every((workload) => hasPort(workload, port)), `${metadata.name}: there is no port ${port}`),
            ),
          ];
        }),
      ];
    },
  },
  {
    name: 'referenced Secrets and ConfigMaps exist',
    check: (manifests, facts) =>
      workloads(manifests).flatMap((workload) => {
        const { spec } = workload.spec.template;
        const secrets = [
          ...containersOf(spec).flatMap(({ env = [] }) =>
            env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
          ),
          ...(spec.volumes ?? []).flatMap(({ secret }) => (secret === undefined ? [] : { name: secret.secretName })),
        ];
        const maps = [
          ...containersOf(spec).flatMap(({ envFrom = [] }) => envFrom.flatMap((from) => from.configMapRef?.name ?? [])),
          ...(spec.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []),
        ];
        return [
          ...secrets.flatMap(({ name }) =>
            when(
              !facts.givenSecrets.includes(name) && named(manifests, 'Secret', name) === undefined,
              `${workload.metadata.name}: there is no Secret ${name}`,
            ),
          ),
          ...maps.flatMap((name) =>
            when(
              !facts.givenConfigMaps.includes(name) && named(manifests, 'ConfigMap', name) === undefined,
              `${workload.metadata.name}: there is no ConfigMap ${name}`,
            ),
          ),
        ];
      }),
  },
  {
    name: 'everything is in one namespace',
    check(manifests) {
      const spaces = new Set(
        manifests.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : (metadata.namespace ?? 'none'))),
      );
      return when(spaces.size !== 1, `the objects are in ${[...spaces].join(', ')}`);
    },
  },
];

export const findViolations = (manifests: readonly Manifest[], facts: Facts): string[] =>
  RULES.flatMap(({ name, check }) => check(manifests, facts).map((line) => `${name}: ${line}`));
