/** A short sound of two tones. The browser generates it, so no file loads. */
const TONES_HZ = [660, 880];
const TONE_S = 0.12;
const LOUDNESS = 0.08;
/** Closing the audio context releases the audio device of an idle page. */
const CLOSE_AFTER_MS = 1_000;

/**
 * Browsers allow sound only after the user has interacted with the page. Before that, the call is
 * silent and does not fail.
 */
export function playSound(): void {
  const isAllowed = navigator.userActivation?.hasBeenActive ?? true;
  if (!isAllowed || !('AudioContext' in globalThis)) return;
  const context = new AudioContext();
  const volume = context.createGain();
  volume.connect(context.destination);
  const start = context.currentTime;
  volume.gain.setValueAtTime(LOUDNESS, start);
  // Fade out, because a sudden end causes a click.
  volume.gain.exponentialRampToValueAtTime(LOUDNESS / 100, start + TONE_S * TONES_HZ.length);
  for (const [index, frequency] of TONES_HZ.entries()) {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(volume);
    tone.start(start + index * TONE_S);
    tone.stop(start + (index + 1) * TONE_S);
  }
  setTimeout(() => void context.close(), CLOSE_AFTER_MS);
}
