import { CopyButton } from '../../ui/copy.js';

/** A text to copy; long ones break. */
export const Copyable = ({ text, what }: { text: string; what: string }) => (
  <span className="-my-1.5 flex min-w-0 items-center gap-1">
    <code className="min-w-0 break-all">{text}</code>
    <CopyButton text={text} what={`Copy ${what}`} />
  </span>
);
