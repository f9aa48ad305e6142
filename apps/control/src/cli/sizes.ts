const KIB = 1024;

/** `1.5 MiB`, as people read it. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  for (let left = bytes; left >= KIB && power < units.length - 1; left /= KIB) power++;
  return `${power === 0 ? bytes : (bytes / KIB ** power).toFixed(1)} ${units[power]}`;
}
