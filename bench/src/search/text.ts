/**
 * Texts as people write them, half of them Korean. The frequency of words follows Zipf's law: the
 * word of rank r is r times rarer than the first.
 */

const VOCABULARY = 60_000;
const WORDS_MIN = 2;
const WORDS_MORE = 16;
const ONSETS = ['b', 'br', 'c', 'd', 'f', 'g', 'h', 'l', 'm', 'n', 'p', 'r', 's', 'st', 't', 'th', 'v', 'w'];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ea', 'ou'];
const PARTICLES = ['', '', '은', '는', '이', '가', '을', '를', '에', '에서', '도', '로', '하고', '했어요', '합니다'];
const SYLLABLES =
  '가나다라마바사아자차카타하고노도로모보소오조수우주구부무기니디리미비시이지인한정상대일사전경제공동국학생방문장신실원의요어서아여연영운유관리화발선성세'.split(
    '',
  );

/** A generator of random numbers below 1 that a seed repeats. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A rank between 0 and `count`, by Zipf's law. */
export const zipf = (random: () => number, count: number): number => Math.floor(count ** random()) - 1;

/** The word of a rank. Each rank has one word, and common words are short. */
export function englishWord(rank: number): string {
  let word = '';
  for (let left = rank + 1; left > 0; left = Math.floor(left / (ONSETS.length * VOWELS.length))) {
    const at = left % (ONSETS.length * VOWELS.length);
    word += (ONSETS[at % ONSETS.length] as string) + VOWELS[Math.floor(at / ONSETS.length)];
  }
  return word;
}

export function koreanWord(rank: number): string {
  let word = '';
  for (let left = rank + SYLLABLES.length; left > 0; left = Math.floor(left / SYLLABLES.length)) {
    word += SYLLABLES[left % SYLLABLES.length];
  }
  return word;
}

export function textOf(random: () => number): string {
  const isKorean = random() < 0.5;
  const count = WORDS_MIN + Math.floor(random() ** 2 * WORDS_MORE);
  return Array.from({ length: count }, () => {
    const rank = zipf(random, VOCABULARY);
    if (!isKorean) return englishWord(rank);
    return koreanWord(rank) + PARTICLES[Math.floor(random() * PARTICLES.length)];
  }).join(' ');
}
