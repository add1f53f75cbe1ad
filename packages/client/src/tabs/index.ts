export {
  countEndingWithTab,
  countKept,
  forgetKept,
  type KeptIn,
  openTabStorage,
  type TabStorage,
  type TabStorageOptions,
} from './tab-storage.ts';
