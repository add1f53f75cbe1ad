/** Distinguished names (RFC 4514). Pure. */

/** A normalized name: equal names are equal strings. */
export type NormalName = string & { readonly normal: unique symbol };

/** Other characters are escaped. Escaping is always allowed. */
const PLAIN_IN_VALUE = /[^\p{L}\p{N}._-]/gu;
const HEX_PAIR = /^[0-9a-f]{2}$/i;

/** Escapes a value, so that it stays one value inside a distinguished name. */
export const escapeValue = (value: string): string =>
  value.replace(PLAIN_IN_VALUE, (character) =>
    Buffer.from(character).reduce((text, byte) => `${text}\\${byte.toString(16).padStart(2, '0')}`, ''),
  );

/**
 * Case and insignificant spaces do not count. Throws an Error that completes the sentence
 * "VARIABLE …" if it is no name.
 */
export function normalName(name: string): NormalName {
  const parts = split(name, ',').map((part) =>
    split(part, '+')
      .map((pair) => {
        const [type = '', ...value] = split(pair, '=', 2);
        if (!/^[a-z0-9.-]+$/i.test(type.trim()) || value.length !== 1)
          throw new Error('must have names like cn=chat,ou=groups,dc=example,dc=com');
        return `${type.trim().toLowerCase()}=${escapeValue(decodeValue(value[0] as string))}`;
      })
      .sort()
      .join('+'),
  );
  return parts.join(',') as NormalName;
}

export const isName = (text: string): boolean => {
  try {
    return normalName(text) !== '';
  } catch {
    return false;
  }
};

/** Splits where the separator is not escaped, into at most `partsMax` parts. */
function split(text: string, separator: string, partsMax = Number.POSITIVE_INFINITY): string[] {
  const parts = [''];
  for (let i = 0; i < text.length; i++) {
    const isEscape = text[i] === '\\';
    const characters = isEscape ? text.slice(i, ++i + 1) : (text[i] as string);
    if (!isEscape && characters === separator && parts.length < partsMax) parts.push('');
    else parts[parts.length - 1] += characters;
  }
  return parts;
}

function decodeValue(value: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const escaped = value[i] === '\\';
    const pair = value.slice(i + 1, i + 3);
    if (escaped && HEX_PAIR.test(pair)) {
      bytes.push(Number.parseInt(pair, 16));
      i += 2;
      continue;
    }
    const character = String.fromCodePoint(value.codePointAt(escaped ? ++i : i) ?? 0x20);
    bytes.push(...Buffer.from(character));
    i += character.length - 1;
  }
  return Buffer.from(bytes).toString('utf8').normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

/**
 * Spellings that directories take for the same name: they ignore case, width, accents, hidden
 * characters and spaces.
 */
export const foldName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/[\p{M}\p{C}\p{Default_Ignorable_Code_Point}\s]/gu, '')
    .toLowerCase();
