/** The package has no types. */
declare module 'cluster-key-slot' {
  /** The slot of a key or channel, by its hash tag if it has one. */
  export default function keySlot(key: string): number;
}
