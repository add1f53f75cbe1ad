/** The package has no types of its own. */
declare module 'cluster-key-slot' {
  /** The slot of a key or channel: of its hash tag where it has one. */
  export default function keySlot(key: string): number;
}
