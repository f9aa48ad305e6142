/** The first that is found counts: later ones call themselves by the names of earlier ones, too. */
const BROWSERS = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['Vivaldi', 'Vivaldi'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['HeadlessChrome', 'Chromium'],
  ['CriOS', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Version', 'Safari'],
  ['curl', 'curl'],
] as const;
const SYSTEMS = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
] as const;

/** `Firefox 140 on Linux`, as far as a User-Agent tells; for people to recognise theirs, nothing is decided by it. */
export function browserName(userAgent: string | null): string {
  if (!userAgent) return 'Unknown browser';
  const found = BROWSERS.map(([token, name]) => ({
    name,
    version: new RegExp(`\\b${token}/(\\d+)`).exec(userAgent)?.[1],
  }));
  const browser = found.find(({ version }) => version !== undefined);
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const name = browser ? `${browser.name} ${browser.version}` : userAgent.split(/[ /]/)[0]!.slice(0, 40);
  return system === undefined ? name : `${name} on ${system}`;
}
