/**
 * Counts in whole sentences. `#` in a form stands for the number, as the language writes it:
 * `plural(2, { one: '# reply', other: '# replies' })`. A form is fixed text, never a user's.
 * `Forms` names the plural forms of the language besides `other`.
 */
export function pluralsOf<Forms extends Intl.LDMLPluralRule = 'other'>(language: string) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count: number, forms: Record<Forms | 'other', string>): string => {
    const form = (forms as Partial<Record<Intl.LDMLPluralRule, string>>)[rules.select(count)] ?? forms.other;
    return form.replaceAll('#', () => numbers.format(count));
  };
}
