import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";

import { useMessages } from "@/i18n";

import { IconButton } from "./button";
import { classes } from "./classes";
import { messages } from "./messages";

/** The properties of a dialog. */
export interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  /** A `drawer` covers the right edge of the screen at full height. Default: a centred window. */
  shape?: "window" | "drawer";
  children: ReactNode;
}

/** The implementation of `Dialog`, in its own chunk. */
export default function DialogBox({ open, onOpenChange, title, description, shape = "window", children }: Props) {
  const t = useMessages(messages);
  const opener = useRef<Element>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/50" />
        <Radix.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          onOpenAutoFocus={() => {
            opener.current = document.activeElement;
          }}
          onCloseAutoFocus={(event) => {
            // Radix returns the focus only to its own triggers.
            event.preventDefault();
            if (opener.current instanceof HTMLElement) opener.current.focus();
          }}
          className={classes(
            "fixed z-40 grid content-start gap-4 overflow-y-auto bg-surface p-5 shadow-2xl sm:p-6",
            shape === "drawer"
              ? "inset-y-0 right-0 w-full max-w-md"
              : "top-1/2 left-1/2 max-h-[90dvh] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl",
          )}
        >
          <div className="flex items-start justify-between gap-4">
            <Radix.Title className="text-xl font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label={t.close} className="-mt-1.5 -mr-2">
                <span aria-hidden>✕</span>
              </IconButton>
            </Radix.Close>
          </div>
          {description && <Radix.Description className="text-muted">{description}</Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
