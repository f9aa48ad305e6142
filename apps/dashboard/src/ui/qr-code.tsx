import type qrcode from 'qrcode-generator';
import { useEffect, useState } from 'react';
import { Skeleton } from './states.js';

/** Modules around the code that stay white (ISO/IEC 18004 §6.3.8). */
const QUIET = 4;

type Generator = typeof qrcode;
/** `undefined`: more than a code holds. */
type Drawing = { readonly size: number; readonly path: string } | undefined;

/** Black on white in both themes: cameras read nothing else well. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const generator = useGenerator();
  if (!generator) return <Skeleton className="aspect-square w-full max-w-80" />;
  const drawing = draw(generator, text);
  if (!drawing) return <p className="max-w-80">This file is too long for a QR code. Bring the file over instead.</p>;
  const side = drawing.size + 2 * QUIET;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${side} ${side}`}
      shapeRendering="crispEdges"
      className="aspect-square w-full max-w-80 rounded-lg"
    >
      <rect width={side} height={side} fill="#fff" />
      <path d={drawing.path} fill="#000" />
    </svg>
  );
}

function useGenerator(): Generator | undefined {
  const [generator, setGenerator] = useState<{ it: Generator }>();
  useEffect(() => {
    let wanted = true;
    void import('qrcode-generator').then(({ default: it }) => wanted && setGenerator({ it }));
    return () => {
      wanted = false;
    };
  }, []);
  return generator?.it;
}

/** One path for all dark modules, a run of a row at a time. */
function draw(generator: Generator, text: string): Drawing {
  const code = generator(0, 'L');
  code.addData(text, 'Byte');
  try {
    code.make();
  } catch {
    return undefined;
  }
  const size = code.getModuleCount();
  let path = '';
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      if (!code.isDark(row, column)) continue;
      const from = column;
      while (column + 1 < size && code.isDark(row, column + 1)) column++;
      const run = column - from + 1;
      path += `M${from + QUIET} ${row + QUIET}h${run}v1h-${run}z`;
    }
  return { size, path };
}
