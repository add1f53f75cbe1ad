/** The members of a cluster: its processes. The kind of a member decides which addresses it has. */
import type { RecordedProcess } from '../../bootstrap/cluster-state.mjs';
import { Failure } from '../../bootstrap/failure.mjs';
import type { ManagedProcess, ProcessState } from './managed-process.ts';

interface MemberBase {
  name: string;
  process: ManagedProcess;
  /** The URL of its listener. */
  address(): string;
}

export interface Gateway extends MemberBase {
  kind: 'gateway';
  ops(): string;
  port(): number;
  /** Which requests nginx sends to it: all, only those of its existing sessions, or none. */
  takes: 'all' | 'own' | 'none';
}

export interface Other extends MemberBase {
  kind: 'presence' | 'archiver' | 'redis' | 'postgres' | 'nginx';
  ops(): string | null;
}

export type Member = Gateway | Other;

export interface ProcessView {
  name: string;
  kind: RecordedProcess['kind'];
  pid: number | null;
  address: string;
  ops: string | null;
  state: ProcessState;
}

export function viewMember(member: Member): ProcessView {
  const { state } = member.process;
  // A draining gateway leaves the balancer before it gets the signal.
  const leaving = member.kind === 'gateway' && member.takes === 'own' && state === 'up';
  return {
    name: member.name,
    kind: member.kind,
    pid: member.process.pid,
    address: member.address(),
    ops: member.ops(),
    state: leaving ? 'draining' : state,
  };
}

/** The lowest unused `gateway-N`. A gateway that is down keeps its name. */
export function nextGatewayName(names: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    if (!names.includes(`gateway-${number}`)) return `gateway-${number}`;
  }
}

export function findMember(members: readonly Member[], name: string): Member {
  const member = members.find((candidate) => candidate.name === name);
  if (member === undefined)
    throw new Failure(`There is no ${name}. There are: ${members.map((candidate) => candidate.name).join(', ')}.`);
  return member;
}
