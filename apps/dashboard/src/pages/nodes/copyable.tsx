import { CopyButton } from '../../ui/copy.js';

/** A text to copy; long ones break. */
export const Copyable = ({ text, what }: { text: string; what: string }) => (
  <span className="flex min-w-0 items-start gap-1">
    <code className="min-w-0 break-all">{text}</code>
    <span className="-my-1.5 shrink-0">
      <CopyButton text={text} what={`Copy ${what}`} />
    </span>
  </span>
);
