import { Dialog } from "@/ui/dialog";

export function CartDrawer({ onClose }: { onClose: () => void }) {
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Cart" shape="drawer">
      {null}
    </Dialog>
  );
}
