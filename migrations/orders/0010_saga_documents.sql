-- A saga with its log, in one piece and one round trip, as order_documents is for an order.
CREATE VIEW saga_documents AS
SELECT s.id, s.order_id, s.created_at, jsonb_build_object(
    'id', s.id,
    'order_id', s.order_id,
    'definition', s.definition,
    'status', s.status,
    'parked_reason', s.parked_reason,
    'traceparent', s.traceparent,
    'tracestate', s.tracestate,
    'created_at', s.created_at,
    'updated_at', s.updated_at,
    'log', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'step', l.step, 'direction', l.direction, 'command_id', l.command_id, 'outcome', l.outcome,
            'reason', l.reason, 'detail', l.detail, 'actor', l.actor, 'at', l.at) ORDER BY l.seq)
        FROM saga_log l WHERE l.saga_id = s.id), '[]')) AS document
FROM sagas s;
