import { useEffect, useState } from 'preact/hooks';

/** Debounce: the search starts after this time without typing. */
const PAUSE_MS = 300;

interface SearchFieldProps {
  label: string;
  hint?: string;
  value: string;
  onSearch: (value: string) => void;
}

export function SearchField({ label, hint, value, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onSearch(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onSearch]);
  return (
    <label class="console-field">
      <span>{label}</span>
      <input
        type="search"
        data-testid="console-search"
        autoComplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      {hint !== undefined && <span class="hint">{hint}</span>}
    </label>
  );
}
