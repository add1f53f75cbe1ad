import type { ShellProps, ShellState } from '../chat/use-shell.ts';

export type DirectoryProps = ShellProps & { shell: ShellState };
