/**
 * Fonts for the pictures: Hangul and emoji, which machines without a desktop lack. They are used
 * here only, and never part of the product.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../support/cluster.ts';

const run = promisify(execFile);
const folder = path.join(repository, 'node_modules/.maru/fonts');

/** Packages of the npm registry, and their files. Both fonts have the Open Font License. */
const FONTS = [
  {
    package: '@expo-google-fonts/noto-sans-kr@0.4.3',
    files: ['400Regular/NotoSansKR_400Regular.ttf', '600SemiBold/NotoSansKR_600SemiBold.ttf'],
  },
  { package: '@expo-google-fonts/noto-color-emoji@0.4.6', files: ['400Regular/NotoColorEmoji_400Regular.ttf'] },
];

/** Returns the fontconfig file. The first time, it downloads about 35 MB. */
export async function prepareFonts(): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const { package: name, files } of FONTS) {
    if (files.every((file) => existsSync(path.join(folder, path.basename(file))))) continue;
    const { stdout } = await run('npm', ['pack', name, '--silent'], { cwd: folder });
    const archive = path.join(folder, stdout.trim());
    await run('tar', ['xzf', archive, ...files.map((file) => `package/${file}`)], { cwd: folder });
    for (const file of files) renameSync(path.join(folder, 'package', file), path.join(folder, path.basename(file)));
    rmSync(archive);
    rmSync(path.join(folder, 'package'), { recursive: true });
  }
  const file = path.join(folder, 'fonts.conf');
  writeFileSync(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${folder}</dir>
  <cachedir>${folder}/cache</cachedir>
  <match target="pattern">
    <edit name="family" mode="prepend" binding="strong"><string>Noto Sans KR</string></edit>
  </match>
</fontconfig>
`,
  );
  return file;
}
