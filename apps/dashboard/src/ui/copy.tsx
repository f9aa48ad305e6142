import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, IconButton } from './button.js';
import { cx } from './class-names.js';
import { toast } from './toast.js';

/** `navigator.clipboard` exists in secure contexts only: a page on plain HTTP falls back to a selection. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

/** @param what names the thing for screen readers: `Copy the join command`. */
export function CopyButton({ text, what, label }: { text: string; what: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    const done = await copyText(text);
    setCopied(done);
    if (!done) toast.bad('this browser does not let the page copy: select the text and copy it yourself');
  };
  const icon = copied ? <Check aria-hidden size={16} /> : <Copy aria-hidden size={16} />;
  const announced = copied ? 'Copied' : what;
  if (label === undefined)
    return (
      <IconButton label={announced} onClick={() => void copy()} className="size-8">
        {icon}
      </IconButton>
    );
  return (
    <Button icon={icon} onClick={() => void copy()} aria-label={announced}>
      {copied ? 'Copied' : label}
    </Button>
  );
}

/** A line or a file to copy. */
export function CopyBlock({ text, what, wrap }: { text: string; what: string; wrap?: boolean }) {
  return (
    <div className="relative rounded-lg border border-line bg-sunken">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it has to be reachable by keyboard */}
      <section tabIndex={0} aria-label={what} className="overflow-x-auto">
        <pre className={cx('w-fit min-w-full py-3 pr-12 pl-3 text-sm', wrap && 'whitespace-pre-wrap break-all')}>
          {text}
        </pre>
      </section>
      <div className="absolute top-1.5 right-1.5 rounded-lg bg-sunken">
        <CopyButton text={text} what={`Copy ${what}`} />
      </div>
    </div>
  );
}
