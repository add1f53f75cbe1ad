import { useEffect, useState } from 'preact/hooks';
import type { Words } from './index.ts';
import { chooseLanguage } from './languages.ts';

/**
 * The texts of the chosen language. The page keeps the current texts until the new ones are loaded,
 * or if they cannot be loaded. `load` MUST stay the same function.
 */
export function useChosenWords(
  firstWords: Words,
  choice: string,
  load: (language: Words['language']) => Promise<Words>,
): Words {
  const [words, setWords] = useState(firstWords);
  const wanted = chooseLanguage(navigator.languages, choice);
  useEffect(() => {
    if (wanted === words.language) return;
    let isWanted = true;
    load(wanted).then(
      (next) => isWanted && setWords(next),
      (error: unknown) => console.warn('the language could not be loaded', error),
    );
    return () => {
      isWanted = false;
    };
  }, [wanted, words, load]);
  return words;
}
