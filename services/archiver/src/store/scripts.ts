/** All scripts of the archiver. */
import { loadScript } from '@maru/redis-store';

const load = (file: string) => loadScript(new URL(file, import.meta.url));

export const SCRIPTS = {
  claimRooms: load('./claim-rooms.lua'),
  releaseRooms: load('./release-rooms.lua'),
  addRooms: load('./add-rooms.lua'),
  askForTrim: load('./ask-for-trim.lua'),
  holdScan: load('./hold-scan.lua'),
  queueState: load('./queue-state.lua'),
  readLog: load('./read-log.lua'),
  lookAtRoom: load('./look-at-room.lua'),
  markArchived: load('./mark-archived.lua'),
};
