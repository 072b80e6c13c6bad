import { useMutation } from "@tanstack/react-query";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

interface Props {
  title: string;
  text: string;
  /** The label of the button. */
  action: string;
  /** Performs the action. If it throws, the error is shown and the dialog stays open. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks for confirmation before something is deleted. */
export function Confirm({ title, text, action, onConfirm, onClose }: Props) {
  const t = useMessages(messages);
  const confirmation = useMutation({ mutationFn: onConfirm, onSuccess: onClose });
  return (
    <Dialog open onOpenChange={onClose} title={title} description={text}>
      {confirmation.error && <Failure error={confirmation.error} />}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>{t.cancel}</Button>
        <Button look="danger" busy={confirmation.isPending} onClick={() => confirmation.mutate()}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
