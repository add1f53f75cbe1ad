/** Formats numbers and times in the language of the page. */
import { useMemo } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';

const MIB = 1_048_576;
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

export function useFormats() {
  const { language } = useWords();
  return useMemo(() => {
    const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    const short = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });
    return {
      count: (value: number) => whole.format(value),
      rate: (value: number) => short.format(value),
      percent: (value: number) => percent.format(value),
      mebibytes: (bytes: number) => `${whole.format(bytes / MIB)} MiB`,
      time: (ts: number) => time.format(ts),
      /** A duration in its largest unit: 3 days. */
      span: (seconds: number) => {
        const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? (['second', 1] as const);
        return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(
          Math.floor(seconds / size),
        );
      },
    };
  }, [language]);
}

export type Formats = ReturnType<typeof useFormats>;
