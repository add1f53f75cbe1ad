/**
 * Measures who used the CPU, to distinguish a slow run from a busy machine. It reads /proc, so it
 * works only on Linux.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** CPU time in ticks since the machine or a process started. */
interface Ticks {
  total: number;
  idle: number;
  steal: number;
  /** CPU time of this process and all its descendants, ended ones included. */
  own: number;
}

/** Shares of all cores, and the load average at the end. */
export interface MachineUse {
  cores: number;
  own: number;
  others: number;
  idle: number;
  steal: number;
  loadAverage: number;
}

const FIELD = { parent: 1, firstTime: 11, lastTime: 14 } as const;
const CPU_FIELDS = { idle: 3, iowait: 4, steal: 7, last: 7 } as const;

/** Starts to measure. The function returns the use since then; undefined without /proc. */
export function watchMachine(): () => MachineUse | undefined {
  const before = readTicks();
  return () => {
    const after = readTicks();
    if (before === undefined || after === undefined) return undefined;
    const total = Math.max(1, after.total - before.total);
    const share = (name: 'own' | 'idle' | 'steal') => (after[name] - before[name]) / total;
    const [own, idle, steal] = [share('own'), share('idle'), share('steal')];
    const loadAverage = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
    return {
      cores: availableParallelism(),
      own,
      idle,
      steal,
      others: Math.max(0, 1 - own - idle - steal),
      loadAverage,
    };
  };
}

export function describeUse({ cores, own, others, idle, steal, loadAverage }: MachineUse): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return (
    `of ${cores} cores ${percent(own)} were this run's, ${percent(others)} others', ${percent(idle)} idle, ` +
    `${percent(steal)} stolen; load average ${loadAverage}`
  );
}

function readTicks(): Ticks | undefined {
  try {
    const cpu = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).slice(1).map(Number);
    const at = (field: number) => cpu[field] ?? 0;
    return {
      total: cpu.slice(0, CPU_FIELDS.last + 1).reduce((sum, ticks) => sum + ticks, 0),
      idle: at(CPU_FIELDS.idle) + at(CPU_FIELDS.iowait),
      steal: at(CPU_FIELDS.steal),
      own: readOwnTicks(),
    };
  } catch {
    return undefined;
  }
}

function readOwnTicks(): number {
  const processes = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // A program name may contain spaces and brackets: the fields begin after it.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number);
      const times = fields.slice(FIELD.firstTime, FIELD.lastTime + 1);
      processes.set(pid, { parent: fields[FIELD.parent] ?? 0, ticks: times.reduce((sum, time) => sum + time, 0) });
    } catch {
      // The process has ended.
    }
  }
  const isOwn = (pid: number): boolean => {
    if (pid === process.pid) return true;
    const parent = processes.get(pid)?.parent ?? 0;
    return parent !== 0 && isOwn(parent);
  };
  let own = 0;
  for (const [pid, { ticks }] of processes) if (isOwn(pid)) own += ticks;
  return own;
}
