/** The gateways: their load, their health, and how to drain one. */
import { useRef } from 'preact/hooks';
import { useSection } from '../i18n/index.ts';
import type { AdminApi } from './admin-api.ts';
import { useAsk } from './confirm.tsx';
import { type Formats, useFormats } from './formats.ts';
import { Sparkline } from './sparkline.tsx';
import { type Column, ListState, Table } from './table.tsx';
import type { Health, NodeReport } from './types.ts';
import { useData } from './use-data.ts';

/** Nodes report every 5 seconds. */
const REFRESH_MS = 5_000;
/** Samples of five minutes. */
const SAMPLES_MAX = 60;

interface Totals {
  connections: number;
  messages: number;
  deliveries: number;
}

const sum = (nodes: readonly NodeReport[], of: (node: NodeReport) => number) =>
  nodes.reduce((total, node) => total + of(node), 0);

const totalsOf = (nodes: readonly NodeReport[]): Totals => ({
  connections: sum(nodes, (node) => node.connections),
  messages: sum(nodes, (node) => node.messagesPerS),
  deliveries: sum(nodes, (node) => node.deliveriesPerS),
});

/** The totals of all nodes, sampled since the view was opened. */
function useSamples(nodes: readonly NodeReport[] | null): Totals[] {
  const samples = useRef<{ last: readonly NodeReport[] | null; all: Totals[] }>({ last: null, all: [] });
  if (nodes !== null && samples.current.last !== nodes)
    samples.current = { last: nodes, all: [...samples.current.all, totalsOf(nodes)].slice(-SAMPLES_MAX) };
  return samples.current.all;
}

export function NodesView({ api }: { api: AdminApi }) {
  const words = useSection('console');
  const formats = useFormats();
  const { value, ...state } = useData(api.nodes, '', REFRESH_MS);
  const samples = useSamples(value);
  const ask = useAsk();
  const nodes = value ?? [];
  const last = samples.at(-1);
  const drain = ({ node, connections }: NodeReport) =>
    ask({
      title: words.drainTitle(node),
      detail: words.drainDetail(connections),
      act: words.drain,
      run: () => api.drain(node),
      onDone: state.reload,
      onChanged: state.reload,
    });
  const rebalance = ({ node }: NodeReport) =>
    ask({
      title: words.rebalanceTitle(node),
      detail: words.rebalanceDetail,
      act: words.rebalance,
      run: () => api.rebalance(node),
      onDone: state.reload,
      onChanged: state.reload,
    });
  return (
    <>
      {last !== undefined && (
        <dl class="totals" data-testid="totals">
          <Total title={words.nodes} value={formats.count(nodes.length)} />
          <Total
            title={words.connections}
            value={formats.count(last.connections)}
            samples={samples.map(({ connections }) => connections)}
          />
          <Total
            title={words.messagesPerS}
            value={formats.rate(last.messages)}
            samples={samples.map(({ messages }) => messages)}
          />
          <Total
            title={words.deliveriesPerS}
            value={formats.rate(last.deliveries)}
            samples={samples.map(({ deliveries }) => deliveries)}
          />
          <HealthTotals nodes={nodes} />
        </dl>
      )}
      <Table
        caption={words.nodes}
        testId="nodes"
        rows={nodes}
        keyOf={({ node }) => node}
        columns={columnsOf(words, formats, drain, rebalance)}
      />
      <ListState {...state} isReady={value !== null} isEmpty={nodes.length === 0} onRetry={state.reload} />
    </>
  );
}

type ConsoleWords = ReturnType<typeof useSection<'console'>>;
type OnNode = (node: NodeReport) => void;

const columnsOf = (
  words: ConsoleWords,
  formats: Formats,
  drain: OnNode,
  rebalance: OnNode,
): Array<Column<NodeReport>> => [
  {
    title: words.node,
    cell: (node) => (
      <>
        <strong>{node.node}</strong> {node.draining && <span class="chip chip-warn">{words.draining}</span>}
      </>
    ),
  },
  { title: words.connections, isNumber: true, cell: (node) => formats.count(node.connections) },
  { title: words.rooms, isNumber: true, cell: (node) => formats.count(node.rooms) },
  { title: words.messagesPerS, isNumber: true, cell: (node) => formats.rate(node.messagesPerS) },
  { title: words.deliveriesPerS, isNumber: true, cell: (node) => formats.rate(node.deliveriesPerS) },
  { title: words.cpu, isNumber: true, cell: (node) => formats.percent(node.cpu) },
  { title: words.eventLoop, isNumber: true, cell: (node) => formats.percent(node.eventLoop) },
  { title: words.memory, isNumber: true, cell: (node) => formats.mebibytes(node.memoryBytes) },
  { title: words.version, cell: (node) => node.version },
  { title: words.uptime, cell: (node) => formats.span(node.uptimeS) },
  {
    title: words.acts,
    cell: (node) => (
      <span class="row-acts">
        <button type="button" class="quiet-button" data-testid="rebalance" onClick={() => rebalance(node)}>
          {words.rebalance}
        </button>
        <button
          type="button"
          class="quiet-button"
          data-testid="drain"
          disabled={node.draining}
          onClick={() => drain(node)}
        >
          {words.drain}
        </button>
      </span>
    ),
  },
];

function Total({ title, value, samples }: { title: string; value: string; samples?: number[] }) {
  return (
    <div class="total">
      <dt>{title}</dt>
      <dd>
        {value}
        {samples !== undefined && <Sparkline values={samples} />}
      </dd>
    </div>
  );
}

/**
 * Health of the dependencies as the gateways see them. A failure is shown if at least one gateway
 * reports it.
 */
function HealthTotals({ nodes }: { nodes: readonly NodeReport[] }) {
  const words = useSection('console');
  const parts = [
    ['Redis', (node: NodeReport) => node.redis],
    [words.presence, (node: NodeReport) => node.presence],
    [words.archive, (node: NodeReport) => node.archive],
  ] as const;
  return (
    <>
      {parts.map(([name, of]) => {
        const failing = nodes.filter((node) => of(node) === 'failing');
        const state: Health = failing.length > 0 ? 'failing' : nodes.every((node) => of(node) === 'off') ? 'off' : 'ok';
        return (
          <div class="total" key={name}>
            <dt>{name}</dt>
            <dd>
              <span class={`chip chip-${state}`} data-testid={`health-${name.toLowerCase()}`} data-state={state}>
                {words.health[state]}
              </span>
              {failing.length > 0 && <span class="hint"> {failing.map(({ node }) => node).join(', ')}</span>}
            </dd>
          </div>
        );
      })}
    </>
  );
}
