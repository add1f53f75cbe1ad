/** Rows of the settings: a label and a control. */
import type { ComponentChildren } from 'preact';

export interface SelectRowProps<T extends string | number> {
  name: string;
  label: string;
  hint?: string | undefined;
  value: T;
  options: ReadonlyArray<{ value: T; label: string; lang?: string }>;
  onChoose: (value: T) => void;
}

export function SelectRow<T extends string | number>(props: SelectRowProps<T>) {
  const { name, label, hint, value, options, onChoose } = props;
  const id = `setting-${name}`;
  return (
    <div class="setting">
      <RowText id={id} label={label} hint={hint} />
      <select
        id={id}
        data-testid={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = options[currentTarget.selectedIndex];
          if (chosen !== undefined) onChoose(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} lang={option.lang}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

export interface ToggleRowProps {
  name: string;
  label: string;
  hint?: string | undefined;
  isOn: boolean;
  isDisabled?: boolean;
  onChange: (isOn: boolean) => void;
  children?: ComponentChildren;
}

export function ToggleRow({ name, label, hint, isOn, isDisabled = false, onChange, children }: ToggleRowProps) {
  const id = `setting-${name}`;
  return (
    <div class="setting">
      <RowText id={id} label={label} hint={hint} />
      {children}
      <input
        type="checkbox"
        id={id}
        data-testid={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        checked={isOn}
        disabled={isDisabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </div>
  );
}

function RowText({ id, label, hint }: { id: string; label: string; hint: string | undefined }) {
  return (
    <div class="setting-text">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
