import { useState } from 'react';
import { DurationField } from './duration.js';
import { SelectField } from './field.js';

const CHOICES = [
  ['1h', 'in 1 hour'],
  ['1d', 'in 1 day'],
  ['7d', 'in 7 days'],
  ['30d', 'in 30 days'],
  ['90d', 'in 90 days'],
  ['365d', 'in 1 year'],
] as const;

/** When something ends: a duration from now, as the control plane takes it; null: never. */
export function ExpiryField({
  value,
  onChange,
  error,
}: {
  value: string | null;
  onChange: (value: string | null) => void;
  error?: string | undefined;
}) {
  const [other, setOther] = useState(false);
  const choose = (choice: string): void => {
    setOther(choice === 'other');
    if (choice !== 'other') onChange(choice === 'never' ? null : choice);
  };
  return (
    <div className="grid items-start gap-3 sm:grid-cols-2">
      <SelectField
        label="Expires"
        value={other ? 'other' : (value ?? 'never')}
        error={other ? undefined : error}
        onChange={(event) => choose(event.target.value)}
      >
        {CHOICES.map(([duration, label]) => (
          <option key={duration} value={duration}>
            {label}
          </option>
        ))}
        <option value="never">never</option>
        <option value="other">after another time</option>
      </SelectField>
      {other && (
        <DurationField
          label="After"
          empty="never"
          value={value ?? ''}
          error={error}
          onChange={(text) => onChange(text.trim() || null)}
        />
      )}
    </div>
  );
}
