-- A file of its own: a query locks the view first and then its tables. A transaction that locks a table and then the view is
-- therefore a deadlock.
SET LOCAL lock_timeout = '2s';

-- As before, but with the new column.
CREATE OR REPLACE VIEW order_documents AS
SELECT o.id, o.user_id, o.status, jsonb_build_object(
    'id', o.id,
    'user_id', o.user_id,
    'status', o.status,
    'reason', o.reason,
    'lines', (
        SELECT jsonb_agg(jsonb_build_object(
            'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
            'unit_price', jsonb_build_object('amount', l.unit_price, 'currency', o.currency),
            'line_total', jsonb_build_object('amount', l.unit_price * l.quantity, 'currency', o.currency))
            ORDER BY l.position)
        FROM order_lines l WHERE l.order_id = o.id),
    'total', jsonb_build_object('amount', o.total, 'currency', o.currency),
    'payment_id', o.payment_id,
    'payment_method', o.payment_method,
    'shipping_address', o.shipping_address,
    'payment_status', o.payment_status,
    'fulfilment_status', o.fulfilment_status,
    'shipment', (
        SELECT jsonb_build_object('carrier', s.carrier, 'tracking_number', s.tracking_number,
            'shipped_at', s.shipped_at, 'delivered_at', s.delivered_at)
        FROM shipments s WHERE s.order_id = o.id),
    'returns', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'id', r.id, 'status', r.status, 'reason', r.reason,
            'items', (
                SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'quantity', i.quantity) ORDER BY i.sku)
                FROM return_lines i WHERE i.return_id = r.id),
            'amount', jsonb_build_object('amount', r.amount, 'currency', o.currency),
            'needs_receipt', r.needs_receipt, 'refusal_reason', r.refusal_reason,
            'created_at', r.created_at, 'updated_at', r.updated_at)
            ORDER BY r.id)
        FROM returns r WHERE r.order_id = o.id), '[]'),
    'trace_id', o.trace_id,
    'created_at', o.created_at,
    'updated_at', o.updated_at) AS document
FROM orders o;
