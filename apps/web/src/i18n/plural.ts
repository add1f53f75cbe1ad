/**
 * Formats counts in whole sentences. `#` stands for the number in the format of the language:
 * `plural(2, { one: '# reply', other: '# replies' })`. A form MUST be a fixed text, never user
 * input. `Forms` names the plural forms of the language besides `other`.
 */
export function pluralsOf<Forms extends Intl.LDMLPluralRule = 'other'>(language: string) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count: number, forms: Record<Forms | 'other', string>): string => {
    const form = (forms as Partial<Record<Intl.LDMLPluralRule, string>>)[rules.select(count)] ?? forms.other;
    return form.replaceAll('#', () => numbers.format(count));
  };
}
