import { useMutation } from "@tanstack/react-query";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

interface Props {
  title: string;
  text: string;
  /** What the button says. */
  action: string;
  /** Does it; what it throws is shown, and the window stays. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is taken away. */
export function Confirm({ title, text, action, onConfirm, onClose }: Props) {
  const t = useMessages(messages);
  const work = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Dialog open onOpenChange={onClose} title={title} description={text}>
      {work.error && <Failure error={work.error} />}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button look="danger" busy={work.isPending} onClick={() => work.mutate()}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
