/** Reads imports and string literals from source text, without a parser: enough for the rules in check-imports. */

const STATIC = /^[ \t]*(?:import|export)\s+(?:[^'"`;]*?\sfrom\s*)?(['"])([^'"\n]+)\1/gm;
const STATIC_COMPACT = /^[ \t]*(?:import|export)\s*(?:type\s*)?[{*][^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/gm;
const DYNAMIC = /\b(?:import|require)\(\s*(['"`])([^'"`\n]+)\1/g;
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{;+\-*%~^\n]|=>|\b(?:return|typeof|case|in|of|do|else|yield|await))$/;

/**
 * @param {string} source
 * @param {'js' | 'lua'} language
 * @returns {{imports: Array<{specifier: string, line: number}>, strings: Array<{value: string, line: number}>}}
 */
export function readImports(source, language) {
  const { code, strings } = language === 'lua' ? scanLua(source) : scan(source);
  const lineAt = (/** @type {number} */ index) => source.slice(0, index).split('\n').length;
  /** @type {Map<number, string>} */
  const found = new Map();
  if (language === 'js')
    for (const pattern of [STATIC, STATIC_COMPACT, DYNAMIC])
      for (const match of code.matchAll(pattern)) found.set(match.index + match[0].length, match[2] ?? '');
  return {
    imports: [...found].map(([index, specifier]) => ({ specifier, line: lineAt(index - 1) })),
    strings: strings.map(({ value, index }) => ({ value, line: lineAt(index) })),
  };
}

/** @param {string} source */
function scanLua(source) {
  const code = source.replace(/--.*$/gm, (comment) => ' '.repeat(comment.length));
  return {
    code,
    strings: [...code.matchAll(/(['"])(.*?)\1/g)].map((match) => ({ value: match[2] ?? '', index: match.index })),
  };
}

/**
 * Blanks comments and the insides of template and regular expression literals, so that positions stay; collects literals.
 * @param {string} source
 * @returns {{code: string, strings: Array<{value: string, index: number}>}}
 */
function scan(source) {
  /** @type {Array<{value: string, index: number}>} */
  const strings = [];
  let code = '';
  let at = 0;
  /** Depths of braces at which a template's `${` was opened. @type {number[]} */
  const templates = [];
  let braces = 0;

  const blank = (/** @type {number} */ to) => {
    code += source.slice(at, to).replace(/[^\n]/g, ' ');
    at = to;
  };
  const keep = (/** @type {number} */ to) => {
    code += source.slice(at, to);
    at = to;
  };
  /** From inside a template up to its end or its next `${`. */
  const template = () => {
    const start = at;
    while (at < source.length && source[at] !== '`' && !source.startsWith('${', at)) {
      at += source[at] === '\\' ? 2 : 1;
    }
    const end = Math.min(at, source.length);
    strings.push({ value: source.slice(start, end), index: start });
    at = start;
    // A template without a hole is kept: a dynamic import may name its module so.
    if (source[end] === '`' && !source.slice(start, end).includes('\n')) keep(end);
    else blank(end);
    if (source[end] === '`') keep(end + 1);
    else if (end < source.length) {
      keep(end + 2);
      templates.push(braces);
      braces++;
    }
  };

  while (at < source.length) {
    const char = source[at];
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at);
      blank(end === -1 ? source.length : end);
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      blank(end === -1 ? source.length : end + 2);
    } else if (char === "'" || char === '"') {
      let end = at + 1;
      while (end < source.length && source[end] !== char && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1;
      strings.push({ value: source.slice(at + 1, end), index: at });
      // Quotes within a string would look like another string to the patterns above.
      code += char + source.slice(at + 1, end).replace(/['"`]/g, ' ');
      at = end;
      keep(Math.min(end + 1, source.length));
    } else if (char === '`') {
      keep(at + 1);
      template();
    } else if (char === '/' && BEFORE_REGEX.test(code.trimEnd().slice(-12))) {
      let end = at + 1;
      for (let inClass = false; end < source.length && source[end] !== '\n'; end++) {
        if (source[end] === '\\') end++;
        else if (source[end] === '[') inClass = true;
        else if (source[end] === ']') inClass = false;
        else if (source[end] === '/' && !inClass) break;
      }
      blank(Math.min(end + 1, source.length));
    } else {
      if (char === '{') braces++;
      if (char === '}') braces--;
      keep(at + 1);
      if (char === '}' && templates.at(-1) === braces) {
        templates.pop();
        template();
      }
    }
  }
  return { code, strings };
}
