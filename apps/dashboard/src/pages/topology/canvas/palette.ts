import { PATH_LOOKS, type PathLook } from '../../../ui/path.js';
import type { NodeState } from '../model/node-look.js';

/** Colours as a canvas takes them. */
export interface Palette {
  readonly canvas: string;
  readonly surface: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly bad: string;
  readonly warn: string;
  readonly paths: Readonly<Record<PathLook, string>>;
  /** Ring and filling of a node. */
  readonly states: Readonly<Record<NodeState, { readonly ring: string; readonly fill: string }>>;
  readonly font: string;
}

/** The tokens as they are now: read again when the colours of the page change. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [surface, good, muted, warn, bad] = [
    token('--surface'),
    token('--good'),
    token('--line-strong'),
    token('--warn'),
    token('--bad'),
  ];
  const paths = Object.fromEntries(Object.entries(PATH_LOOKS).map(([look, { colour }]) => [look, token(colour)]));
  return {
    ...{ canvas: token('--canvas'), surface, ink: token('--ink'), muted: token('--muted'), line: token('--line') },
    ...{ accent: token('--accent'), bad, warn },
    paths: paths as Record<PathLook, string>,
    states: {
      online: { ring: good, fill: good },
      offline: { ring: bad, fill: surface },
      unseen: { ring: muted, fill: surface },
      pending: { ring: warn, fill: surface },
      disabled: { ring: muted, fill: token('--line') },
      expired: { ring: bad, fill: token('--bad-soft') },
    },
    font: getComputedStyle(document.body).fontFamily,
  };
}
